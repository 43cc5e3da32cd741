//! What is handed in to read from, and to put aside what does not fit in memory.

use std::io::{Read, Seek, Write};

/// Bytes that can be read twice: an encoding is decided over the whole file.
pub trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

/// A private file to put aside into and read back from.
pub trait Spooled: Read + Write + Seek + Send {}
impl<T: Read + Write + Seek + Send> Spooled for T {}

/// What makes private files. The caller brings one, so that nothing here touches a disk by itself.
pub trait Spool: Send + Sync {
    /// A new, empty file that nobody else can open and that is gone when it is dropped.
    fn new_file(&self) -> std::io::Result<Box<dyn Spooled>>;
}

/// A spool in memory, for small inputs and for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemorySpool;

impl Spool for MemorySpool {
    fn new_file(&self) -> std::io::Result<Box<dyn Spooled>> {
        Ok(Box::new(std::io::Cursor::new(Vec::new())))
    }
}
