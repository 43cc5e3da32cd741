//! From what was seen of a file's bytes to its encoding, in the sender's words.

use super::{Charset, Decided, Seen};
use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;

/// One control byte in this many is more than any text has.
const CONTROLS_ONE_IN: u64 = 200;

type Judged = Result<(Decided, Option<Finding>), Box<Finding>>;

pub(super) fn judge(seen: &Seen, declared: Option<Charset>, file: &Origin) -> Judged {
    let mark = mark_of(&seen.start);
    let mark_bytes = mark.map_or(0, |(_, bytes)| bytes);
    if seen.bytes <= mark_bytes {
        return Err(refuse(Code::FileEmpty, file.clone(), "expected rows or messages, found an empty file"));
    }
    if let Some(what) = other_format(&seen.start) {
        return Err(refuse(Code::FileBinary, file.clone(), format!("expected a text file, found {what}")));
    }
    let charset = match (declared, mark) {
        (Some(declared), Some((marked, _))) => agreed(declared, marked, file)?,
        (Some(declared), None) => declared,
        (None, Some((marked, _))) => marked,
        (None, None) => guess(seen, file)?,
    };
    check(seen, charset, declared.is_some(), file)?;
    let decided =
        Decided { charset, mark_bytes, lines_end_with_cr: seen.line_feeds == 0 && seen.carriage_returns > 0 };
    let note = declared.is_none().then(|| note(seen, charset, mark.is_some(), file));
    Ok((decided, note))
}

fn mark_of(start: &[u8]) -> Option<(Charset, u64)> {
    match start {
        [0xEF, 0xBB, 0xBF, ..] => Some((Charset::Utf8, 3)),
        [0xFF, 0xFE, ..] => Some((Charset::Utf16Le, 2)),
        [0xFE, 0xFF, ..] => Some((Charset::Utf16Be, 2)),
        _ => None,
    }
}

fn other_format(start: &[u8]) -> Option<&'static str> {
    match start {
        [b'P', b'K', 3, 4, ..] => Some("an Excel workbook or a ZIP file"),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => Some("an old Excel (.xls) or password-protected Office file"),
        [b'%', b'P', b'D', b'F', ..] => Some("a PDF"),
        [0x1F, 0x8B, ..] => Some("a gzip file"),
        [0x89, b'P', b'N', b'G', ..] | [0xFF, 0xD8, 0xFF, ..] => Some("a picture"),
        _ => None,
    }
}

fn agreed(declared: Charset, marked: Charset, file: &Origin) -> Result<Charset, Box<Finding>> {
    let is_utf16 = |charset| matches!(charset, Charset::Utf16Le | Charset::Utf16Be);
    if declared == marked || (is_utf16(declared) && is_utf16(marked)) {
        return Ok(marked);
    }
    Err(refuse(
        Code::CharsetMismatch,
        file.clone(),
        format!("expected {}, found a file that marks itself as {}", declared.said(), marked.said()),
    ))
}

fn guess(seen: &Seen, file: &Origin) -> Result<Charset, Box<Finding>> {
    if seen.nulls.saturating_mul(3) > seen.bytes {
        // Of ordinary letters in UTF-16 every second byte is null.
        if seen.nulls_at_odd == seen.nulls {
            return Ok(Charset::Utf16Le);
        }
        if seen.nulls_at_odd == 0 {
            return Ok(Charset::Utf16Be);
        }
    }
    match (seen.not_utf8, seen.not_1252) {
        (None, _) => Ok(Charset::Utf8),
        (Some(_), None) => Ok(Charset::Windows1252),
        (Some((line, byte)), Some(_)) if seen.nulls == 0 => Err(refuse(
            Code::CharsetUndecided,
            file.clone().at_line(line).at_byte(byte),
            "expected UTF-8, UTF-16 or Windows-1252, found bytes that are none of them throughout",
        )),
        _ => Err(binary(file, seen.first_null.unwrap_or_default())),
    }
}

fn check(seen: &Seen, charset: Charset, is_declared: bool, file: &Origin) -> Result<(), Box<Finding>> {
    if matches!(charset, Charset::Utf16Le | Charset::Utf16Be) {
        return Ok(());
    }
    if let Some(byte) = seen.first_null {
        return Err(binary(file, byte));
    }
    if seen.controls > 0 && seen.controls.saturating_mul(CONTROLS_ONE_IN) > seen.bytes {
        return Err(refuse(
            Code::FileBinary,
            file.clone(),
            "expected a text file, found bytes that no text has",
        ));
    }
    let mismatch = |(line, byte), found: &str| {
        let expected = format!("expected {} throughout, found {found}", charset.said());
        Err(refuse(Code::CharsetMismatch, file.clone().at_line(line).at_byte(byte), expected))
    };
    match (charset, seen.not_utf8, seen.not_1252) {
        (Charset::Utf8, Some(at), _) => mismatch(at, "a character that is not"),
        (Charset::Windows1252, _, Some(at)) => mismatch(at, "a byte that has no meaning in it"),
        (Charset::Windows1252, None, None) if !seen.is_ascii && is_declared => {
            let said = charset.said();
            let text =
                format!("expected {said}, found a file whose accented letters are all written as UTF-8");
            let hint = "set `encoding = \"utf-8\"` in the mapping, or save the file as ANSI";
            Err(Box::new(Finding::new(Code::CharsetMismatch, file.clone(), text).hint(hint)))
        }
        _ => Ok(()),
    }
}

fn binary(file: &Origin, byte: u64) -> Box<Finding> {
    refuse(
        Code::FileBinary,
        file.clone().at_byte(byte),
        "expected a text file, found null bytes, which no text has",
    )
}

fn refuse(code: Code, origin: Origin, text: impl Into<String>) -> Box<Finding> {
    Box::new(Finding::new(code, origin, text))
}
fn note(seen: &Seen, charset: Charset, is_marked: bool, file: &Origin) -> Finding {
    let why = match (is_marked, seen.is_ascii, charset) {
        (true, _, _) => String::from("the file marks itself so"),
        (false, true, _) => String::from("it holds plain letters only"),
        (false, false, Charset::Windows1252) => {
            let (line, _) = seen.not_utf8.unwrap_or_default();
            format!("line {line} has a character that is not UTF-8")
        }
        (false, false, _) => String::from("every character of it is"),
    };
    Finding::new(Code::CharsetDecided, file.clone(), format!("read as {}: {why}", charset.said()))
}
