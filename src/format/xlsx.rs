//! Workbooks: the ZIP file and its parts are read here, within bounds, in one pass.
//!
//! A library that reads workbooks keeps all texts that cells share in memory, and makes room for as
//! many as the file claims; a sender's file decides how much that is. Here parts are walked through
//! tag by tag (`markup`), shared texts go to a private file beyond a bound (`texts`), and rows go
//! through another (`kept`), so that every fault of the file as a whole is known before its first
//! unit.

mod book;
mod cells;
mod kept;
mod look;
mod markup;
mod moment;
mod reader;
mod row;
mod run;
mod scan;
mod style;
mod texts;

pub(crate) use reader::SheetReader;
pub use row::SheetRow;
