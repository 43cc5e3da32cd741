//! A kept file, read back: sealed pieces in the store, opened one at a time, never on disk.

use std::io::{self, Read, Seek, SeekFrom};

use crate::base::limit::KEPT_PIECE_BYTES;
use crate::base::private::Private;
use crate::base::seal::{DataKey, KeyedHash, Sealed};
use crate::gateway::{Gateway, GatewayError};
use crate::store::batch::{self, Batch};
use crate::store::{Store, StoreError};

/// The data key of a batch.
///
/// # Errors
/// Where the batch was shredded, or another master key wrapped it.
pub fn data_key(gateway: &Gateway, batch: &Batch) -> Result<DataKey, GatewayError> {
    let wrapped =
        batch.wrapped_key.clone().ok_or(StoreError::Unreadable { what: "file: it was shredded" })?;
    Ok(gateway.keys.master.unwrap(&batch.id, &Sealed::from_bytes(wrapped))?)
}

/// The label a piece is sealed under.
#[must_use]
pub fn piece_label(batch_id: &str, position: u64) -> String {
    format!("{batch_id}/{position}")
}

/// The hash of a file by those of its pieces.
#[must_use]
pub fn content_hash(gateway: &Gateway, pieces: &[KeyedHash]) -> KeyedHash {
    gateway.keys.index.hasher("content").hash(pieces.iter().map(|piece| piece.as_bytes().as_slice()))
}

/// A kept file, as bytes to read.
pub struct KeptFile {
    store: Store,
    key: DataKey,
    batch_id: String,
    size: u64,
    at: u64,
    piece: Option<(u64, Private<Vec<u8>>)>,
}

impl KeptFile {
    /// Opens one.
    #[must_use]
    pub fn new(store: &Store, key: &DataKey, batch: &Batch) -> Self {
        Self {
            store: store.clone(),
            key: key.clone(),
            batch_id: batch.id.clone(),
            size: u64::try_from(batch.size_bytes).unwrap_or_default(),
            at: 0,
            piece: None,
        }
    }

    fn open_piece(&self, position: u64) -> Result<Private<Vec<u8>>, StoreError> {
        let number = i64::try_from(position).unwrap_or(i64::MAX);
        let sealed = self.store.read(|tx| batch::find_piece(tx, &self.batch_id, number))?;
        let sealed = sealed.ok_or(StoreError::Unreadable { what: "file: a piece is missing" })?;
        Ok(self.key.unseal(&piece_label(&self.batch_id, position), &sealed)?)
    }
}

impl Read for KeptFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let piece_bytes = u64::try_from(KEPT_PIECE_BYTES).unwrap_or(u64::MAX);
        let position = self.at / piece_bytes;
        let piece = match self.piece.take() {
            Some((held, piece)) if held == position => piece,
            _ => self.open_piece(position).map_err(io::Error::other)?,
        };
        let within = usize::try_from(self.at % piece_bytes).unwrap_or_default();
        // The bytes go to the format reader alone, as the file's own did; what it makes of them
        // is private again.
        let rest = piece.inspect().get(within..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.piece = Some((position, piece));
        if n == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        self.at += u64::try_from(n).unwrap_or_default();
        Ok(n)
    }
}

impl Seek for KeptFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

/// Private files for what is unpacked: nameless, so that they are gone when they are closed.
pub struct DiskSpool;

impl crate::format::source::Spool for DiskSpool {
    fn new_file(&self) -> io::Result<Box<dyn crate::format::source::Spooled>> {
        Ok(Box::new(tempfile::tempfile()?))
    }
}
