//! A file on its way in, read from its place or sent over the network: sealed piece by piece as it
//! comes, under the key and the labels it will be kept under, so that it is read once and lies open
//! nowhere.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::base::id::BatchId;
use crate::base::limit::KEPT_PIECE_BYTES;
use crate::base::private::Private;
use crate::base::seal::{DataKey, KeyedHash, Sealed};
use crate::format::FormatError;
use crate::gateway::feed::Feed;
use crate::gateway::{Gateway, GatewayError, kept};
use crate::store::{Tx, batch};
use crate::transport::place::FetchError;

/// A sealed file, not kept yet. Its own file has no name, and is gone when it is closed.
pub(super) struct Spool {
    /// The batch it will be.
    pub(super) id: String,
    pub(super) key: DataKey,
    pub(super) content: KeyedHash,
    pub(super) size_bytes: u64,
    pub(super) sha256: [u8; 32],
    file: File,
    /// The length of each sealed piece.
    lengths: Vec<usize>,
}

/// A spool that is being filled with what arrives.
pub struct Filling {
    gateway: Gateway,
    id: String,
    key: DataKey,
    file: File,
    /// What has come of the next piece.
    piece: Vec<u8>,
    hashes: Vec<KeyedHash>,
    lengths: Vec<usize>,
    size_bytes: u64,
    sha256: Sha256,
}

impl Filling {
    /// An empty one.
    ///
    /// # Errors
    /// Where no file can be made for it.
    pub fn begin(gateway: &Gateway) -> Result<Self, GatewayError> {
        Ok(Self {
            id: BatchId::mint(&gateway.edge).to_string(),
            key: DataKey::generate(&gateway.edge),
            file: tempfile::tempfile().map_err(FormatError::Spool)?,
            piece: Vec::with_capacity(KEPT_PIECE_BYTES),
            hashes: Vec::new(),
            lengths: Vec::new(),
            size_bytes: 0,
            sha256: Sha256::new(),
            gateway: gateway.clone(),
        })
    }

    /// Bytes that have come.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Everything has come.
    pub(super) fn end(mut self) -> Result<Spool, GatewayError> {
        if !self.piece.is_empty() {
            self.seal_piece().map_err(FormatError::Spool)?;
        }
        Ok(Spool {
            content: kept::content_hash(&self.gateway, &self.hashes),
            id: self.id,
            key: self.key,
            size_bytes: self.size_bytes,
            sha256: self.sha256.finalize().into(),
            file: self.file,
            lengths: self.lengths,
        })
    }

    fn seal_piece(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(KEPT_PIECE_BYTES));
        self.hashes.push(self.gateway.keys.index.hasher("content").hash([piece.as_slice()]));
        let label = kept::piece_label(&self.id, u64::try_from(self.lengths.len()).unwrap_or(u64::MAX));
        let sealed = self.key.seal(&self.gateway.edge, &label, &Private::new(piece));
        self.lengths.push(sealed.as_bytes().len());
        self.file.write_all(sealed.as_bytes())
    }
}

impl Write for Filling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = KEPT_PIECE_BYTES.saturating_sub(self.piece.len());
        let (taken, _later) = bytes.split_at(room.min(bytes.len()));
        self.piece.extend_from_slice(taken);
        self.sha256.update(taken);
        self.size_bytes += u64::try_from(taken.len()).unwrap_or_default();
        if self.piece.len() == KEPT_PIECE_BYTES {
            self.seal_piece()?;
        }
        Ok(taken.len())
    }

    /// A piece that is not full waits for more.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Spool {
    /// Reads a file to its end, within its bound.
    pub(super) fn fill(
        gateway: &Gateway,
        feed: &Feed,
        path: &Path,
        read: &mut dyn Read,
    ) -> Result<Self, GatewayError> {
        let mut filling = Filling::begin(gateway)?;
        let mut piece = vec![0; KEPT_PIECE_BYTES];
        loop {
            let n = match read.read(&mut piece) {
                Ok(0) => return filling.end(),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(FetchError::of_reading(path, source).into()),
            };
            filling.write_all(piece.get(..n).unwrap_or_default()).map_err(FormatError::Spool)?;
            if filling.size_bytes > feed.file_bytes_max {
                return Err(GatewayError::TooLarge { path: path.to_owned(), bytes_max: feed.file_bytes_max });
            }
        }
    }

    /// Keeps the pieces as they are. May be done again where a transaction is.
    pub(super) fn keep(&self, tx: &mut Tx) -> Result<(), GatewayError> {
        let spooled = |error: io::Error| GatewayError::Format(FormatError::Spool(error));
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0)).map_err(spooled)?;
        for (position, length) in (0_i64..).zip(&self.lengths) {
            let mut sealed = vec![0; *length];
            file.read_exact(&mut sealed).map_err(spooled)?;
            batch::keep_piece(tx, &self.id, position, &Sealed::from_bytes(sealed))?;
        }
        Ok(())
    }
}
