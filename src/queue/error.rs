//! Why a queue could not do what was asked.

use std::path::PathBuf;

/// An error of the library underneath, kept for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a queue could not do what was asked. No text holds a password or a message body.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The URL of the queue is not one.
    #[error(
        "the queue's URL is not understood: expected `sqlite:FILE`, `amqp://USER:PASSWORD@HOST:PORT/VHOST` or `amqps://…`"
    )]
    Url,
    /// The broker would be spoken to in clear text over a network.
    #[error("`amqp` without TLS is for this machine only: use `amqps` for the broker at `{host}`")]
    Plain {
        /// The broker's host.
        host: String,
    },
    /// The name of a study cannot be the name of a queue.
    #[error("`{name}` cannot name a queue: expected 1 to 100 of a-z, 0-9, `-` and `_`")]
    Name {
        /// What was given.
        name: String,
    },
    /// The embedded queue lies where file locks do not work.
    #[error(
        "the embedded queue cannot lie in `{}`, which is a network file system ({kind}): put it on a disk of this machine, or use RabbitMQ",
        folder.display()
    )]
    NetworkFolder {
        /// Where it was to lie.
        folder: PathBuf,
        /// The kind of file system.
        kind: String,
    },
    /// The folder of the embedded queue cannot be used.
    #[error("the folder `{}` of the embedded queue cannot be used: it must exist and be writable", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the machine said.
        source: std::io::Error,
    },
    /// The embedded queue's file cannot be opened or brought up to date.
    #[error("the embedded queue `{}` cannot be opened: {source}", file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// What the database said.
        source: Cause,
    },
    /// The embedded queue's database failed, or was busy for too long.
    #[error("the embedded queue `{}` failed: {source}", file.display())]
    Database {
        /// The file.
        file: PathBuf,
        /// What the database said.
        source: Cause,
    },
    /// The file of the certificate authority cannot be read.
    #[error("the certificate authority `{}` cannot be read: expected a PEM file", file.display())]
    Authority {
        /// The file.
        file: PathBuf,
        /// What the machine said.
        source: std::io::Error,
    },
    /// Nobody answers at the broker's address.
    #[error(
        "RabbitMQ at `{host}` does not answer: check that it runs and that this machine may reach it ({source})"
    )]
    Unreachable {
        /// Host and port.
        host: String,
        /// What the library said.
        source: Cause,
    },
    /// The broker refuses the account.
    #[error(
        "RabbitMQ at `{host}` refuses the account: check user name, password and virtual host, and what the account may do"
    )]
    Refused {
        /// Host and port.
        host: String,
        /// What the broker said.
        source: Cause,
    },
    /// The broker has a queue or exchange of that name with other properties.
    #[error(
        "RabbitMQ at `{host}` holds a queue or exchange of our name that was made otherwise: remove it once it is empty, or give another `prefix` in the URL ({source})"
    )]
    Topology {
        /// Host and port.
        host: String,
        /// What the broker said.
        source: Cause,
    },
    /// The connection to the broker broke.
    #[error("the connection to RabbitMQ at `{host}` broke: {source}")]
    Broken {
        /// Host and port.
        host: String,
        /// What the library said.
        source: Cause,
    },
    /// The queue does not exist on the broker.
    #[error("RabbitMQ at `{host}` has no such queue or virtual host: {source}")]
    Missing {
        /// Host and port.
        host: String,
        /// What the broker said.
        source: Cause,
    },
    /// A message is larger than any queue takes.
    #[error("message `{message_id}` has {bytes} bytes; at most {max} may cross", max = crate::base::limit::MESSAGE_BYTES_MAX)]
    TooLarge {
        /// The message.
        message_id: String,
        /// Its size.
        bytes: usize,
    },
    /// A thread that held the queue panicked.
    #[error("the queue was left in an unknown state by a thread that failed: open it again")]
    Poisoned,
}

impl QueueError {
    /// True where the same call may succeed later with nothing changed by hand.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Database { .. } | Self::Unreachable { .. } | Self::Broken { .. } => true,
            Self::Url
            | Self::Plain { .. }
            | Self::Name { .. }
            | Self::NetworkFolder { .. }
            | Self::Folder { .. }
            | Self::Open { .. }
            | Self::Authority { .. }
            | Self::Refused { .. }
            | Self::Topology { .. }
            | Self::Missing { .. }
            | Self::TooLarge { .. }
            | Self::Poisoned => false,
        }
    }
}
