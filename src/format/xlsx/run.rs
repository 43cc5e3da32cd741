//! Text as a workbook holds it: in runs, escaped twice, with readings of it that are not read.

use super::markup::{Broken, attribute, is_empty, is_end, name_of};
use crate::base::limit::CELL_BYTES_MAX;

/// Bytes of escaped text that are held: the longest cell with every letter escaped.
const RAW_BYTES_MAX: usize = 6 * (CELL_BYTES_MAX + 1);

/// Gathers the text of one cell or of one shared text.
#[derive(Default)]
pub(super) struct Run {
    raw: Vec<u8>,
    text: String,
    is_open: bool,
    is_kept_whole: bool,
    /// Within a reading (phonetic run), which is no part of the text.
    is_reading: bool,
}

impl Run {
    pub(super) fn clear(&mut self) {
        self.raw.clear();
        self.text.clear();
        (self.is_open, self.is_reading) = (false, false);
    }

    /// Takes a tag from within the text.
    pub(super) fn tag(&mut self, tag: &[u8]) -> Result<(), Broken> {
        match (name_of(tag), is_end(tag)) {
            (b"rPh", is_end) => self.is_reading = !is_end && !is_empty(tag),
            (b"t", false) if !self.is_reading && !is_empty(tag) => {
                self.raw.clear();
                self.is_open = true;
                self.is_kept_whole = attribute(tag, "space").is_some_and(|space| space == "preserve");
            }
            (b"t", true) if self.is_open => {
                self.is_open = false;
                let raw = if self.is_kept_whole { self.raw.as_slice() } else { self.raw.trim_ascii() };
                unescape(raw, &mut self.text)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a piece of text, if it is any of this one's.
    pub(super) fn piece(&mut self, piece: &[u8], is_plain: bool) {
        if self.is_open {
            append(&mut self.raw, piece, is_plain);
        }
    }

    /// The text: one longer than any cell may be is cut, and still too long.
    pub(super) fn text(&self) -> &str {
        cut(&self.text)
    }
}

/// Adds a piece of text to what is held of it, escaped.
pub(super) fn append(raw: &mut Vec<u8>, piece: &[u8], is_plain: bool) {
    let room = RAW_BYTES_MAX.saturating_sub(raw.len());
    if !is_plain {
        raw.extend_from_slice(piece.get(..piece.len().min(room)).unwrap_or_default());
        return;
    }
    for byte in piece.iter().take(room / 5) {
        match byte {
            b'&' => raw.extend_from_slice(b"&amp;"),
            byte => raw.push(*byte),
        }
    }
}

/// A text that is longer than any cell may be, cut to the first length that still is.
pub(super) fn cut(text: &str) -> &str {
    if text.len() <= CELL_BYTES_MAX {
        return text;
    }
    let mut end = CELL_BYTES_MAX + 1;
    while !text.is_char_boundary(end) {
        end += 1;
    }
    text.get(..end).unwrap_or(text)
}

/// Adds escaped text to a text: entities (XML 1.0, section 4.6), line ends (section 2.11), and the
/// `_x000D_` of ECMA-376 part 1, section 22.9.2.19.
pub(super) fn unescape(raw: &[u8], into: &mut String) -> Result<(), Broken> {
    let whole = match std::str::from_utf8(raw) {
        Ok(text) => text,
        // Cut off where too much was held: half a letter at the end.
        Err(error) if raw.len() >= RAW_BYTES_MAX && error.error_len().is_none() => {
            std::str::from_utf8(raw.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => return Err(Broken::Damaged),
    };
    if memchr::memchr3(b'&', b'\r', b'_', raw).is_none() {
        into.push_str(whole);
        return Ok(());
    }
    let text = whole.replace("\r\n", "\n").replace('\r', "\n");
    let text = match quick_xml::escape::unescape(&text) {
        Ok(text) => text,
        // An entity cut in two there.
        Err(_) if raw.len() >= RAW_BYTES_MAX => std::borrow::Cow::Borrowed(whole),
        Err(_) => return Err(Broken::Damaged),
    };
    let mut rest = text.as_ref();
    let mut units = Vec::new();
    while let Some(at) = rest.find('_') {
        let (before, from) = rest.split_at(at);
        match unit_of(from) {
            Some(unit) => {
                flush_before(before, &mut units, into);
                units.push(unit);
                rest = from.get(ESCAPE_BYTES..).unwrap_or_default();
            }
            None => {
                flush_before(before, &mut units, into);
                flush(&mut units, into);
                into.push('_');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    flush_before(rest, &mut units, into);
    flush(&mut units, into);
    Ok(())
}

/// Bytes of `_x000D_`.
const ESCAPE_BYTES: usize = 7;

/// The UTF-16 unit that an escape stands for.
fn unit_of(text: &str) -> Option<u16> {
    let digits = text.get(..ESCAPE_BYTES)?.strip_prefix("_x")?.strip_suffix('_')?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

/// Units that stand side by side may be one letter; text between them parts them.
fn flush_before(before: &str, units: &mut Vec<u16>, into: &mut String) {
    if !before.is_empty() {
        flush(units, into);
        into.push_str(before);
    }
}

fn flush(units: &mut Vec<u16>, into: &mut String) {
    into.extend(char::decode_utf16(units.drain(..)).map(|letter| letter.unwrap_or('\u{fffd}')));
}

#[cfg(test)]
mod tests {
    use super::unescape;

    fn check(raw: &str, expected: Option<&str>) {
        let mut text = String::new();
        let read = unescape(raw.as_bytes(), &mut text).ok().map(|()| text.as_str());
        assert_eq!(read, expected, "{raw}");
    }

    #[test]
    fn text_is_unescaped_twice() {
        check("plain", Some("plain"));
        check("a &amp; b &#233; &#xE9;", Some("a & b é é"));
        check("one\r\ntwo\rthree", Some("one\ntwo\nthree"));
        check("one_x000D_\ntwo", Some("one\r\ntwo"));
        check("_x005F_x000D_", Some("_x000D_"));
        check("_xD83D__xDE00_ _xD83D_", Some("😀 \u{fffd}"));
        check("snake_case _x12_ _", Some("snake_case _x12_ _"));
        check("&nosuch;", None);
        check("&", None);
    }
}
