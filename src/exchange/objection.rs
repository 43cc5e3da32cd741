//! A person's objection to the exchange of their records under one agreement, and its lifting.
//!
//! As with consent, what counts is the day of the decision and not the day it was entered. An
//! objection stops from the moment it is known, whatever its day; where one day has both, it
//! stands.

use crate::base::day::Day;

/// One thing a person said about one agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The agreement.
    pub agreement: String,
    /// True if it lifts what was said before.
    pub is_lifted: bool,
    /// The day it was said.
    pub decided_on: Day,
}

/// Whether an objection to an agreement stands.
#[must_use]
pub fn stands(said: &[Objection], agreement: &str, at: Day) -> bool {
    let of_agreement = said.iter().filter(|one| one.agreement == agreement);
    last_word(of_agreement.map(|one| (one.decided_on, one.is_lifted)), at)
}

/// Whether what was said stands: the last day decides, and of one day the saying and not the lifting.
/// A lifting that is dated later does not count yet.
#[must_use]
pub fn last_word(said: impl IntoIterator<Item = (Day, bool)>, at: Day) -> bool {
    let counts = said.into_iter().filter(|(day, is_lifted)| !is_lifted || *day <= at);
    // Of one day the lifting comes first, so that what was said is greater.
    counts.max_by_key(|(day, is_lifted)| (*day, !is_lifted)).is_some_and(|(_, is_lifted)| !is_lifted)
}

#[cfg(test)]
mod tests {
    use super::{Objection, stands};
    use crate::base::day::Day;

    fn said(day: i8, is_lifted: bool) -> Objection {
        let decided_on = Day::new(2025, 3, day).unwrap();
        Objection { agreement: "a".to_owned(), is_lifted, decided_on }
    }

    #[test]
    fn the_last_day_decides_and_of_one_day_the_objection() {
        let at = Day::new(2025, 3, 10).unwrap();
        for (of, expected) in [
            (vec![], false),
            (vec![said(1, false)], true),
            (vec![said(1, false), said(2, true)], false),
            (vec![said(2, true), said(2, false)], true),
            (vec![said(3, false), said(2, true)], true),
            (vec![said(1, false), said(11, true)], true),
            (vec![said(20, false)], true),
        ] {
            assert_eq!(stands(&of, "a", at), expected, "{of:?}");
            assert!(!stands(&of, "b", at));
        }
    }
}
