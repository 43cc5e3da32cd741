//! Settings: one embedded, commented file is both the defaults and the reference.
