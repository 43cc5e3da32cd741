//! Workbooks.

mod row;

pub use row::SheetRow;
