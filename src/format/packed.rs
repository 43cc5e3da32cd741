//! One file inside a ZIP or gzip, found by its first bytes and unpacked within bounds.

mod directory;

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::base::finding::{Code, Finding};
use crate::base::limit::{ARCHIVE_FILES_MAX, UNPACKED_RATIO_FREE_BYTES};
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
    let bounds = Bounds::of(source.as_mut(), limits)?;
    let unpacked = match magic {
        [0x1F, 0x8B, ..] => {
            let packed = flate2::read::MultiGzDecoder::new(source);
            (spool_of(packed, bounds, spool, file)?, "unpacked the gzip file")
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
    let mut archive = open(&mut *source, file)?;
    if archive.file_names().any(|name| name.is_ok_and(|name| name == "[Content_Types].xml")) {
        drop(archive);
        source.seek(SeekFrom::Start(0))?;
        return Ok(None);
    }
    let mut wanted = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|error| fault(error, file))?;
        // A Macintosh adds files of its own.
        let name = entry.name().map_err(|error| fault(error, file))?;
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
    let entry = archive.by_index(*one).map_err(|error| fault(error, file))?;
    spool_of(entry, bounds, spool, file).map(Some)
}

fn spool_of(
    packed: impl Read,
    mut bounds: Bounds,
    spool: &dyn Spool,
    file: &Origin,
) -> Result<Box<dyn Source>, Refused> {
    let spool_fault = |error| Refused::Machine(FormatError::Spool(error));
    let mut target = spool.new_file().map_err(spool_fault)?;
    let mut packed = Counted::new(packed, &mut bounds);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match packed.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => target.write_all(piece.get(..read).unwrap_or_default()).map_err(spool_fault)?,
            Err(error) if is_too_large(&error) => return Err(bounds.too_large(file).into()),
            Err(error) => return Err(read_fault(error, file)),
        }
    }
    target.flush().and_then(|()| target.seek(SeekFrom::Start(0))).map_err(spool_fault)?;
    Ok(Box::new(target))
}

/// How much a packed file may come to, and how much of it has been read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    bytes_max: u64,
    read: u64,
}

impl Bounds {
    /// The bounds of a file: by the limits, and by its own size.
    pub(crate) fn of(source: &mut dyn Source, limits: &Limits) -> io::Result<Self> {
        let by_ratio = length_of(source)?.saturating_mul(limits.unpacked_ratio_max);
        let bytes_max = limits.unpacked_bytes_max.min(by_ratio.max(UNPACKED_RATIO_FREE_BYTES));
        Ok(Self { bytes_max, read: 0 })
    }

    /// Bytes that all that is unpacked may come to.
    pub(crate) const fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// That it is more.
    pub(crate) fn too_large(&self, file: &Origin) -> Finding {
        let megabytes = self.bytes_max / (1024 * 1024);
        let text =
            format!("expected a packed file of at most {megabytes} MB once unpacked, found a larger one");
        Finding::new(Code::FileTooLarge, file.clone(), text)
    }
}

/// Counts what is unpacked, since what a file says of its own size may be false. Beyond the bounds
/// reading fails.
pub(crate) struct Counted<'b, R> {
    packed: R,
    bounds: &'b mut Bounds,
}

impl<'b, R: Read> Counted<'b, R> {
    pub(crate) fn new(packed: R, bounds: &'b mut Bounds) -> Self {
        Self { packed, bounds }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.packed.read(into)?;
        self.bounds.read += count(read);
        if self.bounds.read > self.bounds.bytes_max { Err(ErrorKind::FileTooLarge.into()) } else { Ok(read) }
    }
}

/// True for the failure of reading beyond the bounds.
pub(crate) fn is_too_large(error: &io::Error) -> bool {
    error.kind() == ErrorKind::FileTooLarge
}

/// Opens a ZIP file that names no more files than an ordinary one can.
pub(crate) fn open<S: Read + Seek>(mut source: S, file: &Origin) -> Result<ZipArchive<S>, Refused> {
    if directory::has_too_many(&mut source)? {
        let text = format!("expected a packed file of at most {ARCHIVE_FILES_MAX} files, found more");
        return Err(Finding::new(Code::FileTooLarge, file.clone(), text).into());
    }
    ZipArchive::new(source).map_err(|error| fault(error, file))
}

pub(crate) fn fault(error: ZipError, file: &Origin) -> Refused {
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
