//! HL7 v2 messages (ER7).

mod message;
mod path;

pub use message::Message;
pub use path::MessagePath;
