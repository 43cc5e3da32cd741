//! Directives to a verdict, with the rule that decided. Pure, and closed unless everything holds.

pub mod decide;
pub mod directive;
