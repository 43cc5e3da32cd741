//! What a decision does to the people in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::base::edge::Instant;
use crate::base::id::{IntentId, PersonId, SubjectId};
use crate::gateway::link::{Linked, subject_id};
use crate::gateway::{Gateway, GatewayError};
use crate::person::decide::Decision;
use crate::person::settle::{Known, Settled, settle};
use crate::store::intent::{self, Intent};
use crate::store::link::{self, DoubtRow, EdgeRow};
use crate::store::person::{self, PersonEvent};
use crate::store::subject::{self, SubjectRow};
use crate::store::work::{self, Step};
use crate::store::{StoreError, Tx, standing};

/// Writes down links, doubts and people, and hands on whoever was touched.
pub(super) fn settle_all(
    tx: &mut Tx,
    gateway: &Gateway,
    rows: &[SubjectRow],
    decision: &Decision,
    run_id: &str,
) -> Result<Linked, GatewayError> {
    let at = gateway.edge.now();
    write_links(tx, rows, decision, at)?;
    let known = known(tx, rows)?;
    let mut linked = Linked::default();
    let mut touched = BTreeSet::new();
    for settled in settle(&decision.clusters, &known) {
        let tiers = tiers(decision, &settled);
        let mut act = Act { tx, gateway, at: at.to_string(), tiers };
        touched.insert(act.take(&settled, &known, &mut linked)?);
        touched.extend(settled.split_from.map(|person| person.to_string()));
    }
    let touched: Vec<String> = touched.into_iter().collect();
    work::push(tx, Step::Release, &touched, run_id, &at.to_string())?;
    Ok(linked)
}

fn write_links(tx: &mut Tx, rows: &[SubjectRow], decision: &Decision, at: Instant) -> Result<(), StoreError> {
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let edges: Vec<EdgeRow> = decision
        .edges
        .iter()
        .map(|edge| EdgeRow {
            subject_a: edge.a.to_string(),
            subject_b: edge.b.to_string(),
            tier: edge.tier.as_str().to_owned(),
            decided_at: at.to_string(),
        })
        .collect();
    let doubts: Vec<DoubtRow> = decision
        .doubts
        .iter()
        .map(|doubt| DoubtRow {
            subject_a: doubt.a.to_string(),
            subject_b: doubt.b.to_string(),
            reason: doubt.reason.as_str().to_owned(),
            at: at.to_string(),
        })
        .collect();
    link::replace(tx, &ids, &edges, &doubts)
}

fn known(tx: &mut Tx, rows: &[SubjectRow]) -> Result<BTreeMap<SubjectId, Known>, StoreError> {
    let ids: BTreeSet<String> = rows.iter().filter_map(|row| row.person_id.clone()).collect();
    let ids: Vec<String> = ids.into_iter().collect();
    let mut people = BTreeMap::new();
    for row in person::find(tx, &ids)? {
        let unreadable = |what| StoreError::Unreadable { what };
        let id = PersonId::from_str(&row.id).map_err(|_id| unreadable("person id"))?;
        let formed = Instant::from_str(&row.created_at).map_err(|_at| unreadable("instant"))?.unix_ms();
        people.insert(row.id, Known { id, formed });
    }
    let mut known = BTreeMap::new();
    for row in rows {
        if let Some(person) = row.person_id.as_ref().and_then(|id| people.get(id)) {
            known.insert(subject_id(&row.id)?, *person);
        }
    }
    Ok(known)
}

/// The strongest link of each subject within its cluster.
fn tiers(decision: &Decision, settled: &Settled) -> BTreeMap<SubjectId, &'static str> {
    let mut tiers = BTreeMap::new();
    for edge in decision.edges.iter().rev() {
        for end in [edge.a, edge.b] {
            if settled.subjects.binary_search(&end).is_ok() {
                tiers.insert(end, edge.tier.as_str());
            }
        }
    }
    tiers
}

struct Act<'a> {
    tx: &'a mut Tx,
    gateway: &'a Gateway,
    at: String,
    tiers: BTreeMap<SubjectId, &'static str>,
}

impl Act<'_> {
    /// Does it, and returns the person the cluster is from now on.
    fn take(
        &mut self,
        settled: &Settled,
        known: &BTreeMap<SubjectId, Known>,
        linked: &mut Linked,
    ) -> Result<String, GatewayError> {
        let person = match settled.person {
            Some(person) => person.to_string(),
            None => {
                let person = PersonId::mint(&self.gateway.edge).to_string();
                person::create(self.tx, &person, &self.at)?;
                let from = settled.split_from.map(|from| from.to_string());
                match from {
                    Some(from) => {
                        linked.split += 1;
                        self.event("split", &from, Some(&person), None, "")?;
                    }
                    None => {
                        linked.formed += 1;
                        self.event("formed", &person, None, None, "")?;
                    }
                }
                person
            }
        };
        for old in &settled.merged {
            linked.merged += 1;
            self.merge(&old.to_string(), &person)?;
        }
        for joined in &settled.joined {
            let tier = self.tiers.get(joined).copied().unwrap_or_default();
            let id = joined.to_string();
            if let Some(old) = known.get(joined) {
                self.event("left", &old.id.to_string(), Some(&person), Some(&id), tier)?;
            }
            linked.joined += 1;
            self.event("joined", &person, None, Some(&id), tier)?;
            subject::set_person(self.tx, &id, Some(&person))?;
        }
        Ok(person)
    }

    /// Ends one person in another. What was told of the first is said to be of the second; what
    /// is not sent yet is laid again for the second.
    fn merge(&mut self, old: &str, stands: &str) -> Result<(), GatewayError> {
        person::set_superseded(self.tx, old, stands)?;
        self.event("merged", stands, Some(old), None, "")?;
        for study in intent::list_studies(self.tx, old)? {
            let is_out = intent::was_ever_out(self.tx, &study, old)?;
            let unsent = intent::list_unsent(self.tx, &study, old)?;
            let gone: Vec<String> = unsent
                .into_iter()
                .filter(|intent| !matches!(intent.kind.as_str(), "withdrawn" | "superseded"))
                .map(|intent| intent.id)
                .collect();
            intent::delete(self.tx, &gone)?;
            if !is_out {
                continue;
            }
            let sequence = intent::next_sequence(self.tx, &study, old)?;
            // What is told of the second from now on must stand over what moved to it.
            let last = intent::last_sequence(self.tx, &study, stands)?.max(sequence);
            intent::raise_sequence(self.tx, &study, stands, last)?;
            let told = Intent {
                id: IntentId::mint(&self.gateway.edge).to_string(),
                study,
                person_id: Some(old.to_owned()),
                record_id: Some(stands.to_owned()),
                record_kind: None,
                number: 0,
                kind: "superseded".to_owned(),
                reason: String::new(),
                basis: String::new(),
                notice_id: None,
                state: "waiting".to_owned(),
                lease_until: None,
                claimed_by: None,
                message_id: None,
                sequence,
                created_at: self.at.clone(),
                sent_at: None,
                release_id: None,
            };
            intent::lay(self.tx, &[told])?;
        }
        standing::move_person(self.tx, old, stands)?;
        Ok(())
    }

    fn event(
        &mut self,
        kind: &str,
        person: &str,
        other: Option<&str>,
        subject: Option<&str>,
        tier: &str,
    ) -> Result<(), StoreError> {
        let event = PersonEvent {
            id: String::new(),
            kind: kind.to_owned(),
            person_id: person.to_owned(),
            other_person_id: other.map(str::to_owned),
            subject_id: subject.map(str::to_owned),
            tier: tier.to_owned(),
            reason: String::new(),
            at: self.at.clone(),
        };
        person::append_event(self.tx, event)
    }
}
