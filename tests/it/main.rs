//! The one integration binary.

mod consent;
mod contract_queue;
mod dump;
mod evaluation_collect;
mod evaluation_door;
mod evaluation_extract;
mod evaluation_messages;
mod format_charset;
mod format_csv;
mod format_hl7v2;
mod format_json;
mod format_packed;
mod format_samples;
mod format_support;
mod format_write;
mod format_xlsx;
mod leak;
mod mappings;
mod mutant;
mod person;
mod release;
mod store;
mod support;
mod synth;
mod tidy;
mod wall;
