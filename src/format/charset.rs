//! Which encoding a file is in, decided over the whole file or declared.
