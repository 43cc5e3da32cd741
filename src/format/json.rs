//! JSON documents and NDJSON.

mod path;

pub use path::TreePath;
