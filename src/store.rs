//! The operational database: the only user of its tables.
