//! Which encoding a document declares (XML 1.0, section 4.3.3 and appendix F).

use std::io::{self, Read, SeekFrom};

use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;
use crate::format::charset::Charset;
use crate::format::source::Source;

/// Bytes in which an XML declaration stands, if there is one.
const DECLARATION_BYTES_MAX: u64 = 256;

/// The encoding to hold a document to; none where its first bytes say more than its declaration.
pub(super) fn declared(
    source: &mut dyn Source,
    file: &Origin,
) -> io::Result<Result<Option<Charset>, Box<Finding>>> {
    let mut start = Vec::new();
    source.seek(SeekFrom::Start(0))?;
    source.take(DECLARATION_BYTES_MAX).read_to_end(&mut start)?;
    source.seek(SeekFrom::Start(0))?;
    let start = start.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(&start);
    let is_wide = matches!(start, [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, ..] | [_, 0, ..]);
    if is_wide {
        return Ok(Ok(None));
    }
    let name = match encoding_of(start) {
        None => return Ok(Ok(Some(Charset::Utf8))),
        Some(name) => name.to_ascii_lowercase(),
    };
    // What calls itself Latin-1 is read as Windows-1252, which has all its letters and more.
    let charset = match name.as_str() {
        "iso-8859-1" | "iso8859-1" | "latin1" => Some(Charset::Windows1252),
        "us-ascii" | "ascii" => Some(Charset::Utf8),
        name => Charset::find(name),
    };
    if charset.is_some() {
        return Ok(Ok(charset));
    }
    let text = "expected UTF-8, UTF-16 or Windows-1252, found a document that declares another encoding";
    Ok(Err(Box::new(Finding::new(Code::CharsetUndecided, file.clone(), text))))
}

/// The encoding that an XML declaration names.
fn encoding_of(start: &[u8]) -> Option<&str> {
    let declaration = start.strip_prefix(b"<?xml")?;
    let end = declaration.iter().position(|byte| *byte == b'>')?;
    let declaration = std::str::from_utf8(declaration.get(..end)?).ok()?;
    let (_, after) = declaration.split_once("encoding")?;
    let after = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
    after.get(1..)?.split(quote).next()
}
