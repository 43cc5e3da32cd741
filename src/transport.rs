//! Fetching and delivering files and messages.

pub mod webhook;
