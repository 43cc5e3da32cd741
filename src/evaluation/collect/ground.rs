//! What must be known of some pseudonyms before a record of theirs may stand. Pure.
//!
//! The verdict on a record depends on the set of withdrawals and replacements that are known, not
//! on the order in which they arrived. That is why redelivery and reordering change nothing.

use std::collections::BTreeMap;

use crate::base::day::Day;
use crate::evaluation::door::{Position, Scope};

/// Withdrawals and replacements.
#[derive(Debug, Default)]
pub struct Ground {
    edges: BTreeMap<String, Edge>,
    tombstones: BTreeMap<String, Vec<Tombstone>>,
}

/// A replacement of one pseudonym by another. What was sent before it belongs to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The one that stands.
    pub to: String,
    /// When, among the messages about the one that is replaced.
    pub at: Position,
}

/// A withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tombstone {
    /// When, among the messages about the person.
    pub at: Position,
    /// How far it goes.
    pub scope: Scope,
    /// Day of the withdrawal.
    pub decided_on: Day,
}

/// What becomes of a record as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stands.
    Stands,
    /// Nothing of it stands, and nothing older of it may come back.
    Emptied,
    /// Not even its row is kept: the tombstone covers it.
    Gone,
}

impl Ground {
    /// Adds a replacement; the later one of a pseudonym counts.
    pub fn replace(&mut self, pseudonym: String, edge: Edge) {
        match self.edges.get(&pseudonym) {
            Some(known) if known.at >= edge.at => {}
            _ => {
                self.edges.insert(pseudonym, edge);
            }
        }
    }

    /// Adds a withdrawal.
    pub fn withdraw(&mut self, pseudonym: String, tombstone: Tombstone) {
        self.tombstones.entry(pseudonym).or_default().push(tombstone);
    }

    /// The pseudonyms that replace it one after the other, the last one standing for the person.
    /// Where they lead in a circle, the smallest of the circle stands.
    #[must_use]
    pub fn path<'g>(&'g self, pseudonym: &'g str) -> Vec<&'g str> {
        let mut path = vec![pseudonym];
        while let Some(edge) = path.last().and_then(|last| self.edges.get(*last)) {
            if let Some(start) = path.iter().position(|seen| *seen == edge.to) {
                let stands = path.iter().skip(start).min().copied();
                path.extend(stands);
                break;
            }
            path.push(&edge.to);
        }
        path.remove(0);
        path
    }

    /// The pseudonym to which a record belongs that was sent under `pseudonym` at that position.
    #[must_use]
    pub fn owner<'g>(&'g self, pseudonym: &'g str, at: Position) -> &'g str {
        if self.is_moved(pseudonym, at) {
            return self.path(pseudonym).last().copied().unwrap_or(pseudonym);
        }
        pseudonym
    }

    /// What becomes of a record sent under `pseudonym` at that position, under a consent decided
    /// on that day.
    ///
    /// A withdrawal covers what was sent before it by position, and what was sent after it by the
    /// day of the consent: so a gateway restored from an older backup, which has forgotten the
    /// withdrawal and begun a new incarnation, revives nobody, while a person who consents again
    /// later is taken. On one and the same day the withdrawal stands. Records that moved here
    /// from a replaced pseudonym have positions of their own, so the day alone decides.
    #[must_use]
    pub fn judge(&self, pseudonym: &str, at: Position, decided_on: Day) -> Verdict {
        let own = self.tombstones.get(pseudonym).map(Vec::as_slice).unwrap_or_default();
        if own.iter().any(|stone| stone.scope == Scope::NoFurtherUse && at <= stone.at) {
            return Verdict::Gone;
        }
        let is_stopped = own
            .iter()
            .any(|stone| stone.scope != Scope::NoContact && at > stone.at && decided_on <= stone.decided_on);
        if is_stopped || (self.is_moved(pseudonym, at) && self.is_barred_later(pseudonym, decided_on)) {
            return Verdict::Emptied;
        }
        Verdict::Stands
    }

    fn is_moved(&self, pseudonym: &str, at: Position) -> bool {
        self.edges.get(pseudonym).is_some_and(|edge| at <= edge.at)
    }

    fn is_barred_later(&self, pseudonym: &str, decided_on: Day) -> bool {
        self.path(pseudonym)
            .iter()
            .filter_map(|later| self.tombstones.get(*later))
            .flatten()
            .any(|stone| stone.scope == Scope::NoFurtherUse && decided_on <= stone.decided_on)
    }

    /// The latest withdrawal on the way that removes what moved, if any.
    #[must_use]
    pub fn barred_until(&self, pseudonym: &str) -> Option<Day> {
        self.path(pseudonym)
            .iter()
            .filter_map(|later| self.tombstones.get(*later))
            .flatten()
            .filter(|stone| stone.scope == Scope::NoFurtherUse)
            .map(|stone| stone.decided_on)
            .max()
    }

    /// Every pseudonym that has been replaced, with where the last one leads.
    #[must_use]
    pub fn edge(&self, pseudonym: &str) -> Option<&Edge> {
        self.edges.get(pseudonym)
    }
}

#[cfg(test)]
mod tests {
    use super::{Edge, Ground, Position, Scope, Tombstone, Verdict};

    fn at(incarnation: i64, sequence: i64) -> Position {
        Position { incarnation, sequence }
    }

    fn check(ground: &Ground, sent: Position, decided_on: &str, verdict: Verdict) {
        assert_eq!(ground.judge("A", sent, decided_on.parse().unwrap()), verdict, "{sent:?} {decided_on}");
    }

    #[test]
    fn a_withdrawal_covers_the_past_and_the_forgetful() {
        let mut ground = Ground::default();
        let decided_on = "2024-05-01".parse().unwrap();
        ground.withdraw("A".into(), Tombstone { at: at(0, 5), scope: Scope::NoFurtherUse, decided_on });
        check(&ground, at(0, 4), "2024-01-01", Verdict::Gone);
        check(&ground, at(1, 1), "2024-01-01", Verdict::Emptied);
        check(&ground, at(1, 1), "2024-05-01", Verdict::Emptied);
        check(&ground, at(0, 6), "2024-05-02", Verdict::Stands);
    }

    #[test]
    fn a_softer_withdrawal_keeps_what_was_there() {
        let mut ground = Ground::default();
        let decided_on = "2024-05-01".parse().unwrap();
        ground.withdraw("A".into(), Tombstone { at: at(0, 5), scope: Scope::NoNewData, decided_on });
        check(&ground, at(0, 4), "2024-01-01", Verdict::Stands);
        check(&ground, at(0, 6), "2024-01-01", Verdict::Emptied);
    }

    #[test]
    fn replacements_lead_to_one_that_stands_even_in_a_circle() {
        let mut ground = Ground::default();
        for (from, to) in [("A", "B"), ("B", "C"), ("C", "B")] {
            ground.replace(from.into(), Edge { to: to.into(), at: at(0, 9) });
        }
        assert_eq!(ground.path("A"), ["B", "C", "B"]);
        assert_eq!(ground.owner("A", at(0, 3)), "B");
        assert_eq!(ground.owner("C", at(0, 3)), "B");
        assert_eq!(ground.owner("A", at(0, 10)), "A");
    }

    #[test]
    fn what_moved_to_a_person_who_withdrew_does_not_stand() {
        let mut ground = Ground::default();
        ground.replace("A".into(), Edge { to: "B".into(), at: at(0, 9) });
        let decided_on = "2024-05-01".parse().unwrap();
        ground.withdraw("B".into(), Tombstone { at: at(0, 1), scope: Scope::NoFurtherUse, decided_on });
        check(&ground, at(0, 3), "2024-01-01", Verdict::Emptied);
        check(&ground, at(0, 10), "2024-01-01", Verdict::Stands);
        assert_eq!(ground.barred_until("A"), Some(decided_on));
    }
}
