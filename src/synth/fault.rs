//! What is planted wrong on purpose, and where: the plan that the demo's findings are held to.

use serde::Serialize;

/// A kind of planted fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A day that is on no calendar: 31/02/1950.
    ImpossibleDay,
    /// A word such as `TBC` where a day belongs.
    WordForDay,
    /// A number where the sheet should hold a day.
    NumberForDay,
    /// An NHS number whose check digit is wrong.
    WrongCheckDigit,
    /// An NHS number that is not ten digits: `9.99E+09`, or nine of them.
    NumberShape,
    /// A code that is in no list.
    UnknownCode,
    /// A word outside those that the record allows.
    UnknownWord,
    /// A value as Release 1 spelled it.
    ReleaseOneSpelling,
    /// Too many or too few cells in a row.
    RaggedRow,
    /// The same row twice in one file.
    DuplicateRow,
    /// Two different rows with one key in one file.
    ConflictingRows,
    /// The identifier of the person that the row is about is blank.
    MissingPerson,
    /// What tells the record from others is blank.
    MissingKey,
    /// A cell that the record needs is blank.
    Missing,
    /// A number in a cell where an identifier is text.
    NumberForId,
    /// A score or amount outside what is allowed.
    OutOfRange,
    /// Words where a number belongs.
    WordForNumber,
    /// Words where an amount of money belongs.
    WordForMoney,
    /// A postcode of no shape.
    BadPostcode,
    /// A cell that holds a spreadsheet error.
    CellError,
    /// A webhook whose signature is not right.
    BadSignature,
    /// A webhook that was sent before.
    DuplicateWebhook,
    /// A line or body that is not JSON.
    NotJson,
    /// An event of a type that nobody takes.
    UnknownEventType,
    /// A message without the segment that says whom it is about.
    MessageWithoutPatient,
}

impl Kind {
    /// The finding that is to say so, where the outcome of the unit alone does not.
    ///
    /// A unit that was sent before, and one that nobody takes, are told in the ledger as
    /// *duplicate* and *filtered* and need no finding.
    #[must_use]
    pub const fn code(self) -> Option<&'static str> {
        match self {
            Self::ImpossibleDay | Self::WordForDay | Self::NumberForDay => Some("map/date"),
            Self::WrongCheckDigit => Some("map/nhs-check-digit"),
            Self::NumberShape => Some("map/nhs-shape"),
            Self::UnknownCode | Self::ReleaseOneSpelling => Some("map/unknown-code"),
            Self::RaggedRow => Some("csv/field-count"),
            Self::ConflictingRows => Some("record/conflict"),
            Self::MissingPerson | Self::MessageWithoutPatient => Some("map/subject-missing"),
            Self::MissingKey => Some("map/key-missing"),
            Self::Missing => Some("map/blank"),
            Self::NumberForId => Some("map/number-for-text"),
            Self::OutOfRange => Some("schema/range"),
            Self::UnknownWord => Some("schema/enum"),
            Self::WordForNumber => Some("map/integer"),
            Self::WordForMoney => Some("map/money"),
            Self::BadPostcode => Some("map/postcode"),
            Self::CellError => Some("xlsx/cell-error"),
            Self::BadSignature => Some("webhook/signature"),
            Self::NotJson => Some("json/syntax"),
            Self::DuplicateRow | Self::DuplicateWebhook | Self::UnknownEventType => None,
        }
    }

    /// What becomes of the unit: the outcome that the ledger counts it under.
    #[must_use]
    pub const fn outcome(self) -> &'static str {
        match self {
            Self::DuplicateRow | Self::DuplicateWebhook => "duplicate",
            Self::UnknownEventType => "filtered",
            Self::WrongCheckDigit
            | Self::NumberShape
            | Self::UnknownCode
            | Self::ReleaseOneSpelling
            | Self::BadPostcode => "quarantined",
            _ => "rejected",
        }
    }
}

/// One planted fault, and where a reader will say that it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Feed: `council/cld` and so on.
    pub feed: &'static str,
    /// File, by its name without its folder.
    pub file: &'static str,
    /// Sheet, in a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<&'static str>,
    /// Line or row of the file; ordinal of a message or resource; from 1.
    pub line: u64,
    /// Column or path, where the fault is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<&'static str>,
    /// What is wrong.
    pub kind: Kind,
    /// The finding that is to say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The outcome of the unit.
    pub outcome: &'static str,
}

impl Fault {
    /// True where only the batch, the store or the signature shows it: what is in the unit reads
    /// well enough.
    #[must_use]
    pub const fn is_of_batch(&self) -> bool {
        matches!(
            self.kind,
            Kind::DuplicateRow | Kind::DuplicateWebhook | Kind::ConflictingRows | Kind::BadSignature
        )
    }
}

/// A fault before its place in the file is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planted {
    /// What is wrong.
    pub kind: Kind,
    /// In which column or at which path.
    pub column: Option<&'static str>,
}

impl Planted {
    /// The fault at its place.
    #[must_use]
    pub fn at(self, feed: &'static str, file: &'static str, sheet: Option<&'static str>, line: u64) -> Fault {
        let (code, outcome) = (self.kind.code(), self.kind.outcome());
        Fault { feed, file, sheet, line, column: self.column, kind: self.kind, code, outcome }
    }
}
