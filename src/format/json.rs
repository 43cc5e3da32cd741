//! JSON documents and NDJSON.

pub(crate) mod frame;
mod outline;
mod path;
mod reader;
pub mod split;

pub use path::TreePath;
pub(crate) use reader::JsonReader;
