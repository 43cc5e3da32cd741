//! The one integration binary.

mod consent;
mod dump;
mod evaluation_collect;
mod evaluation_extract;
mod evaluation_messages;
mod format_charset;
mod format_csv;
mod format_packed;
mod format_support;
mod leak;
mod mutant;
mod person;
mod store;
mod support;
mod synth;
mod tidy;
mod wall;
