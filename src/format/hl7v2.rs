//! HL7 v2 messages (ER7): many a file, each beginning with `MSH`.

mod declared;
mod message;
mod path;
mod reader;
mod write;

pub use message::Message;
pub use path::MessagePath;
pub(crate) use reader::MessageReader;
pub(crate) use write::compose;
