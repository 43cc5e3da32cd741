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
