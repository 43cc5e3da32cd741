//! Rules for rows and for counts. Pure.
