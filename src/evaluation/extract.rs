//! Extracts.
