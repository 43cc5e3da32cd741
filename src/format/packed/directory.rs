//! How many files a ZIP file says it holds, before a library makes a list of them.

use std::io::{self, Read, Seek, SeekFrom};

use crate::base::limit::ARCHIVE_FILES_MAX;
use crate::format::charset::count;

/// The end of a ZIP file: its last record, a remark of up to 64 KB, and what points to the record
/// of a file with more (APPNOTE, sections 4.3.14 to 4.3.16).
const TAIL_BYTES: u64 = 22 + 65_535 + 20;

/// Begins what points to the larger record.
const POINTER: &[u8] = b"PK\x06\x07";

/// Begins the larger record; the number of files stands 32 bytes into it.
const RECORD: &[u8] = b"PK\x06\x06";
const NUMBER_AT: usize = 32;

/// True for a file of the larger form that names more files than one of the ordinary form can. Each
/// costs some hundred bytes of memory, and 46 in the file.
pub(super) fn has_too_many(source: &mut (impl Read + Seek)) -> io::Result<bool> {
    let length = source.seek(SeekFrom::End(0))?;
    let mut tail = Vec::new();
    source.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    source.by_ref().take(TAIL_BYTES).read_to_end(&mut tail)?;
    let mut too_many = false;
    for at in memchr::memmem::find_iter(&tail, POINTER) {
        let Some(place) = number(&tail, at + 8).filter(|place| *place < length) else { continue };
        source.seek(SeekFrom::Start(place))?;
        let mut record = Vec::new();
        source.by_ref().take(count(NUMBER_AT + 8)).read_to_end(&mut record)?;
        let files = number(&record, NUMBER_AT).filter(|_| record.starts_with(RECORD));
        too_many |= files.is_some_and(|files| files > ARCHIVE_FILES_MAX);
    }
    source.seek(SeekFrom::Start(0))?;
    Ok(too_many)
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}
