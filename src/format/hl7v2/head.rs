//! The first segment of a message as bytes, for those who carry messages: whom it is from and for,
//! its control id, and how it wants to be acknowledged, before anything else of it is read.

use super::declared;
use crate::format::charset::Charset;

/// Bytes of a field of the head that are looked at: HL7's longest, an address of a sender, has 227.
const FIELD_BYTES_MAX: usize = 256;

/// The first segment of a message. Its fields are as they were sent, escapes and all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What stands between fields.
    pub(super) mark: u8,
    /// From MSH-2 on.
    fields: Vec<Vec<u8>>,
}

/// Which character set a message is in, for those who put several into one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// It declares one.
    Declared(Option<Charset>),
    /// It declares none, and its bytes are ASCII.
    Plain,
    /// It declares none, and its bytes are UTF-8.
    Utf8,
    /// It declares none, and its bytes are of one of the older sets.
    Older,
}

impl Head {
    /// The head of a message; none where it begins with none.
    #[must_use]
    pub fn of(message: &[u8]) -> Option<Self> {
        let rest = message.strip_prefix(b"MSH")?;
        let segment = rest.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
        let (mark, fields) = segment.split_first()?;
        if mark.is_ascii_alphanumeric() || mark.is_ascii_control() || !mark.is_ascii() {
            return None;
        }
        let fields: Vec<Vec<u8>> = fields.split(|byte| byte == mark).map(<[u8]>::to_vec).collect();
        // The characters that cut it: `^~\&`, of which the first two are always there.
        let cuts = fields.first()?;
        let is_cut = cuts.len() >= 2 && cuts.iter().all(|cut| cut.is_ascii_punctuation() && cut != mark);
        is_cut.then_some(Self { mark: *mark, fields })
    }

    /// A field, as MSH-3 is called 3; empty where there is none, or it is longer than any is.
    #[must_use]
    pub fn field(&self, number: usize) -> &[u8] {
        let found = number.checked_sub(2).and_then(|index| self.fields.get(index));
        found.map(Vec::as_slice).filter(|field| field.len() <= FIELD_BYTES_MAX).unwrap_or_default()
    }

    /// True where a field is longer than any is.
    #[must_use]
    pub fn is_too_long(&self, number: usize) -> bool {
        let found = number.checked_sub(2).and_then(|index| self.fields.get(index));
        found.is_some_and(|field| field.len() > FIELD_BYTES_MAX)
    }

    /// A component of a field, from 1.
    #[must_use]
    pub fn component(&self, number: usize, component: usize) -> &[u8] {
        let cut = self.fields.first().and_then(|cuts| cuts.first()).copied().unwrap_or(b'^');
        let mut parts = self.field(number).split(|byte| *byte == cut);
        parts.nth(component.saturating_sub(1)).unwrap_or_default()
    }

    /// The control id by which an acknowledgement names the message.
    #[must_use]
    pub fn control_id(&self) -> &[u8] {
        self.field(10)
    }

    /// The characters that cut it, from MSH-1 on; the usual one where it leaves one out.
    pub(super) fn cuts(&self) -> [u8; 5] {
        let cuts = self.fields.first().map(Vec::as_slice).unwrap_or_default();
        let at = |index: usize, usual: u8| cuts.get(index).copied().unwrap_or(usual);
        [self.mark, at(0, b'^'), at(1, b'~'), at(2, b'\\'), at(3, b'&')]
    }
}

/// A message with fields of its head set anew, each only where it stands empty or `is_always`.
#[must_use]
pub fn with_head(message: &[u8], set: &[(usize, &[u8], bool)]) -> Option<Vec<u8>> {
    let mut head = Head::of(message)?;
    let length = message.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(message.len());
    for (number, value, is_always) in set {
        let index = number.checked_sub(2)?;
        if head.fields.len() <= index {
            head.fields.resize(index + 1, Vec::new());
        }
        let field = head.fields.get_mut(index)?;
        if *is_always || field.is_empty() {
            *field = value.to_vec();
        }
    }
    let mut made = b"MSH".to_vec();
    for field in &head.fields {
        made.push(head.mark);
        made.extend_from_slice(field);
    }
    made.extend_from_slice(message.get(length..).unwrap_or_default());
    Some(made)
}

impl Letters {
    /// Of which set a message is.
    #[must_use]
    pub fn of(message: &[u8]) -> Self {
        let head = Head::of(message);
        let cut = head.as_ref().map_or(b'~', |head| head.cuts()[2]);
        let field = head.as_ref().map(|head| head.field(18)).unwrap_or_default();
        let first = field.split(|byte| *byte == cut).next().unwrap_or_default();
        match std::str::from_utf8(first).map(declared::charset_of) {
            Ok(Ok(None)) => {}
            Ok(Ok(declared)) => return Self::Declared(declared),
            _ => return Self::Declared(None),
        }
        match std::str::from_utf8(message) {
            _ if message.is_ascii() => Self::Plain,
            Ok(_text) => Self::Utf8,
            Err(_older) => Self::Older,
        }
    }

    /// The set of both together; none where they do not go into one file.
    #[must_use]
    pub fn with(self, next: Self) -> Option<Self> {
        match (self, next) {
            (one, other) if one == other => Some(one),
            (Self::Plain, other @ (Self::Utf8 | Self::Older))
            | (other @ (Self::Utf8 | Self::Older), Self::Plain) => Some(other),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Head, Letters, with_head};

    const MESSAGE: &[u8] = b"MSH|^~\\&|TRUST|TAH|WAYLEAVE|WL|20250301090000||ADT^A31|M1|P|2.4\rPID|1\r";

    #[test]
    fn a_head_is_read_by_its_own_marks() {
        let head = Head::of(MESSAGE).unwrap();
        assert_eq!(head.field(3), b"TRUST");
        assert_eq!(head.component(9, 2), b"A31");
        assert_eq!(head.control_id(), b"M1");
        assert_eq!(head.field(18), b"");
        let odd = Head::of(b"MSH*:~\\&*A").unwrap();
        assert_eq!((odd.field(3), odd.cuts()), (b"A".as_slice(), *b"*:~\\&"));
        for none in [b"".as_slice(), b"MSH", b"PID|1", b"MSH|", b"MSHx^~", b"MSH||^~"] {
            assert_eq!(Head::of(none), None, "{}", String::from_utf8_lossy(none));
        }
    }

    #[test]
    fn a_head_takes_what_it_lacks() {
        let set: [(usize, &[u8], bool); 3] = [(3, b"X", false), (10, b"N9", true), (13, b"7", false)];
        let made = with_head(MESSAGE, &set).unwrap();
        let expected = "MSH|^~\\&|TRUST|TAH|WAYLEAVE|WL|20250301090000||ADT^A31|N9|P|2.4|7\rPID|1\r";
        assert_eq!(String::from_utf8(made).unwrap(), expected);
    }

    #[test]
    fn messages_of_one_set_go_into_one_file() {
        let of = |charset: &str, name: &[u8]| {
            let mut message =
                format!("MSH|^~\\&|||||||ADT^A31|M1|P|2.4||||||{charset}\rPID|1||||").into_bytes();
            message.extend_from_slice(name);
            Letters::of(&message)
        };
        let (plain, utf8, older) = (of("", b"Fell"), of("", "F\u{e9}".as_bytes()), of("", b"F\xe9"));
        assert_eq!(plain.with(utf8), Some(utf8));
        assert_eq!(older.with(plain), Some(older));
        assert_eq!(utf8.with(older), None);
        assert_eq!(of("8859/1", b"F\xe9").with(older), None);
        assert_eq!(of("8859/1~X", b"F\xe9").with(of("8859/1", b"F")), Some(of("8859/1", b"")));
    }
}
