//! The one integration binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::too_many_lines,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a test that is wrong about this fails, and says where"
)]

mod acceptance;
mod bad_input;
mod cli_convert;
mod cli_convert_xml;
mod cli_sync;
mod cohort;
mod consent;
mod contract_door;
mod contract_queue;
mod custody;
mod dump;
mod evaluation_cli;
mod evaluation_collect;
mod evaluation_door;
mod evaluation_extract;
mod evaluation_messages;
mod format_any;
mod format_charset;
mod format_csv;
mod format_fhir;
mod format_hl7v2;
mod format_json;
mod format_packed;
mod format_samples;
mod format_support;
mod format_write;
mod format_xlsx;
mod format_xml;
mod fuzz;
mod guide;
mod http_api;
mod http_events;
mod http_load;
mod http_oracle;
mod http_tls;
mod http_upload;
mod ingest;
mod kill;
mod leak;
mod ledger;
mod mapping_draft;
mod mapping_laws;
mod mapping_matrix;
mod mapping_read;
mod mapping_workbench;
mod mapping_write;
mod mappings;
mod mutant;
mod night;
mod person;
mod rabbit;
mod release;
mod restart;
mod same;
mod scope;
mod service;
mod store;
mod story;
mod support;
mod synth;
mod synth_link;
mod synth_read;
mod tidy;
mod torture;
mod tracker;
mod versions;
mod wall;
mod withdraw;
mod zone;
