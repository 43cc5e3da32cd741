//! A workbook as the ZIP file it is: which part holds what (ECMA-376 parts 1 and 2).

use std::collections::BTreeMap;
use std::io::Read;

use zip::ZipArchive;

use super::markup::{Broken, Markup, Token, attribute, is_end, name_of};
use super::style::Styles;
use super::texts::Texts;
use crate::base::finding::{Code, Finding};
use crate::base::limit::WORKBOOK_PART_BYTES_MAX;
use crate::base::origin::Origin;
use crate::format::packed::{self, Bounds, Counted, is_of_data};
use crate::format::settings::Limits;
use crate::format::source::{Source, Spool};
use crate::format::{FormatError, Refused};

/// A workbook that has been opened.
pub(super) struct Book {
    archive: ZipArchive<Box<dyn Source>>,
    /// Where each part stands, by its name in small letters.
    parts: BTreeMap<String, usize>,
    bounds: Bounds,
    pub(super) sheets: Vec<Sheet>,
    shared: Option<String>,
    styles: Option<String>,
    pub(super) is_1904: bool,
    /// True where a pivot table brings its own copy of the data it was made from.
    pub(super) has_pivot: bool,
}

/// What the workbook says of one of its sheets.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    pub(super) name: String,
    pub(super) is_hidden: bool,
    /// The part that holds it.
    part: String,
    /// True where that has rows: not a chart, a dialogue or a macro.
    pub(super) is_table: bool,
}

/// How one part stands to another.
struct Relationship {
    /// The last word of its type: `worksheet`.
    kind: String,
    target: String,
}

impl Book {
    /// Opens a workbook and finds its parts.
    pub(super) fn open(mut source: Box<dyn Source>, limits: &Limits, file: &Origin) -> Result<Self, Refused> {
        let bounds = Bounds::of(source.as_mut(), limits)?;
        let mut archive = packed::open(source, file)?;
        let mut parts = BTreeMap::new();
        let mut declared = 0_u64;
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(|error| packed::fault(error, file))?;
            let name = entry.name().map_err(|error| packed::fault(error, file))?;
            parts.insert(name.replace('\\', "/").trim_start_matches('/').to_lowercase(), index);
            declared = declared.saturating_add(entry.size());
        }
        // What it says of itself may be false; what is read of it is counted.
        if declared > bounds.bytes_max() {
            return Err(bounds.too_large(file).into());
        }
        let has_pivot = parts.keys().any(|name| name.starts_with("xl/pivotcache/"));
        let mut book = Self {
            archive,
            parts,
            bounds,
            sheets: Vec::new(),
            shared: None,
            styles: None,
            is_1904: false,
            has_pivot,
        };
        book.find_parts().map_err(|broken| book.fault(broken, file))?;
        Ok(book)
    }

    fn find_parts(&mut self) -> Result<(), Broken> {
        let top = self.relationships("")?;
        let main = top.into_values().find(|found| found.kind == "officeDocument");
        let main = main.map_or_else(|| String::from("xl/workbook.xml"), |found| found.target);
        let related = self.relationships(&main)?;
        let of_kind =
            |kind: &str| related.values().find(|found| found.kind == kind).map(|found| found.target.clone());
        let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
        let usual = |name: &str| Some(format!("{folder}/{name}"));
        self.shared = of_kind("sharedStrings").or_else(|| usual("sharedStrings.xml"));
        self.styles = of_kind("styles").or_else(|| usual("styles.xml"));
        let part = self.small(&main)?.ok_or(Broken::Damaged)?;
        let mut markup = Markup::new(part.as_slice());
        while let Some(token) = markup.next()? {
            let Token::Tag(tag) = token else { continue };
            match name_of(tag) {
                b"workbookPr" => {
                    let from = attribute(tag, "date1904");
                    self.is_1904 = from.is_some_and(|word| matches!(word.as_str(), "1" | "true"));
                }
                b"sheet" if !is_end(tag) => {
                    let related = attribute(tag, "id").and_then(|id| related.get(&id));
                    let (Some(name), Some(related)) = (attribute(tag, "name"), related) else {
                        return Err(Broken::Damaged);
                    };
                    let state = attribute(tag, "state").unwrap_or_default();
                    self.sheets.push(Sheet {
                        name,
                        is_hidden: matches!(state.as_str(), "hidden" | "veryHidden"),
                        part: related.target.clone(),
                        is_table: related.kind == "worksheet",
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a part is related to, by id; the package itself is the part without a name.
    fn relationships(&mut self, of: &str) -> Result<BTreeMap<String, Relationship>, Broken> {
        let (folder, name) = of.rsplit_once('/').unwrap_or(("", of));
        let path = format!("{folder}/_rels/{name}.rels");
        let part = self.small(&path)?.unwrap_or_default();
        let mut found = BTreeMap::new();
        let mut markup = Markup::new(part.as_slice());
        while let Some(token) = markup.next()? {
            let Token::Tag(tag) = token else { continue };
            if name_of(tag) != b"Relationship" {
                continue;
            }
            let parts = (attribute(tag, "Id"), attribute(tag, "Type"), attribute(tag, "Target"));
            if let (Some(id), Some(kind), Some(target)) = parts {
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                found.insert(id, Relationship { kind, target: resolved(folder, &target) });
            }
        }
        Ok(found)
    }

    /// A small part, whole.
    fn small(&mut self, name: &str) -> Result<Option<Vec<u8>>, Broken> {
        let Some(part) = self.part(name)? else { return Ok(None) };
        let mut held = Vec::new();
        let limit = u64::try_from(WORKBOOK_PART_BYTES_MAX).unwrap_or(u64::MAX);
        part.take(limit + 1).read_to_end(&mut held)?;
        if held.len() > WORKBOOK_PART_BYTES_MAX {
            return Err(Broken::TooMany("bytes of names", WORKBOOK_PART_BYTES_MAX));
        }
        Ok(Some(held))
    }

    /// A part, piece by piece.
    fn part(&mut self, name: &str) -> Result<Option<impl Read>, Broken> {
        let wanted = name.trim_start_matches('/').to_lowercase();
        let Some(index) = self.parts.get(&wanted) else { return Ok(None) };
        let entry = self.archive.by_index(*index).map_err(|error| match error {
            zip::result::ZipError::Io(error) => Broken::Read(error),
            _ => Broken::Damaged,
        })?;
        Ok(Some(Counted::new(entry, &mut self.bounds)))
    }

    pub(super) fn sheet(&mut self, sheet: &Sheet) -> Result<Option<impl Read>, Broken> {
        self.part(&sheet.part)
    }

    pub(super) fn texts<'s>(&mut self, spool: &'s dyn Spool) -> Result<Texts<'s>, Broken> {
        let Some(name) = self.shared.clone() else { return Ok(Texts::none(spool)) };
        match self.part(&name)? {
            Some(part) => Texts::read(part, spool),
            None => Ok(Texts::none(spool)),
        }
    }

    pub(super) fn styles(&mut self) -> Result<Styles, Broken> {
        let Some(name) = self.styles.clone() else { return Ok(Styles::default()) };
        match self.part(&name)? {
            Some(part) => Styles::read(part),
            None => Ok(Styles::default()),
        }
    }

    /// What reading the workbook calls a fault, in the sender's words.
    pub(super) fn fault(&self, broken: Broken, origin: &Origin) -> Refused {
        match broken {
            Broken::Read(error) if packed::is_too_large(&error) => self.bounds.too_large(origin).into(),
            Broken::Read(error) if is_of_data(&error) => damaged(origin),
            Broken::Read(error) => Refused::Machine(FormatError::Read(error)),
            Broken::Damaged => damaged(origin),
            Broken::Doctype => {
                let text = "expected a workbook, found one whose parts bring a document type, which none has";
                Finding::new(Code::FileBinary, origin.clone(), text).into()
            }
            Broken::TooMany(what, most) => {
                let text = format!("expected a workbook of at most {most} {what}, found more");
                Finding::new(Code::FileTooLarge, origin.clone(), text).into()
            }
        }
    }
}

/// A target as a part's name: beside the part that names it, or from the top.
fn resolved(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    if let Some(from_top) = target.strip_prefix('/') {
        return from_top.to_owned();
    }
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            "." | "" => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    steps.join("/")
}

fn damaged(origin: &Origin) -> Refused {
    let text = "expected an Excel workbook, found a file that is damaged or was cut off";
    Finding::new(Code::FileTruncated, origin.clone(), text).into()
}
