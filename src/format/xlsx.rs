//! Workbooks.

mod look;
mod reader;
mod row;
mod scan;

pub(crate) use reader::SheetReader;
pub use row::SheetRow;
