//! Where the units of JSON stand that nobody has declared.

use super::frame::{Fault, Framer, Step};
use super::reader::JsonReader;
use crate::base::limit::OUTLINE_DEPTH_MAX;
use crate::base::origin::Origin;
use crate::format::Refused;
use crate::format::settings::{JsonSettings, Limits};
use crate::format::source::Source;

/// What JSON looks like from outside.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    /// One object after another: NDJSON.
    pub(crate) is_lines: bool,
    /// Names leading to the list of units; none where the top itself is it, or is the unit.
    pub(crate) units: Vec<String>,
    /// It says what FHIR resource it is.
    pub(crate) is_fhir: bool,
}

/// What lists of units are called in answers of web services, which say a few things about the list
/// beside it.
const LISTS: [&str; 10] =
    ["data", "items", "results", "records", "value", "values", "rows", "entries", "entry", "content"];

/// Members beside a list of units, if it is not called as one of [`LISTS`]: more are an object's own.
const BESIDE_MAX: usize = 3;

impl JsonReader {
    /// Looks at the outermost members only.
    pub(crate) fn outline(
        source: Box<dyn Source>,
        limits: &Limits,
        file: &Origin,
    ) -> Result<Outline, Refused> {
        let mut reader = Self::new(source, &JsonSettings::default(), limits, file)?;
        match look(reader.framer())? {
            Ok(outline) => Ok(outline),
            Err(fault) => Err(reader.refuse(fault)),
        }
    }
}

fn look(framer: &mut Framer) -> Step<Outline> {
    match framer.peek()? {
        Some(b'{') => framer.skip_byte(),
        _ => return Ok(Ok(Outline::default())),
    }
    let mut outline = Outline::default();
    match members(framer, 1, &mut outline.is_fhir)? {
        Err(fault) => return Ok(Err(fault)),
        Ok(found) => outline.units = found.unwrap_or_default(),
    }
    outline.is_lines = framer.peek()? == Some(b'{');
    if outline.is_lines {
        outline.units.clear();
    }
    Ok(Ok(outline))
}

/// The path to a list of units among the members of an object that was just entered.
fn members(framer: &mut Framer, depth: usize, is_fhir: &mut bool) -> Step<Option<Vec<String>>> {
    let mut lists: Vec<(u64, Vec<String>)> = Vec::new();
    let mut count = 0;
    loop {
        let name = match framer.member()? {
            Ok(Some(name)) => name,
            Ok(None) => break,
            Err(fault) => return Ok(Err(fault)),
        };
        count += 1;
        *is_fhir |= depth == 1 && name == "resourceType";
        let passed = match framer.peek()? {
            Some(b'[') => objects(framer)?.map(|objects| {
                if objects > 0 {
                    lists.push((objects, vec![name]));
                }
            }),
            Some(b'{') if depth < OUTLINE_DEPTH_MAX => {
                framer.skip_byte();
                members(framer, depth + 1, is_fhir)?.map(|found| {
                    lists.extend(found.map(|path| (0, std::iter::once(name).chain(path).collect())));
                })
            }
            _ => framer.skip()?,
        };
        if let Err(fault) = passed {
            return Ok(Err(fault));
        }
    }
    lists.sort_by_key(|(objects, _)| u64::MAX - objects);
    let is_meant = |path: &Vec<String>| {
        count <= BESIDE_MAX + 1 || path.last().is_some_and(|name| LISTS.contains(&name.as_str()))
    };
    Ok(Ok(lists.into_iter().map(|(_, path)| path).find(is_meant)))
}

/// Passes a list. How many objects it holds.
fn objects(framer: &mut Framer) -> Step<u64> {
    framer.skip_byte();
    let mut count = 0;
    loop {
        match framer.peek()? {
            Some(b']') => {
                framer.skip_byte();
                return Ok(Ok(count));
            }
            Some(b',') => {
                framer.skip_byte();
                continue;
            }
            Some(b'{') => count += 1,
            Some(_) => {}
            None => return Ok(Err(Fault::Truncated)),
        }
        if let Err(fault) = framer.skip()? {
            return Ok(Err(fault));
        }
    }
}
