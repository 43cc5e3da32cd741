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

#[path = "../bench/figures.rs"]
mod figures;
#[path = "../bench/large.rs"]
mod large;

mod acceptance;
mod alert;
mod alert_peer;
mod alone;
mod bad_input;
mod cli_convert;
mod cli_convert_xml;
mod cli_sync;
mod cohort;
mod consent;
mod contract_door;
mod contract_queue;
mod crosswalk;
mod custody;
mod dump;
mod evaluation_cli;
mod evaluation_collect;
mod evaluation_door;
mod evaluation_extract;
mod evaluation_messages;
mod exchange;
mod exchange_cohort;
mod exchange_decide;
mod exchange_outside;
mod explain_kept;
mod fetch_folder;
mod fetch_sftp;
mod fhir_written;
mod format_any;
mod format_bounds;
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
mod format_xlsx_oracle;
mod format_xml;
mod fuzz;
mod guide;
mod hold;
mod http_api;
mod http_events;
mod http_load;
mod http_oracle;
mod http_quarantine;
mod http_tls;
mod http_upload;
mod ingest;
mod kill;
mod kill_join;
mod last_look;
mod leak;
mod ledger;
mod mapping_draft;
mod mapping_draft_tree;
mod mapping_drift;
mod mapping_laws;
mod mapping_matrix;
mod mapping_read;
mod mapping_workbench;
mod mapping_workbench_any;
mod mapping_write;
mod mappings;
mod memory;
mod mesh;
mod mesh_sandbox;
mod mllp;
mod mllp_send;
mod mllp_slow;
mod mutant;
mod nhs_sync;
mod night;
mod one_star;
mod outage;
mod partners;
mod person;
mod programme;
mod quiet;
mod rabbit;
mod receiver;
mod release;
mod replay;
mod resend;
mod restart;
mod restricted;
mod safety;
mod same;
mod schedule_kill;
mod schedule_slots;
mod schedule_time;
mod scope;
mod service;
mod sshd;
mod store;
mod story;
mod submission;
mod submission_rules;
mod support;
mod synth;
mod synth_link;
mod synth_read;
mod tidy;
mod told_twice;
mod torture;
mod tracker;
mod turns;
mod versions;
mod wall;
mod watch;
mod withdraw;
mod zone;
