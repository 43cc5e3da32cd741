//! One message, cut into its leaves once.

use crate::base::limit::UNIT_ELEMENTS_MAX;
use crate::format::hl7v2::path::{MessagePath, Repetition};

/// One message: its text, and the decoded leaves of every segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    raw: String,
    /// The decoded text of all leaves.
    text: String,
    leaves: Vec<Leaf>,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    name: String,
    first: usize,
    end: usize,
}

/// One subcomponent that is not empty. Everything counts from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Leaf {
    field: usize,
    repetition: usize,
    component: usize,
    part: usize,
    start: usize,
    end: usize,
}

/// The characters that a message is cut by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) field: char,
    pub(crate) component: char,
    pub(crate) repetition: char,
    pub(crate) escape: char,
    pub(crate) part: char,
}

impl Default for Marks {
    fn default() -> Self {
        Self { field: '|', component: '^', repetition: '~', escape: '\\', part: '&' }
    }
}

/// Why text is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAMessage {
    /// It does not begin with `MSH` and the characters that cut it.
    NoHead,
    /// A line, from 1, that is no segment.
    NoSegment(usize),
    /// It has more fields and parts of fields than any message.
    TooMany,
}

impl Message {
    /// The message as it was sent, each segment ended with a carriage return.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// True where it says that it is in production (MSH-11, HL7 table 0103).
    #[must_use]
    pub fn is_production(&self) -> bool {
        let path = MessagePath::of("MSH", 11);
        self.find(&path) == Some("P")
    }

    /// The character set it declares (MSH-18, HL7 table 0211), the first where it names several.
    pub(crate) fn charset(&self) -> Option<&str> {
        self.find(&MessagePath::of("MSH", 18))
    }

    /// The text at a path.
    pub(crate) fn find(&self, path: &MessagePath) -> Option<&str> {
        let mut segments = self.segments.iter().filter(|segment| segment.name == path.segment);
        let segment = segments.nth(path.occurrence - 1)?;
        let leaves = self.leaves.get(segment.first..segment.end)?;
        let start = leaves.partition_point(|leaf| leaf.field < path.field);
        let end = leaves.partition_point(|leaf| leaf.field <= path.field);
        let field = leaves.get(start..end)?;
        let repetition = match &path.repetition {
            Repetition::Number(number) => *number,
            Repetition::Where(conditions) => self.repetition(field, conditions)?,
        };
        let leaf = field.iter().find(|leaf| {
            (leaf.repetition, leaf.component, leaf.part) == (repetition, path.component, path.part)
        })?;
        self.text.get(leaf.start..leaf.end)
    }

    /// True if a path selects by value where several repetitions have it, and they say different things.
    pub(crate) fn meets_different(&self, path: &MessagePath) -> bool {
        let Repetition::Where(conditions) = &path.repetition else { return false };
        let mut segments = self.segments.iter().filter(|segment| segment.name == path.segment);
        let leaves = segments.nth(path.occurrence - 1).and_then(|of| self.leaves.get(of.first..of.end));
        let start = leaves.map_or(0, |leaves| leaves.partition_point(|leaf| leaf.field < path.field));
        let end = leaves.map_or(0, |leaves| leaves.partition_point(|leaf| leaf.field <= path.field));
        let field = leaves.and_then(|leaves| leaves.get(start..end)).unwrap_or_default();
        let said = self.repetitions(field, conditions).filter_map(|leaves| {
            let at = |leaf: &&Leaf| (leaf.component, leaf.part) == (path.component, path.part);
            leaves.iter().find(at).and_then(|leaf| self.text.get(leaf.start..leaf.end))
        });
        let said: Vec<&str> = said.filter(|text| !text.trim().is_empty()).collect();
        said.iter().any(|text| Some(text) != said.first())
    }

    /// The first repetition that meets the conditions.
    fn repetition(&self, field: &[Leaf], conditions: &[(usize, String)]) -> Option<usize> {
        self.repetitions(field, conditions).next()?.first().map(|leaf| leaf.repetition)
    }

    /// The repetitions that meet the conditions.
    fn repetitions<'m>(
        &'m self,
        field: &'m [Leaf],
        conditions: &'m [(usize, String)],
    ) -> impl Iterator<Item = &'m [Leaf]> {
        let holds = |leaves: &[Leaf], component: usize, is: &str| {
            leaves.iter().any(|leaf| {
                (leaf.component, leaf.part) == (component, 1)
                    && self
                        .text
                        .get(leaf.start..leaf.end)
                        .is_some_and(|text| is.split('|').any(|is| is == text))
            })
        };
        let repetitions = field.chunk_by(|one, other| one.repetition == other.repetition);
        repetitions
            .filter(move |leaves| conditions.iter().all(|(component, is)| holds(leaves, *component, is)))
    }

    /// Cuts a message whose segments end with a carriage return or a line feed.
    pub(crate) fn parse(text: &str) -> Result<Self, NotAMessage> {
        let marks = Marks::of(text)?;
        let mut message = Self::default();
        for (index, line) in text.split(['\r', '\n']).filter(|line| !line.trim().is_empty()).enumerate() {
            message.add_segment(line, marks).ok_or(NotAMessage::NoSegment(index + 1))?;
            if message.leaves.len().max(message.segments.len()) > UNIT_ELEMENTS_MAX {
                return Err(NotAMessage::TooMany);
            }
        }
        Ok(message)
    }

    fn add_segment(&mut self, line: &str, marks: Marks) -> Option<()> {
        let name = line.get(..3)?;
        let is_name = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let rest = line.get(3..)?;
        let fields = match rest.strip_prefix(marks.field) {
            Some(fields) => fields,
            None if rest.is_empty() => "",
            None => return None,
        };
        if !is_name {
            return None;
        }
        self.raw.push_str(line);
        self.raw.push('\r');
        let first = self.leaves.len();
        let mut before = 0;
        let mut fields = fields.split(marks.field);
        if name == "MSH" {
            let mut mark = [0; 4];
            self.add_leaf((1, 1, 1, 1), marks.field.encode_utf8(&mut mark), None);
            self.add_leaf((2, 1, 1, 1), fields.next().unwrap_or_default(), None);
            before = 2;
        }
        for (index, field) in fields.enumerate() {
            self.add_field(before + index + 1, field, marks);
        }
        self.segments.push(Segment { name: name.to_owned(), first, end: self.leaves.len() });
        Some(())
    }

    fn add_field(&mut self, number: usize, field: &str, marks: Marks) {
        if field.is_empty() {
            return;
        }
        for (repetition, text) in field.split(marks.repetition).enumerate() {
            for (component, text) in text.split(marks.component).enumerate() {
                for (part, text) in text.split(marks.part).enumerate() {
                    self.add_leaf((number, repetition + 1, component + 1, part + 1), text, Some(marks));
                }
            }
        }
    }

    fn add_leaf(&mut self, at: (usize, usize, usize, usize), text: &str, marks: Option<Marks>) {
        // One too many is enough to know; no more are held.
        if text.is_empty() || self.leaves.len() > UNIT_ELEMENTS_MAX {
            return;
        }
        let start = self.text.len();
        match marks {
            Some(marks) if text.contains(marks.escape) => decode(text, marks, &mut self.text),
            _ => self.text.push_str(text),
        }
        let (field, repetition, component, part) = at;
        self.leaves.push(Leaf { field, repetition, component, part, start, end: self.text.len() });
    }
}

impl Marks {
    fn of(text: &str) -> Result<Self, NotAMessage> {
        let mut rest = text.strip_prefix("MSH").ok_or(NotAMessage::NoHead)?.chars();
        let mut next = || rest.next().filter(|mark| !mark.is_alphanumeric() && !mark.is_control());
        let (Some(field), Some(component)) = (next(), next()) else { return Err(NotAMessage::NoHead) };
        if field == component {
            return Err(NotAMessage::NoHead);
        }
        let usual = Self::default();
        let mut rest = rest.take_while(|mark| *mark != field && !mark.is_control());
        Ok(Self {
            field,
            component,
            repetition: rest.next().unwrap_or(usual.repetition),
            escape: rest.next().unwrap_or(usual.escape),
            part: rest.next().unwrap_or(usual.part),
        })
    }
}

/// Writes escaped text as what it stands for. An escape that is not known is left as it is.
fn decode(text: &str, marks: Marks, into: &mut String) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(marks.escape) {
        into.push_str(before);
        let Some((escape, next)) = after.split_once(marks.escape) else {
            into.push(marks.escape);
            rest = after;
            continue;
        };
        match escape {
            "F" => into.push(marks.field),
            "S" => into.push(marks.component),
            "R" => into.push(marks.repetition),
            "E" => into.push(marks.escape),
            "T" => into.push(marks.part),
            ".br" | ".BR" => into.push('\n'),
            "H" | "N" => {}
            _ => {
                let Some(decoded) = escape.strip_prefix('X').and_then(hex) else {
                    into.push(marks.escape);
                    into.push_str(escape);
                    // The mark that ended it may begin the next one.
                    rest = after.get(escape.len()..).unwrap_or_default();
                    continue;
                };
                into.push_str(&decoded);
            }
        }
        rest = next;
    }
    into.push_str(rest);
}

fn hex(digits: &str) -> Option<String> {
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let bytes: Option<Vec<u8>> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect();
    String::from_utf8(bytes?).ok()
}
