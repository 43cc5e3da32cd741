//! One file inside a ZIP or gzip.
