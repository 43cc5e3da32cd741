//! The mapping language: one file reads a source into records and writes records back.
