//! What a decision does to the people known so far: formed, joined, left, merged, split.
//!
//! A person's id is kept stable. Where clusters run together the older person stands; where one
//! falls apart, the part with the subject first known keeps the id, and the others become new
//! people.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::id::{PersonId, SubjectId};

/// A person known so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The person.
    pub id: PersonId,
    /// When it was formed, in any unit that orders.
    pub formed: i64,
}

/// What is to be done with one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The person the cluster is from now on; `None` for a new one.
    pub person: Option<PersonId>,
    /// The cluster.
    pub subjects: Vec<SubjectId>,
    /// Subjects that come to the person by this decision.
    pub joined: Vec<SubjectId>,
    /// People who end in this one.
    pub merged: Vec<PersonId>,
    /// The person this new one was parted from.
    pub split_from: Option<PersonId>,
}

impl Settled {
    /// True if nothing is new.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.person.is_some() && self.joined.is_empty() && self.merged.is_empty()
    }
}

/// Settles clusters against the people of their subjects. `known` gives the person of each
/// subject that has one; subjects of such a person outside the clusters are given too, each in a
/// cluster of its own or with others.
#[must_use]
pub fn settle(clusters: &[Vec<SubjectId>], known: &BTreeMap<SubjectId, Known>) -> Vec<Settled> {
    // Subject ids are in order of first sight, so the least is the oldest.
    let mut keeper: BTreeMap<PersonId, SubjectId> = BTreeMap::new();
    for (subject, person) in known {
        keeper.entry(person.id).or_insert(*subject);
    }
    let mut settled: Vec<Settled> =
        clusters.iter().map(|cluster| settle_one(cluster, known, &keeper)).collect();
    settled.sort_by(|a, b| a.subjects.cmp(&b.subjects));
    settled
}

fn settle_one(
    cluster: &[SubjectId],
    known: &BTreeMap<SubjectId, Known>,
    keeper: &BTreeMap<PersonId, SubjectId>,
) -> Settled {
    let mut subjects = cluster.to_vec();
    subjects.sort_unstable();
    let before: Vec<(SubjectId, Known)> =
        subjects.iter().filter_map(|subject| Some((*subject, *known.get(subject)?))).collect();
    let kept: BTreeSet<(i64, PersonId)> = before
        .iter()
        .filter(|(subject, person)| keeper.get(&person.id) == Some(subject))
        .map(|(_, person)| (person.formed, person.id))
        .collect();
    let person = kept.first().map(|(_, id)| *id);
    let joined = subjects
        .iter()
        .copied()
        .filter(|subject| known.get(subject).map(|known| known.id) != person || person.is_none())
        .collect();
    let merged = kept.iter().skip(1).map(|(_, id)| *id).collect();
    let split_from = if person.is_none() { before.first().map(|(_, known)| known.id) } else { None };
    Settled { person, subjects, joined, merged, split_from }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Known, settle};
    use crate::base::id::{PersonId, SubjectId};

    fn subject(n: u128) -> SubjectId {
        SubjectId::from_bits(n)
    }

    fn known(pairs: &[(u128, u128)]) -> BTreeMap<SubjectId, Known> {
        // A greater person number is an older person, so that age and order disagree.
        pairs
            .iter()
            .map(|(s, p)| {
                let formed = -i64::try_from(*p).unwrap();
                (subject(*s), Known { id: PersonId::from_bits(*p), formed })
            })
            .collect()
    }

    #[test]
    fn formed_joined_and_left_alone() {
        let settled = settle(&[vec![subject(1)]], &known(&[]));
        assert_eq!((settled[0].person, settled[0].joined.len(), settled[0].split_from), (None, 1, None));
        let settled = settle(&[vec![subject(1), subject(2)]], &known(&[(1, 9)]));
        assert_eq!(settled[0].person, Some(PersonId::from_bits(9)));
        assert_eq!(settled[0].joined, [subject(2)]);
        let settled = settle(&[vec![subject(1), subject(2)]], &known(&[(1, 9), (2, 9)]));
        assert!(settled[0].is_unchanged());
    }

    #[test]
    fn merged_into_the_older() {
        let settled = settle(&[vec![subject(1), subject(2)]], &known(&[(1, 7), (2, 8)]));
        assert_eq!(settled[0].person, Some(PersonId::from_bits(8)));
        assert_eq!(settled[0].merged, [PersonId::from_bits(7)]);
        assert_eq!(settled[0].joined, [subject(1)]);
    }

    #[test]
    fn split_keeps_the_id_with_the_first_subject() {
        let settled = settle(&[vec![subject(1)], vec![subject(2)]], &known(&[(1, 7), (2, 7)]));
        assert_eq!(settled[0].person, Some(PersonId::from_bits(7)));
        assert!(settled[0].is_unchanged());
        assert_eq!((settled[1].person, settled[1].split_from), (None, Some(PersonId::from_bits(7))));
    }
}
