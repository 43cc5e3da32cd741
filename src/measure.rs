//! Definitions of figures: one measure a file. Pure.
