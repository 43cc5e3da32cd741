//! What the operational zone does, one verb a file.
