//! Fetching and delivering files and messages.
