//! Invented people and their records, rendered into each system's own layout.
