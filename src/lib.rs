#![doc = include_str!("README.md")]

pub mod base;
pub mod disk;
pub mod format;
pub mod record;

pub mod mapping;

pub mod consent;
pub mod disclosure;
pub mod exchange;
pub mod measure;
pub mod person;
pub mod release;

pub mod queue;
pub mod store;
pub mod transport;

pub mod gateway;

pub mod evaluation;

pub mod schedule;
pub mod telemetry;
pub mod web;
pub mod worker;

pub mod station;

pub mod cli;
pub mod config;
pub mod synth;

// Cases that must not compile, one at a time: the files of `tests/wall`. The name comes in by the
// environment and not by the flag, so that the compiler keeps what it knows of the rest.
#[cfg(wall_case)]
mod wall_case {
    include!(env!("WAYLEAVE_WALL_CASE"));
}
