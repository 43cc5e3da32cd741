//! How a file is to be read: what the mapping and the configuration declare about it.

use crate::base::limit;
use crate::format::charset::Charset;

/// How one file is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The format and what is declared about it.
    pub format: FormatKind,
    /// The bounds it is read within.
    pub limits: Limits,
}

impl Settings {
    /// A format within the usual bounds.
    #[must_use]
    pub fn new(format: FormatKind) -> Self {
        Self { format, limits: Limits::default() }
    }

    /// True if both cut a file into the same units: they may look for other columns.
    #[must_use]
    pub fn cuts_as(&self, other: &Self) -> bool {
        self.without_columns() == other.without_columns()
    }

    fn without_columns(&self) -> Self {
        let mut bare = self.clone();
        match &mut bare.format {
            FormatKind::Csv(csv) => csv.expected.clear(),
            FormatKind::Xlsx(xlsx) => {
                for sheet in &mut xlsx.sheets {
                    sheet.expected.clear();
                    sheet.aside.clear();
                }
            }
            FormatKind::Json(_) | FormatKind::Fhir(_) | FormatKind::Xml(_) | FormatKind::Hl7v2(_) => {}
        }
        bare
    }
}

/// A format, with what is declared about a file of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatKind {
    /// A text table.
    Csv(CsvSettings),
    /// A workbook.
    Xlsx(XlsxSettings),
    /// JSON, or NDJSON.
    Json(JsonSettings),
    /// FHIR R4: a Bundle or a lone resource in JSON or XML, whichever it is, or NDJSON of
    /// resources; and the form it is written in.
    Fhir(FhirForm),
    /// An XML document.
    Xml(XmlSettings),
    /// HL7 v2 messages.
    Hl7v2(Hl7v2Settings),
}

impl FormatKind {
    /// The word for it in a mapping.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Xlsx(_) => "xlsx",
            Self::Json(_) => "json",
            Self::Fhir(_) => "fhir",
            Self::Xml(_) => "xml",
            Self::Hl7v2(_) => "hl7v2",
        }
    }
}

/// What is declared about a text table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CsvSettings {
    /// The encoding; decided over the whole file where it is not declared.
    pub encoding: Option<Charset>,
    /// The separator; detected where it is not declared.
    pub separator: Option<u8>,
    /// Where the column names stand.
    pub header: HeaderRule,
    /// Column names the mapping uses. They tell the header from a title, and the right separator
    /// from a wrong one; a header without some of them is left to the mapping to report.
    pub expected: Vec<String>,
    /// True where rows are written with a line feed alone at their end; a reader takes either.
    pub is_lf: bool,
}

/// Where the names of a table's columns stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum HeaderRule {
    /// On the first row.
    #[default]
    Exact,
    /// On one of the first rows: the one that has most of the expected names.
    Find,
    /// Not in the file: the mapping names the columns, in order.
    Named(Vec<String>),
    /// Columns are numbered from 1, and the mapping names each number. Where one of the first rows
    /// begins with a cell that says `field number`, that row says which column has which number,
    /// and everything above it is for people; without such a row the columns stand in order.
    Numbered(Vec<String>),
}

/// What is declared about a workbook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct XlsxSettings {
    /// The sheets to read, in this order; every visible sheet where none is declared.
    pub sheets: Vec<SheetSettings>,
}

/// What is declared about one sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SheetSettings {
    /// Its name, without regard to case and outer blanks.
    pub name: String,
    /// The row the column names stand on, from 1; found where it is not declared.
    pub header_row: Option<u64>,
    /// Column names the mapping uses on this sheet.
    pub expected: Vec<String>,
    /// True if a workbook without this sheet is still read.
    pub optional: bool,
    /// Columns that are filled in beforehand: a row that has nothing else is blank.
    pub aside: Vec<String>,
}

/// What is declared about JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JsonSettings {
    /// True for NDJSON: one unit a line.
    pub lines: bool,
    /// Names leading to the array of units, from the top: `["data", "items"]`. Empty: the top
    /// itself, one unit where it is an object and one for each member where it is an array.
    pub units: Vec<String>,
    /// The member whose text is itself the JSON of the unit, as in kept webhooks: `body`.
    pub body: Option<String>,
}

/// The forms FHIR is exchanged in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FhirForm {
    /// JSON.
    #[default]
    Json,
    /// XML.
    Xml,
}

/// What is declared about an XML document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct XmlSettings {
    /// Local names leading to the element that is a unit, from the outermost: `["forms", "form"]`.
    pub units: Vec<String>,
    /// The namespace of the outermost element, where it has to have one.
    pub namespace: Option<String>,
    /// Namespaces by the prefix that the mapping's addresses use, whatever the document calls
    /// them. Elements of other namespaces go by their local names.
    pub namespaces: Vec<(String, String)>,
    /// The addresses that the mapping reads.
    pub expected: Vec<String>,
}

/// What is declared about HL7 v2 messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hl7v2Settings {
    /// The encoding; decided over the whole file where it is not declared.
    pub encoding: Option<Charset>,
}

/// The bounds a file is read within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one unit.
    pub unit_bytes_max: usize,
    /// Bytes that a compressed file may unpack to.
    pub unpacked_bytes_max: u64,
    /// How many times larger than its packed size a compressed file may unpack to.
    pub unpacked_ratio_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unit_bytes_max: limit::UNIT_BYTES_MAX,
            unpacked_bytes_max: limit::UNPACKED_BYTES_MAX,
            unpacked_ratio_max: limit::UNPACKED_RATIO_MAX,
        }
    }
}
