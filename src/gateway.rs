//! What the operational zone does, one verb a file.

pub mod api_key;
pub mod deliver;
pub mod feed;
pub mod fix_list;
pub mod gather;
pub mod kept;
pub mod keys;
pub mod link;
pub mod overview;
pub mod process;
pub mod provenance;
pub mod receipt;
pub mod receive;
pub mod record_consent;
pub mod release;
pub mod show;
pub mod study;
pub mod sync;
pub mod tend;
pub mod upload;

use crate::base::edge::Edge;
use crate::base::seal::SealError;
use crate::format::FormatError;
use crate::gateway::keys::KeyError;
use crate::queue::QueueError;
use crate::release::protocol::ProtocolError;
use crate::store::keys::Keys;
use crate::store::{Store, StoreError};

/// What every verb works with.
#[derive(Clone)]
pub struct Gateway {
    /// The operational database.
    pub store: Store,
    /// The keys that stand outside it.
    pub keys: Keys,
    /// Time and randomness.
    pub edge: Edge,
    /// Who is acting: a role and account, such as `worker` or `cli:jsmith`.
    pub actor: String,
}

/// Why the gateway could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A seal does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The door failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A study protocol cannot be used.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// A source that knows nobody by a reference.
    #[error(
        "`{known_to}` knows nobody by that reference; check the reference and the source, and run `wayleave sync` if the file is new"
    )]
    NoSuchPerson {
        /// The source.
        known_to: String,
    },
    /// The broker did not confirm everything.
    #[error(
        "the queue did not confirm every message; run `wayleave study release` again: it goes on where it stopped"
    )]
    Unsent,
    /// A file could not be read or put aside.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A file or folder of a feed cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file changed while it was read.
    #[error("{} is still being written; run again when the export has finished", path.display())]
    Changing {
        /// Which.
        path: std::path::PathBuf,
    },
    /// A file is larger than allowed.
    #[error("{} is larger than {bytes_max} bytes; split it, or raise `limits.file_bytes_max`", path.display())]
    TooLarge {
        /// Which.
        path: std::path::PathBuf,
        /// The bound.
        bytes_max: u64,
    },
    /// A folder with too many files.
    #[error("{} holds too many files; move away those that are done, or name fewer by `pattern`", path.display())]
    TooMany {
        /// Which.
        path: std::path::PathBuf,
    },
    /// The file of webhook secrets holds something else.
    #[error("{}: {source}", path.display())]
    Secrets {
        /// Which.
        path: std::path::PathBuf,
        /// What was expected.
        source: crate::transport::webhook::NotSecrets,
    },
    /// A mapping cannot be used.
    #[error(transparent)]
    Mapping(#[from] crate::mapping::library::LibraryError),
    /// Events are posted to a feed that does not read them.
    #[error(
        "`{feed}` cannot take events that are posted: its mapping needs `[format.ndjson]` with `body = \"body\"`"
    )]
    NotEvents {
        /// Which.
        feed: String,
    },
    /// No such feed.
    #[error("there is no source or feed `{name}` in the configuration")]
    NoFeed {
        /// The name asked for.
        name: String,
    },
    /// No such key of a client of the web.
    #[error("there is no key `{id}` that is live; `wayleave key list` shows them")]
    NoApiKey {
        /// The id asked for.
        id: String,
    },
    /// No such run.
    #[error("there is no run `{id}`; `wayleave run list` shows the last ones")]
    NoRun {
        /// The id asked for.
        id: String,
    },
    /// Two processes work on one feed or run.
    #[error("another wayleave is working on {what}; wait until it ends")]
    Elsewhere {
        /// On which feed or run.
        what: String,
    },
    /// A worker thread ended badly: a fault of the program.
    #[error("a part of the program stopped unexpectedly; run again, and report it if it happens again")]
    Stopped,
}

impl GatewayError {
    /// Whether trying again could help.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.retryable(),
            Self::Key(error) => error.retryable(),
            Self::Format(error) => error.retryable(),
            Self::Queue(error) => error.retryable(),
            Self::Protocol(error) => error.retryable(),
            Self::Mapping(error) => error.retryable(),
            Self::Unsent | Self::Changing { .. } | Self::Elsewhere { .. } => true,
            Self::Seal(_)
            | Self::NotEvents { .. }
            | Self::NoFeed { .. }
            | Self::NoApiKey { .. }
            | Self::NoRun { .. }
            | Self::File { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::Secrets { .. }
            | Self::NoSuchPerson { .. }
            | Self::Stopped => false,
        }
    }
}
