//! A file on its way in: sealed piece by piece as it is read, under the key and the labels it will
//! be kept under, so that it is read once and lies open nowhere.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
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

impl Spool {
    /// Reads a file to its end, within its bound.
    pub(super) fn fill(
        gateway: &Gateway,
        feed: &Feed,
        path: &Path,
        read: &mut dyn Read,
    ) -> Result<Self, GatewayError> {
        let unreadable = |source| FetchError::of_reading(path, source);
        let (edge, hasher) = (&gateway.edge, gateway.keys.index.hasher("content"));
        let id = BatchId::mint(edge).to_string();
        let key = DataKey::generate(edge);
        let mut file = tempfile::tempfile().map_err(FormatError::Spool)?;
        let piece_bytes = u64::try_from(KEPT_PIECE_BYTES).unwrap_or(u64::MAX);
        let (mut hashes, mut lengths, mut size_bytes, mut sha256) =
            (Vec::new(), Vec::new(), 0_u64, Sha256::new());
        loop {
            let mut piece = Vec::with_capacity(KEPT_PIECE_BYTES);
            let n = Read::take(&mut *read, piece_bytes).read_to_end(&mut piece).map_err(unreadable)?;
            if n == 0 {
                break;
            }
            size_bytes += u64::try_from(n).unwrap_or_default();
            if size_bytes > feed.file_bytes_max {
                return Err(GatewayError::TooLarge { path: path.to_owned(), bytes_max: feed.file_bytes_max });
            }
            sha256.update(&piece);
            hashes.push(hasher.hash([piece.as_slice()]));
            let label = kept::piece_label(&id, u64::try_from(lengths.len()).unwrap_or(u64::MAX));
            let sealed = key.seal(edge, &label, &Private::new(piece));
            file.write_all(sealed.as_bytes()).map_err(FormatError::Spool)?;
            lengths.push(sealed.as_bytes().len());
        }
        let content = kept::content_hash(gateway, &hashes);
        Ok(Self { id, key, content, size_bytes, sha256: sha256.finalize().into(), file, lengths })
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
