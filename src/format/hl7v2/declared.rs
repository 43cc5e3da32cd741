//! Which character set a file's messages declare (MSH-18).

use std::io::{self, Read, SeekFrom};

use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;
use crate::format::charset::Charset;
use crate::format::source::Source;

/// Bytes in which the first header segment stands.
const HEAD_BYTES_MAX: u64 = 4096;

/// The encoding that the first message declares; none where it declares none, or plain ASCII, and
/// the bytes themselves decide.
pub(super) fn declared(
    source: &mut dyn Source,
    file: &Origin,
) -> io::Result<Result<Option<Charset>, Box<Finding>>> {
    let mut head = Vec::new();
    source.seek(SeekFrom::Start(0))?;
    source.take(HEAD_BYTES_MAX).read_to_end(&mut head)?;
    source.seek(SeekFrom::Start(0))?;
    let Some(name) = first_of(&head) else { return Ok(Ok(None)) };
    Ok(charset_of(&name).map_err(|Unread| {
        let text = "expected messages in UTF-8 or Latin 1, found a character set declared in MSH-18 that is not read";
        let origin = file.clone().at_path("MSH-18");
        Box::new(Finding::new(Code::CharsetUndecided, origin, text))
    }))
}

/// A character set that is not read.
pub(super) struct Unread;

/// The encoding of a name of HL7 table 0211.
pub(super) fn charset_of(name: &str) -> Result<Option<Charset>, Unread> {
    match name.trim().to_ascii_uppercase().as_str() {
        // Feeds that say ASCII, the default, do send accents: the bytes decide.
        "" | "ASCII" | "\"\"" => Ok(None),
        "UNICODE UTF-8" | "UTF-8" | "UNICODE" | "UTF8" => Ok(Some(Charset::Utf8)),
        // What calls itself Latin 1 is read as Windows-1252, which has all its letters and more.
        "8859/1" | "ISO-8859-1" | "WINDOWS-1252" => Ok(Some(Charset::Windows1252)),
        // Their first bytes say so themselves.
        "UNICODE UTF-16" | "UTF-16" => Ok(None),
        _ => Err(Unread),
    }
}

/// MSH-18 of the first message, by the marks of that message.
fn first_of(head: &[u8]) -> Option<String> {
    let at = memchr::memmem::find(head, b"MSH")?;
    let segment = head.get(at..)?.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let field = *segment.get(3)?;
    let repetition = *segment.get(5)?;
    let declared = segment.split(|byte| *byte == field).nth(17)?;
    let first = declared.split(|byte| *byte == repetition).next()?;
    String::from_utf8(first.to_vec()).ok()
}
