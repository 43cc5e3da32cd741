//! Workbooks.

/// One row of a sheet, as its cells.
pub struct SheetRow {}
