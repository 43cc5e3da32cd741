//! Clusters of subjects: who is the same person, who is not, and who is in doubt.
//!
//! Tiers are taken from the strongest down. Within a tier all links that hang together are taken
//! or refused together, so that the order of the subjects makes no difference. They are refused
//! where they would put two different good NHS numbers into one person, or two subjects of one
//! source who are not already one by their NHS number: then not one candidate fits but several.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::day::Day;
use crate::base::id::SubjectId;
use crate::base::private::{Grant, Link};
use crate::person::compare::{Likeness, Reason, Tier, compare};
use crate::person::features::{Features, Head, Subjects};

/// What was decided of a batch of subjects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Each cluster is one person: subjects in order. Every subject is in exactly one.
    pub clusters: Vec<Vec<SubjectId>>,
    /// The links taken.
    pub edges: Vec<Edge>,
    /// The links not taken that a person should look at.
    pub doubts: Vec<Doubt>,
}

/// A link between two subjects, the lesser id first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// One subject.
    pub a: SubjectId,
    /// The other.
    pub b: SubjectId,
    /// What it rests on.
    pub tier: Tier,
}

/// Two subjects who may be one person, the lesser id first; one against itself where too little
/// is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubt {
    /// One subject.
    pub a: SubjectId,
    /// The other.
    pub b: SubjectId,
    /// Why.
    pub reason: Reason,
}

/// Decides. The subjects must be closed under the blocks: whoever shares a block with one of them
/// is among them.
#[must_use]
pub fn decide(subjects: &Subjects, grant: &Grant<Link>) -> Decision {
    let mut people: Vec<(&Head, &Features)> = subjects.open(grant).collect();
    people.sort_by_key(|(head, _)| head.id);
    people.dedup_by_key(|(head, _)| head.id);
    let mut pairs = Pairs::default();
    for (a, b) in candidates(&people) {
        if let (Some(a_one), Some(b_one)) = (people.get(a), people.get(b)) {
            pairs.judge(a, b, *a_one, *b_one);
        }
    }
    let mut union = Union::of(&people);
    let mut edges = Vec::new();
    for tier in Tier::ALL {
        let links = pairs.alike.remove(tier).unwrap_or_default();
        take(&links, *tier, &people, &mut union, &mut edges, &mut pairs.doubts);
    }
    finish(&people, &union, edges, pairs.doubts)
}

/// Pairs by what they look like.
#[derive(Default)]
struct Pairs {
    alike: BTreeMap<Tier, Vec<(usize, usize)>>,
    doubts: Vec<(usize, usize, Reason)>,
}

impl Pairs {
    fn judge(&mut self, a: usize, b: usize, a_one: (&Head, &Features), b_one: (&Head, &Features)) {
        match compare(a_one.1, b_one.1) {
            Likeness::Alike(tier) => self.alike.entry(tier).or_default().push((a, b)),
            // One source that tells two NHS numbers apart knows two people.
            Likeness::Against(_) if a_one.0.source == b_one.0.source => {}
            Likeness::Against(_) => self.doubts.push((a, b, Reason::NhsConflict)),
            Likeness::NhsOnly => self.doubts.push((a, b, Reason::NhsOnly)),
            Likeness::Apart => {}
        }
    }
}

/// What two subjects must share for any tier to be met.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Block<'f> {
    Nhs(&'f str),
    Key(u8, &'f str),
    NameBirth(&'f str, &'f str, Day),
    BirthPostcode(Day, &'f str),
}

fn blocks(features: &Features) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    blocks.extend(features.nhs_number.as_deref().map(Block::Nhs));
    let keys = [&features.council_id, &features.tracker_ref, &features.trust_id];
    blocks.extend((0_u8..).zip(keys).filter_map(|(n, key)| Some(Block::Key(n, key.as_deref()?))));
    if let Some(birth) = features.birth {
        blocks.push(Block::NameBirth(&features.family, &features.given, birth));
        if !features.postcode.is_empty() {
            blocks.push(Block::BirthPostcode(birth, &features.postcode));
        }
    }
    blocks
}

fn candidates(people: &[(&Head, &Features)]) -> BTreeSet<(usize, usize)> {
    let mut by_block: BTreeMap<Block<'_>, Vec<usize>> = BTreeMap::new();
    for (index, (_, features)) in people.iter().enumerate() {
        for block in blocks(features) {
            by_block.entry(block).or_default().push(index);
        }
    }
    let mut pairs = BTreeSet::new();
    for members in by_block.values() {
        for (at, a) in members.iter().enumerate() {
            pairs.extend(members.iter().skip(at + 1).map(|b| (*a, *b)));
        }
    }
    pairs
}

/// Takes the links of one tier, component by component, or refuses them.
fn take(
    links: &[(usize, usize)],
    tier: Tier,
    people: &[(&Head, &Features)],
    union: &mut Union,
    edges: &mut Vec<Edge>,
    doubts: &mut Vec<(usize, usize, Reason)>,
) {
    let mut trial = union.clone();
    for (a, b) in links {
        trial.join(*a, *b);
    }
    let mut components: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for (a, b) in links {
        components.entry(trial.root(*a)).or_default().push((*a, *b));
    }
    for (root, links) in components {
        let members = trial.members(root);
        match veto(&members, tier, people, union) {
            None => {
                for (a, b) in links {
                    union.join(a, b);
                    if let (Some((a, _)), Some((b, _))) = (people.get(a), people.get(b)) {
                        edges.push(Edge { a: a.id, b: b.id, tier });
                    }
                }
            }
            Some(reason) => doubts.extend(links.into_iter().map(|(a, b)| (a, b, reason))),
        }
    }
}

/// Why these subjects may not become one person.
fn veto(members: &[usize], tier: Tier, people: &[(&Head, &Features)], union: &Union) -> Option<Reason> {
    let people_of = || members.iter().filter_map(|index| Some((*index, people.get(*index)?)));
    let numbers: BTreeSet<&str> = people_of().filter_map(|(_, (_, f))| f.nhs_number.as_deref()).collect();
    if numbers.len() > 1 {
        return Some(Reason::ClusterConflict);
    }
    // One NHS number twice in one source is one person registered twice.
    if matches!(tier, Tier::D1 | Tier::Confirmed) {
        return None;
    }
    let mut roots: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
    for (index, (head, _)) in people_of() {
        let root = union.root(index);
        if *roots.entry(&head.source).or_insert(root) != root {
            return Some(Reason::NotUnique);
        }
    }
    None
}

fn finish(
    people: &[(&Head, &Features)],
    union: &Union,
    mut edges: Vec<Edge>,
    doubts: Vec<(usize, usize, Reason)>,
) -> Decision {
    let mut clusters: BTreeMap<usize, Vec<SubjectId>> = BTreeMap::new();
    for (index, (head, _)) in people.iter().enumerate() {
        clusters.entry(union.root(index)).or_default().push(head.id);
    }
    let mut doubts: Vec<Doubt> = doubts
        .into_iter()
        // What a stronger tier has settled is no longer in doubt.
        .filter(|(a, b, _)| union.root(*a) != union.root(*b))
        .filter_map(|(a, b, reason)| {
            let ((a, _), (b, _)) = (people.get(a)?, people.get(b)?);
            let is_one_source = reason == Reason::NotUnique && a.source == b.source;
            let reason = if is_one_source { Reason::PossibleDuplicate } else { reason };
            Some(Doubt { a: a.id, b: b.id, reason })
        })
        .collect();
    let unknown = people.iter().filter(|(_, features)| !features.is_enough());
    doubts.extend(unknown.map(|(head, _)| Doubt { a: head.id, b: head.id, reason: Reason::TooLittle }));
    edges.sort_unstable();
    doubts.sort_unstable();
    doubts.dedup();
    let mut clusters: Vec<_> = clusters.into_values().collect();
    clusters.sort_unstable();
    Decision { clusters, edges, doubts }
}

/// Disjoint sets, each known by its least member.
#[derive(Clone)]
struct Union {
    root: Vec<usize>,
}

impl Union {
    fn of(people: &[(&Head, &Features)]) -> Self {
        Self { root: (0..people.len()).collect() }
    }

    fn root(&self, index: usize) -> usize {
        self.root.get(index).copied().unwrap_or(index)
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        let (least, other) = (a.min(b), a.max(b));
        for root in &mut self.root {
            if *root == other {
                *root = least;
            }
        }
    }

    fn members(&self, root: usize) -> Vec<usize> {
        (0..self.root.len()).filter(|index| self.root(*index) == root).collect()
    }
}
