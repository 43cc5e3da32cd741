//! HL7 v2 messages (ER7): many a file, each beginning with `MSH`.

pub mod answer;
mod declared;
mod head;
mod message;
mod path;
mod reader;
mod write;

pub use head::{Head, Letters, with_head};
pub use message::Message;
pub use path::MessagePath;
pub(crate) use reader::MessageReader;
pub(crate) use write::compose;
