#![doc = include_str!("README.md")]

pub mod base;
pub mod format;
pub mod record;

pub mod mapping;

pub mod consent;
pub mod disclosure;
pub mod measure;
pub mod person;
pub mod release;

pub mod queue;
pub mod store;
pub mod transport;

pub mod gateway;

pub mod evaluation;

pub mod cli;
pub mod config;
pub mod synth;

// Cases that must not compile: tests/wall, one at a time, by `--cfg wall_case`.
#[cfg(wall_case = "borrow_a_private")]
#[path = "../tests/wall/borrow_a_private.rs"]
mod wall_case;
#[cfg(wall_case = "compare_privates")]
#[path = "../tests/wall/compare_privates.rs"]
mod wall_case;
#[cfg(wall_case = "copy_a_grant")]
#[path = "../tests/wall/copy_a_grant.rs"]
mod wall_case;
#[cfg(wall_case = "debug_a_private")]
#[path = "../tests/wall/debug_a_private.rs"]
mod wall_case;
#[cfg(wall_case = "display_a_private")]
#[path = "../tests/wall/display_a_private.rs"]
mod wall_case;
#[cfg(wall_case = "invent_a_purpose")]
#[path = "../tests/wall/invent_a_purpose.rs"]
mod wall_case;
#[cfg(wall_case = "make_a_door_message")]
#[path = "../tests/wall/make_a_door_message.rs"]
mod wall_case;
#[cfg(wall_case = "make_a_grant_by_hand")]
#[path = "../tests/wall/make_a_grant_by_hand.rs"]
mod wall_case;
#[cfg(wall_case = "open_without_a_grant")]
#[path = "../tests/wall/open_without_a_grant.rs"]
mod wall_case;
#[cfg(wall_case = "print_a_data_key")]
#[path = "../tests/wall/print_a_data_key.rs"]
mod wall_case;
#[cfg(wall_case = "print_a_draft")]
#[path = "../tests/wall/print_a_draft.rs"]
mod wall_case;
#[cfg(wall_case = "print_a_person")]
#[path = "../tests/wall/print_a_person.rs"]
mod wall_case;
#[cfg(wall_case = "reach_into_a_private")]
#[path = "../tests/wall/reach_into_a_private.rs"]
mod wall_case;
#[cfg(wall_case = "read_a_door_message")]
#[path = "../tests/wall/read_a_door_message.rs"]
mod wall_case;
#[cfg(wall_case = "serialise_a_draft")]
#[path = "../tests/wall/serialise_a_draft.rs"]
mod wall_case;
#[cfg(wall_case = "serialise_a_private")]
#[path = "../tests/wall/serialise_a_private.rs"]
mod wall_case;
