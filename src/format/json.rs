//! JSON documents and NDJSON.

/// A compiled path into a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreePath {}
