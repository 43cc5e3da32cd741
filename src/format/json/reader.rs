//! Trees, one after another: lines of NDJSON, items of a list, resources of a Bundle.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use super::frame::{Fault, Framer, Step, excess};
use crate::base::finding::{Code, Finding, Findings};
use crate::base::origin::Origin;
use crate::format::charset::{self, Charset, Text};
use crate::format::fhir;
use crate::format::settings::{JsonSettings, Limits};
use crate::format::source::Source;
use crate::format::{Arrival, FormatError, Place, Refused, Unit};

/// Reads trees.
pub(crate) struct JsonReader {
    framer: Framer,
    shape: Shape,
    settings: JsonSettings,
    is_fhir: bool,
    unit_bytes_max: usize,
    file: Origin,
    text: Vec<u8>,
    value: Value,
    ordinal: u64,
    is_done: bool,
    pub(crate) findings: Findings,
}

/// How the units stand in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// One after another, with nothing between: NDJSON.
    Lines,
    /// One alone.
    One,
    /// The items of a list, which has been entered; this many objects lie round it.
    Items(usize),
}

/// What a step came to.
enum Taken {
    Unit(Place),
    Faulty(Place, Fault),
    End,
}

impl JsonReader {
    /// Opens JSON or NDJSON.
    pub(crate) fn open(
        source: Box<dyn Source>,
        settings: &JsonSettings,
        limits: &Limits,
        file: &Origin,
    ) -> Result<Self, Refused> {
        let mut reader = Self::new(source, settings, limits, file)?;
        reader.shape = match (settings.lines, reader.framer.peek()?) {
            (_, None) => return Err(reader.empty()),
            (true, Some(_)) => Shape::Lines,
            (false, Some(b'[')) if settings.units.is_empty() => {
                reader.framer.skip_byte();
                Shape::Items(0)
            }
            (false, Some(b'{')) if settings.units.is_empty() => Shape::One,
            (false, Some(b'{')) => reader.enter()?,
            (false, Some(_)) => return Err(reader.refuse(Fault::Syntax)),
        };
        Ok(reader)
    }

    /// Opens a Bundle, a lone resource, or NDJSON of resources, whichever it is.
    pub(crate) fn open_fhir(
        source: Box<dyn Source>,
        limits: &Limits,
        file: &Origin,
    ) -> Result<Self, Refused> {
        let settings = JsonSettings::default();
        let mut reader = Self::new(source, &settings, limits, file)?;
        reader.is_fhir = true;
        let kind = match fhir::look(&mut reader.framer)? {
            Err(fault) => return Err(reader.refuse(fault)),
            Ok(kind) => kind,
        };
        reader.framer.rewind()?;
        reader.shape = match kind {
            fhir::Kind::Empty => return Err(reader.empty()),
            fhir::Kind::Lines => Shape::Lines,
            fhir::Kind::Resource => Shape::One,
            fhir::Kind::EmptyBundle => {
                reader.is_done = true;
                Shape::One
            }
            fhir::Kind::Bundle => {
                reader.settings.units = vec![String::from("entry")];
                reader.enter()?
            }
            fhir::Kind::Other => {
                let text = "expected a FHIR Bundle or resource, found JSON without `resourceType`";
                return Err(Finding::new(Code::FhirNoResource, file.clone(), text).into());
            }
        };
        Ok(reader)
    }

    pub(super) fn new(
        mut source: Box<dyn Source>,
        settings: &JsonSettings,
        limits: &Limits,
        file: &Origin,
    ) -> Result<Self, Refused> {
        let (decided, note) = charset::decide(source.as_mut(), None, file)??;
        if decided.charset == Charset::Windows1252 {
            let text = "expected UTF-8, as JSON always is, found characters that are not";
            return Err(Finding::new(Code::CharsetMismatch, file.clone(), text).into());
        }
        let is_usual = decided.charset == Charset::Utf8;
        Ok(Self {
            framer: Framer::new(Text::new(source, decided)?),
            shape: Shape::One,
            settings: settings.clone(),
            is_fhir: false,
            unit_bytes_max: limits.unit_bytes_max,
            file: file.clone(),
            text: Vec::new(),
            value: Value::Null,
            ordinal: 0,
            is_done: false,
            findings: note.filter(|_| !is_usual).into_iter().collect(),
        })
    }

    pub(super) fn framer(&mut self) -> &mut Framer {
        &mut self.framer
    }

    /// Walks to the list of units and into it.
    fn enter(&mut self) -> Result<Shape, Refused> {
        let names = self.settings.units.clone();
        for name in &names {
            match self.find_member(name)? {
                Ok(true) => {}
                Ok(false) => return Err(self.no_list()),
                Err(fault) => return Err(self.refuse(fault)),
            }
        }
        if self.framer.peek()? != Some(b'[') {
            return Err(self.no_list());
        }
        self.framer.skip_byte();
        Ok(Shape::Items(names.len()))
    }

    /// Enters the object here and stops before the value of that member.
    fn find_member(&mut self, wanted: &str) -> Step<bool> {
        if self.framer.peek()? != Some(b'{') {
            return Ok(Ok(false));
        }
        self.framer.skip_byte();
        loop {
            match self.framer.peek()? {
                Some(b'}') => return Ok(Ok(false)),
                Some(b',') => self.framer.skip_byte(),
                Some(_) => {}
                None => return Ok(Err(Fault::Truncated)),
            }
            match self.framer.name()? {
                Ok(name) if name == wanted => return Ok(Ok(true)),
                Ok(_) => {}
                Err(fault) => return Ok(Err(fault)),
            }
            if let Err(fault) = self.framer.skip()? {
                return Ok(Err(fault));
            }
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Arrival<'_>>, FormatError> {
        let taken = if self.is_done { Taken::End } else { self.take().map_err(FormatError::Read)? };
        let (place, fault) = match taken {
            Taken::End => {
                self.is_done = true;
                return Ok(None);
            }
            Taken::Faulty(place, fault) => {
                let finding = finding(fault, place.origin(&self.file));
                return Ok(Some(Arrival { place, unit: Err(finding) }));
            }
            Taken::Unit(place) => {
                let fault = self.build();
                (place, fault)
            }
        };
        let unit = match fault {
            None => Ok(Unit::Tree(self.unit_of_value())),
            Some((code, text)) => Err(Finding::new(code, place.origin(&self.file), text)),
        };
        Ok(Some(Arrival { place, unit }))
    }

    fn take(&mut self) -> std::io::Result<Taken> {
        let next = self.framer.peek()?;
        match (self.shape, next) {
            (Shape::Lines, None) => return Ok(Taken::End),
            (Shape::One, None) if self.ordinal > 0 => return Ok(Taken::End),
            (Shape::One, Some(_)) if self.ordinal > 0 => return Ok(self.stop(Fault::Syntax)),
            (Shape::Lines | Shape::One, _) => {}
            (Shape::Items(round), Some(b']')) => {
                self.framer.skip_byte();
                return self.leave(round);
            }
            (Shape::Items(_), Some(b',')) if self.ordinal > 0 => self.framer.skip_byte(),
            (Shape::Items(_), Some(_)) if self.ordinal == 0 => {}
            (Shape::Items(_), Some(_)) => return Ok(self.stop(Fault::Syntax)),
            (Shape::Items(_), None) => return Ok(self.stop(Fault::Truncated)),
        }
        self.framer.peek()?;
        self.ordinal += 1;
        let place = self.place();
        let taken = match self.shape {
            Shape::Lines => self.framer.take_line(&mut self.text, self.unit_bytes_max)?,
            Shape::One | Shape::Items(_) => self.framer.take(&mut self.text, self.unit_bytes_max)?,
        };
        Ok(match taken {
            Ok(()) => Taken::Unit(place),
            Err(fault @ (Fault::TooLarge | Fault::TooDeep | Fault::TooMany)) => Taken::Faulty(place, fault),
            Err(fault) => {
                self.is_done = true;
                Taken::Faulty(place, fault)
            }
        })
    }

    /// Reads what stands after the list, so that a file cut off there is noticed.
    fn leave(&mut self, round: usize) -> std::io::Result<Taken> {
        for _ in 0..round {
            loop {
                match self.framer.peek()? {
                    Some(b'}') => {
                        self.framer.skip_byte();
                        break;
                    }
                    Some(b',') => self.framer.skip_byte(),
                    Some(_) => return Ok(self.stop(Fault::Syntax)),
                    None => return Ok(self.stop(Fault::Truncated)),
                }
                let named = self.framer.name()?;
                let skipped = match named {
                    Ok(_) => self.framer.skip()?,
                    Err(fault) => Err(fault),
                };
                if let Err(fault) = skipped {
                    return Ok(self.stop(fault));
                }
            }
        }
        match self.framer.peek()? {
            None => Ok(Taken::End),
            Some(_) => Ok(self.stop(Fault::Syntax)),
        }
    }

    /// A fault after which nothing more can be read.
    fn stop(&mut self, fault: Fault) -> Taken {
        self.is_done = true;
        let (line, byte) = self.framer.at();
        Taken::Faulty(Place { sheet: None, line, byte, path: None }, fault)
    }

    fn place(&self) -> Place {
        let (line, byte) = self.framer.at();
        let path = match self.shape {
            Shape::Items(_) => {
                let mut path = String::new();
                for name in &self.settings.units {
                    path.push('/');
                    path.push_str(name);
                }
                let _ = write!(path, "/{}", self.ordinal - 1);
                if self.is_fhir {
                    path.push_str("/resource");
                }
                Some(Arc::from(path))
            }
            Shape::Lines | Shape::One => None,
        };
        let line = if self.shape == Shape::Lines { line } else { self.ordinal };
        Place { sheet: None, line, byte, path }
    }

    /// Builds the value; what is wrong with it, if anything.
    fn build(&mut self) -> Option<(Code, &'static str)> {
        let syntax = (Code::JsonSyntax, "expected JSON, found text that is not");
        let Ok(value) = serde_json::from_slice::<Value>(&self.text) else { return Some(syntax) };
        self.value = value;
        if let Some(body) = &self.settings.body {
            let Some(inner) = self.value.get(body).and_then(Value::as_str) else {
                return Some((Code::JsonShape, "expected the unit as text in its body member, found none"));
            };
            if let Some(fault) = excess(inner.as_bytes()) {
                return Some(said(fault));
            }
            match serde_json::from_str(inner) {
                Ok(inner) => self.value = inner,
                Err(_) => return Some(syntax),
            }
        }
        if self.is_fhir && !fhir::is_resource(self.unit_of_value()) {
            return Some((
                Code::FhirNoResource,
                "expected a FHIR resource here, found something without `resourceType`",
            ));
        }
        if !self.unit_of_value().is_object() {
            return Some((Code::JsonShape, "expected an object here, found a list or a single value"));
        }
        None
    }

    fn unit_of_value(&self) -> &Value {
        match (self.is_fhir, self.shape) {
            (true, Shape::Items(_)) => self.value.get("resource").unwrap_or(&Value::Null),
            _ => &self.value,
        }
    }

    pub(super) fn refuse(&self, fault: Fault) -> Refused {
        let (line, byte) = self.framer.at();
        finding(fault, self.file.clone().at_line(line).at_byte(byte)).into()
    }

    fn no_list(&self) -> Refused {
        let names = self.settings.units.join(".");
        let text = format!("expected a list of units at `{names}`, found none");
        Finding::new(Code::JsonShape, self.file.clone(), text).into()
    }

    fn empty(&self) -> Refused {
        Finding::new(Code::FileEmpty, self.file.clone(), "expected JSON, found an empty file").into()
    }
}

fn finding(fault: Fault, origin: Origin) -> Finding {
    let (code, text) = said(fault);
    Finding::new(code, origin, text)
}

const fn said(fault: Fault) -> (Code, &'static str) {
    match fault {
        Fault::Truncated => (Code::FileTruncated, "expected more, found the end of the file inside a unit"),
        Fault::Syntax => (Code::JsonSyntax, "expected JSON, found text that is not"),
        Fault::TooLarge => (Code::UnitTooLarge, "expected one unit, found one larger than any can be"),
        Fault::TooDeep => (Code::JsonTooDeep, "expected a tree, found one nested deeper than any record is"),
        Fault::TooMany => (Code::JsonTooMany, "expected one unit, found one of more values than any has"),
    }
}
