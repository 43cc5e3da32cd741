//! Fetching and delivering files and messages.

pub mod access;
pub mod folder;
pub mod http;
pub mod mesh;
pub mod mllp;
pub mod patience;
pub mod place;
pub mod sftp;
pub mod smtp;
pub mod tls;
pub mod webhook;
