//! The one integration binary.

mod consent;
mod format_csv;
mod format_support;
mod person;
mod store;
mod support;
