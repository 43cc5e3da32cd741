//! Directives to a verdict, with the rule that decided. Pure.
