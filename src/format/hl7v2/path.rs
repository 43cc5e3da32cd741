//! Paths into a message: `PID-3[5=NHS].1`, `PID-3[5=MR|MRN].1`, `PV1-19.1`, `OBX[2]-5`, `PID-3[2].1`, `PID-5.1.2`.

use crate::format::Cell;
use crate::format::address::UnknownAddress;
use crate::format::hl7v2::Message;

/// A compiled path into a message. Everything counts from 1, as the standard does; what is left
/// out is 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePath {
    pub(crate) segment: String,
    pub(crate) occurrence: usize,
    pub(crate) field: usize,
    pub(crate) repetition: Repetition,
    pub(crate) component: usize,
    pub(crate) part: usize,
}

/// Which repetition of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Repetition {
    /// That one, from 1.
    Number(usize),
    /// The first in which each of these components is that text, or one of several: `MR|MRN`, of which
    /// the first is written.
    Where(Vec<(usize, String)>),
}

/// The longest published segment has fewer than 100 fields; a path beyond this is a mistake.
const NUMBER_MAX: usize = 999;

impl MessagePath {
    /// The first component of a field of the first such segment.
    pub(crate) fn of(segment: &str, field: usize) -> Self {
        let repetition = Repetition::Number(1);
        Self { segment: segment.to_owned(), occurrence: 1, field, repetition, component: 1, part: 1 }
    }

    /// True for text that begins as a path into a message does: `PID-` or `OBX[2]-`.
    #[must_use]
    pub fn looks_like(address: &str) -> bool {
        let bytes = address.trim().as_bytes();
        let is_segment = |name: &[u8]| {
            name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
                && name.first().is_some_and(u8::is_ascii_uppercase)
        };
        match bytes {
            [a, b, c, b'-' | b'[', next, ..] => is_segment(&[*a, *b, *c]) && next.is_ascii_digit(),
            _ => false,
        }
    }

    /// Compiles a path.
    pub fn parse(address: &str) -> Result<Self, UnknownAddress> {
        let address = address.trim();
        let (head, tail) = address.split_once('-').ok_or_else(refuse)?;
        let (segment, occurrence) = match head.split_once('[') {
            None => (head, 1),
            Some((segment, number)) => (segment, number_of(number.strip_suffix(']').ok_or_else(refuse)?)?),
        };
        let is_name = segment.len() == 3
            && segment.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !is_name {
            return Err(refuse());
        }
        let (field, repetition, after) = match tail.split_once('[') {
            None => {
                let (field, after) =
                    tail.split_once('.').map_or((tail, None), |(field, after)| (field, Some(after)));
                (field, Repetition::Number(1), after)
            }
            Some((field, rest)) => {
                let (inside, after) = rest.split_once(']').ok_or_else(refuse)?;
                let after = match after.strip_prefix('.') {
                    Some(after) => Some(after),
                    None if after.is_empty() => None,
                    None => return Err(refuse()),
                };
                (field, repetition_of(inside)?, after)
            }
        };
        let (component, part) = match after.map(|after| after.split_once('.').unwrap_or((after, "1"))) {
            None => (1, 1),
            Some((component, part)) => (number_of(component)?, number_of(part)?),
        };
        let field = number_of(field)?;
        Ok(Self { segment: segment.to_owned(), occurrence, field, repetition, component, part })
    }

    /// What stands there: `""` says that the old value is to be taken away.
    #[must_use]
    pub fn cell<'u>(&self, message: &'u Message) -> Cell<'u> {
        match message.find(self) {
            None => Cell::Absent,
            Some("\"\"") => Cell::Delete,
            Some(text) if text.trim().is_empty() => Cell::Absent,
            Some(text) => Cell::Text(text),
        }
    }
}

fn repetition_of(inside: &str) -> Result<Repetition, UnknownAddress> {
    if !inside.contains('=') {
        return number_of(inside).map(Repetition::Number);
    }
    let mut conditions = Vec::new();
    for condition in inside.split(',') {
        let (component, is) = condition.split_once('=').ok_or_else(refuse)?;
        conditions.push((number_of(component.trim())?, is.trim().to_owned()));
    }
    Ok(Repetition::Where(conditions))
}

fn number_of(text: &str) -> Result<usize, UnknownAddress> {
    match text.parse() {
        Ok(number) if (1..=NUMBER_MAX).contains(&number) => Ok(number),
        _ => Err(refuse()),
    }
}

fn refuse() -> UnknownAddress {
    UnknownAddress {
        reason: String::from(
            "expected a path such as `PID-3[5=NHS].1`, `PV1-19.1` or `OBX[2]-5`, counting from 1",
        ),
        nearest: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{MessagePath, Repetition};

    #[test]
    fn reads_each_part() {
        let path = MessagePath::parse("PID-3[5=NHS,4=x.y].1").unwrap();
        assert_eq!((path.field, path.component, path.part), (3, 1, 1));
        assert_eq!(path.repetition, Repetition::Where(vec![(5, "NHS".into()), (4, "x.y".into())]));
        let path = MessagePath::parse("OBX[2]-5[3].2.4").unwrap();
        assert_eq!((path.occurrence, path.field, path.component, path.part), (2, 5, 2, 4));
        assert_eq!(path.repetition, Repetition::Number(3));
        assert_eq!(MessagePath::parse("PID-7").unwrap().component, 1);
    }

    #[test]
    fn refuses_what_is_none() {
        for address in [
            "",
            "PID",
            "PID-",
            "PID-0",
            "pid-3",
            "PIDX-3",
            "PID-3[",
            "PID-3[]",
            "PID-3[=x]",
            "PID-3]1",
            "PID-3.x",
            "PID-3[1]2",
        ] {
            assert!(MessagePath::parse(address).is_err(), "{address}");
        }
    }
}
