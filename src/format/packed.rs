//! One file inside a ZIP or gzip, found by its first bytes and unpacked within bounds.

use std::io::{self, Read, Seek, SeekFrom, Write};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::base::finding::{Code, Finding};
use crate::base::limit::UNPACKED_RATIO_FREE_BYTES;
use crate::base::origin::Origin;
use crate::format::charset::count;
use crate::format::settings::Limits;
use crate::format::source::{Source, Spool};
use crate::format::{FormatError, Refused};

/// Bytes unpacked at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// The file itself or, where it is packed, what is in it, unpacked into a private file; and a
/// note that it was. A workbook is a ZIP file too, and is left as it is.
pub(crate) fn unpack(
    mut source: Box<dyn Source>,
    limits: &Limits,
    file: &Origin,
    spool: &dyn Spool,
) -> Result<(Box<dyn Source>, Option<Finding>), Refused> {
    let magic = magic_of(source.as_mut())?;
    let bounds = Bounds { limits: *limits, packed_bytes: length_of(source.as_mut())? };
    let unpacked = match magic {
        [0x1F, 0x8B, ..] => {
            let unpacked = spool_of(&mut flate2::read::MultiGzDecoder::new(source), bounds, spool, file)?;
            (unpacked, "unpacked the gzip file")
        }
        [b'P', b'K', 3, 4] => match unzip(&mut source, bounds, spool, file)? {
            Some(unpacked) => (unpacked, "unpacked the one file inside the ZIP file"),
            None => return Ok((source, None)),
        },
        [b'P', b'K', 5, 6] => {
            let text = "expected one file inside the ZIP file, found none";
            return Err(Finding::new(Code::PackedCount, file.clone(), text).into());
        }
        _ => return Ok((source, None)),
    };
    let (unpacked, text) = unpacked;
    Ok((unpacked, Some(Finding::new(Code::PackedUnpacked, file.clone(), text))))
}

/// Unpacks all of a ZIP file into nothing, since what it says of its own sizes may be false. Each
/// piece is shown with the name of its entry, for a look in passing.
pub(crate) fn check_zip(
    source: &mut dyn Source,
    limits: &Limits,
    file: &Origin,
    show: &mut dyn FnMut(&str, &[u8]),
) -> Result<(), Refused> {
    let bounds = Bounds { limits: *limits, packed_bytes: length_of(source)? };
    let mut archive = ZipArchive::new(&mut *source).map_err(|error| zip_fault(error, file))?;
    let mut total = 0;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| zip_fault(error, file))?;
        let name = entry.name().map(std::borrow::Cow::into_owned).map_err(|error| zip_fault(error, file))?;
        let mut shown = Shown { name: &name, show: &mut *show };
        total = bounds.copy(&mut entry, &mut shown, total, file)?;
    }
    drop(archive);
    source.seek(SeekFrom::Start(0))?;
    Ok(())
}

/// Shows what is written to it.
struct Shown<'s> {
    name: &'s str,
    show: &'s mut dyn FnMut(&str, &[u8]),
}

impl Write for Shown<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        (self.show)(self.name, piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn magic_of(source: &mut dyn Source) -> io::Result<[u8; 4]> {
    source.seek(SeekFrom::Start(0))?;
    let mut magic = Vec::new();
    source.take(4).read_to_end(&mut magic)?;
    source.seek(SeekFrom::Start(0))?;
    Ok(magic.try_into().unwrap_or_default())
}

fn length_of(source: &mut dyn Source) -> io::Result<u64> {
    let length = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(0))?;
    Ok(length)
}

fn unzip(
    source: &mut Box<dyn Source>,
    bounds: Bounds,
    spool: &dyn Spool,
    file: &Origin,
) -> Result<Option<Box<dyn Source>>, Refused> {
    let mut archive = ZipArchive::new(&mut *source).map_err(|error| zip_fault(error, file))?;
    if archive.file_names().any(|name| name.is_ok_and(|name| name == "[Content_Types].xml")) {
        drop(archive);
        source.seek(SeekFrom::Start(0))?;
        return Ok(None);
    }
    let mut wanted = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|error| zip_fault(error, file))?;
        // A Macintosh adds files of its own.
        let name = entry.name().map_err(|error| zip_fault(error, file))?;
        let is_extra = entry.is_dir() || name.starts_with("__MACOSX/") || name.ends_with(".DS_Store");
        if entry.encrypted() {
            let text = "expected a file that can be opened, found a ZIP file that needs a password";
            return Err(Finding::new(Code::PackedLocked, file.clone(), text).into());
        }
        if !is_extra {
            wanted.push(index);
        }
    }
    let [one] = wanted.as_slice() else {
        let text = format!("expected one file inside the ZIP file, found {}", wanted.len());
        return Err(Finding::new(Code::PackedCount, file.clone(), text).into());
    };
    let mut entry = archive.by_index(*one).map_err(|error| zip_fault(error, file))?;
    spool_of(&mut entry, bounds, spool, file).map(Some)
}

fn spool_of(
    packed: &mut dyn Read,
    bounds: Bounds,
    spool: &dyn Spool,
    file: &Origin,
) -> Result<Box<dyn Source>, Refused> {
    let mut target = spool.new_file().map_err(|error| Refused::Machine(FormatError::Spool(error)))?;
    bounds.copy(packed, &mut target, 0, file)?;
    target
        .flush()
        .and_then(|()| target.seek(SeekFrom::Start(0)))
        .map_err(|error| Refused::Machine(FormatError::Spool(error)))?;
    Ok(Box::new(target))
}

#[derive(Clone, Copy)]
struct Bounds {
    limits: Limits,
    packed_bytes: u64,
}

impl Bounds {
    /// Copies until the end or a bound; gives the total so far.
    fn copy(
        self,
        packed: &mut dyn Read,
        target: &mut dyn Write,
        before: u64,
        file: &Origin,
    ) -> Result<u64, Refused> {
        let ratio_bytes_max = self.packed_bytes.saturating_mul(self.limits.unpacked_ratio_max);
        let bytes_max = self.limits.unpacked_bytes_max.min(ratio_bytes_max.max(UNPACKED_RATIO_FREE_BYTES));
        let mut total = before;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = match packed.read(&mut piece) {
                Ok(0) => return Ok(total),
                Ok(read) => read,
                Err(error) => return Err(read_fault(error, file)),
            };
            total += count(read);
            if total > bytes_max {
                let text = format!(
                    "expected a packed file of at most {} MB once unpacked, found a larger one",
                    bytes_max / (1024 * 1024)
                );
                return Err(Finding::new(Code::FileTooLarge, file.clone(), text).into());
            }
            target
                .write_all(piece.get(..read).unwrap_or_default())
                .map_err(|error| Refused::Machine(FormatError::Spool(error)))?;
        }
    }
}

fn zip_fault(error: ZipError, file: &Origin) -> Refused {
    match error {
        ZipError::Io(error) => read_fault(error, file),
        ZipError::InvalidPassword => {
            let text = "expected a file that can be opened, found one that needs a password";
            Finding::new(Code::PackedLocked, file.clone(), text).into()
        }
        ZipError::CompressionMethodNotSupported(_) | ZipError::UnsupportedArchive(_) => {
            let text = "expected an ordinary ZIP file, found one packed or locked in a way that is not read";
            Finding::new(Code::PackedLocked, file.clone(), text).into()
        }
        _ => damaged(file),
    }
}

/// What the unpacking code calls a fault of the data, and what the machine's own.
fn read_fault(error: io::Error, file: &Origin) -> Refused {
    if is_of_data(&error) { damaged(file) } else { error.into() }
}

/// True for a failure that the bytes are to blame for, not the machine.
pub(crate) fn is_of_data(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::Unsupported
            | io::ErrorKind::Other
    )
}

fn damaged(file: &Origin) -> Refused {
    let text = "expected a whole packed file, found one that is damaged or cut off";
    Finding::new(Code::FileTruncated, file.clone(), text).into()
}
