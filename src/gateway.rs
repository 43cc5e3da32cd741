//! What the operational zone does, one verb a file.

pub mod alert;
pub mod api_key;
pub mod deliver;
pub mod exchange;
pub mod explain;
pub mod feed;
pub mod fetch;
pub mod fix_list;
pub mod gather;
pub mod health;
pub mod hold;
pub mod kept;
pub mod keys;
pub mod link;
pub mod live_mapping;
pub mod mesh;
pub mod message;
pub mod mllp;
pub mod outgoing;
pub mod overview;
pub mod pass;
pub mod process;
pub mod provenance;
pub mod quarantine;
pub mod receipt;
pub mod receive;
pub mod record_consent;
pub mod release;
pub mod replay;
pub mod restricted;
pub mod shadow;
pub mod show;
pub mod slot;
mod spool;
pub mod study;
pub mod sync;
pub mod tend;
pub mod turn;
pub mod upload;
pub mod watched;

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
    /// There is no such record.
    #[error(
        "there is no record `{id}`, or no such version of it; the API and `wayleave consent list` show ids"
    )]
    NoRecord {
        /// The id asked for.
        id: String,
    },
    /// It is of a restricted person.
    #[error(
        "the record `{id}` is of a restricted person; whoever may see it adds `--restricted`, and the audit has it"
    )]
    OfRestricted {
        /// The id asked for.
        id: String,
    },
    /// What a record was read from is gone.
    #[error(
        "what `{id}` was read from ({batch}) is no longer kept, so its value cannot be explained; its provenance still says which mapping read it, and where it stood"
    )]
    NotKept {
        /// The record.
        id: String,
        /// The batch it came in.
        batch: String,
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
    /// A place cannot be used.
    #[error(transparent)]
    Fetch(#[from] crate::transport::place::FetchError),
    /// A manifest cannot be read.
    #[error("the manifest {} cannot be used: {reason}", path.display())]
    Manifest {
        /// Which.
        path: std::path::PathBuf,
        /// What was expected.
        reason: String,
    },
    /// A file is not what its manifest says.
    #[error(
        "{} is not what {manifest} says: expected {expected}, found {found}; nothing of it was taken, ask its sender to send it again", path.display()
    )]
    Control {
        /// Which.
        path: std::path::PathBuf,
        /// The manifest's name.
        manifest: String,
        /// The control total.
        expected: String,
        /// The file's own.
        found: String,
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
    /// The message exchange did not do as asked.
    #[error(transparent)]
    Mesh(#[from] crate::transport::mesh::MeshError),
    /// A message could not be sent over MLLP.
    #[error(transparent)]
    Mllp(#[from] crate::transport::mllp::MllpError),
    /// Others could read what is sent.
    #[error(
        "`mllp.{name}` is {to}, on another machine, and there is no TLS: set `tls = true` there, or `behind_proxy = true` where a tunnel protects it"
    )]
    BareReceiver {
        /// The receiver's name.
        name: String,
        /// As configured.
        to: String,
    },
    /// Messages are listened for by a feed that does not read them.
    #[error("`{feed}` cannot take messages over MLLP: its mapping needs `[format.hl7v2]`")]
    NotMessages {
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
    /// No mapping is tried beside a feed's.
    #[error("no mapping is tried beside that of `{feed}`; `wayleave mapping shadow {feed} FILE` begins")]
    NoShadow {
        /// The feed.
        feed: String,
    },
    /// A mapping that is live already.
    #[error("`{feed}` is read through exactly this mapping already; nothing was changed")]
    SameMapping {
        /// The feed.
        feed: String,
    },
    /// A mapping of another name.
    #[error("`{feed}` is read through `{expected}`, and this mapping has another name; give it that one")]
    OtherMapping {
        /// The feed.
        feed: String,
        /// The name of its mapping.
        expected: String,
    },
    /// A mapping that cuts files into other units.
    #[error(
        "this mapping reads files of `{feed}` in another format, so units cannot be set side by side; compare with `wayleave convert` and promote it when it is right"
    )]
    OtherFormat {
        /// The feed.
        feed: String,
    },
    /// There is no mapping to go back to.
    #[error(
        "no mapping of `{feed}` was promoted that could be rolled back; it is read as the configuration says"
    )]
    NotPromoted {
        /// The feed.
        feed: String,
    },
    /// Nothing that is set aside fits.
    #[error("nothing that is set aside fits; `wayleave quarantine list` shows what is")]
    NothingSetAside,
    /// More than one command does.
    #[error("more than {units_max} units fit; name a source, feed, code or batch, and do the rest after it")]
    TooManyUnits {
        /// The bound.
        units_max: usize,
    },
    /// No such run.
    #[error("there is no run `{id}`; `wayleave run list` shows the last ones")]
    NoRun {
        /// The id asked for.
        id: String,
    },
    /// Nothing of that run waits for a decision.
    #[error("run `{id}` is not held; `wayleave status` shows what is")]
    NotHeld {
        /// The id asked for.
        id: String,
    },
    /// Two processes work on one feed or run.
    #[error("another wayleave is working on {what}; wait until it ends")]
    Elsewhere {
        /// On which feed or run.
        what: String,
    },
    /// The process is stopping, and the rest is left for whoever comes next.
    #[error("stopped on the way; what is done is kept, and the next run goes on from there")]
    Stopping,
    /// An agreement file has faults.
    #[error("the agreement has faults\n{0}")]
    Agreement(crate::mapping::diagnostic::Diagnostics),
    /// What the configuration says of exchange cannot be used.
    #[error("{place}: {fault}")]
    Plan {
        /// The section.
        place: String,
        /// What is wrong, and what to do.
        fault: String,
    },
    /// Others cannot be reached over HTTP.
    #[error(transparent)]
    Http(#[from] crate::transport::http::HttpError),
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
            Self::Fetch(error) => error.retryable(),
            Self::Mesh(error) => error.retryable(),
            Self::Mllp(error) => error.retryable(),
            Self::Unsent | Self::Changing { .. } | Self::Elsewhere { .. } | Self::Stopping => true,
            Self::Http(error) => error.retryable(),
            Self::Seal(_)
            | Self::Agreement(_)
            | Self::Plan { .. }
            | Self::NotEvents { .. }
            | Self::NotMessages { .. }
            | Self::BareReceiver { .. }
            | Self::NoFeed { .. }
            | Self::NoApiKey { .. }
            | Self::NoRun { .. }
            | Self::NoRecord { .. }
            | Self::OfRestricted { .. }
            | Self::NotKept { .. }
            | Self::NoShadow { .. }
            | Self::SameMapping { .. }
            | Self::OtherMapping { .. }
            | Self::OtherFormat { .. }
            | Self::NotPromoted { .. }
            | Self::NothingSetAside
            | Self::TooManyUnits { .. }
            | Self::NotHeld { .. }
            | Self::File { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::Manifest { .. }
            | Self::Control { .. }
            | Self::Secrets { .. }
            | Self::NoSuchPerson { .. }
            | Self::Stopped => false,
        }
    }
    /// True where one place or one file is at fault: the others can be taken all the same.
    #[must_use]
    pub const fn is_of_place(&self) -> bool {
        matches!(
            self,
            Self::Fetch(_)
                | Self::Changing { .. }
                | Self::TooLarge { .. }
                | Self::TooMany { .. }
                | Self::Manifest { .. }
                | Self::Control { .. }
        )
    }
}
