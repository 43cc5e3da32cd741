//! The far side: collect, store, extract. Knows pseudonyms only.
