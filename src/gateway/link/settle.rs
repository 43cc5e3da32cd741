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
use crate::store::person::{self, PersonEvent, PersonRow};
use crate::store::subject::{self, SubjectRow};
use crate::store::work::{self, Step};
use crate::store::{StoreError, Tx, dispatch, requested, standing};

/// Writes down links, doubts and people, and hands on whoever was touched.
pub(super) fn settle_all(
    tx: &mut Tx,
    gateway: &Gateway,
    rows: BTreeMap<String, SubjectRow>,
    decision: &Decision,
    run_id: &str,
) -> Result<Linked, GatewayError> {
    let at = gateway.edge.now();
    let rows: Vec<SubjectRow> = rows.into_values().collect();
    write_links(tx, &rows, decision, at)?;
    let known = known(tx, &rows)?;
    let mut acts = Acts {
        gateway,
        at: at.to_string(),
        tiers: tiers(decision),
        known: &known,
        linked: Linked::default(),
        formed: Vec::new(),
        moved: Vec::new(),
        events: Vec::new(),
        touched: BTreeSet::new(),
    };
    for settled in settle(&decision.clusters, &known) {
        acts.take(tx, &settled)?;
    }
    acts.write(tx, run_id)
}

fn write_links(tx: &mut Tx, rows: &[SubjectRow], decision: &Decision, at: Instant) -> Result<(), StoreError> {
    // Whoever belongs to no person has never been looked at, and so has no links yet.
    let ids: Vec<String> =
        rows.iter().filter(|row| row.person_id.is_some()).map(|row| row.id.clone()).collect();
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

/// The strongest link of each subject.
fn tiers(decision: &Decision) -> BTreeMap<SubjectId, &'static str> {
    let mut tiers = BTreeMap::new();
    for edge in decision.edges.iter().rev() {
        tiers.insert(edge.a, edge.tier.as_str());
        tiers.insert(edge.b, edge.tier.as_str());
    }
    tiers
}

/// What is done to the people, gathered to be written in a few statements.
struct Acts<'a> {
    gateway: &'a Gateway,
    at: String,
    tiers: BTreeMap<SubjectId, &'static str>,
    known: &'a BTreeMap<SubjectId, Known>,
    linked: Linked,
    formed: Vec<PersonRow>,
    /// Subjects and the people they come to.
    moved: Vec<(String, String)>,
    events: Vec<PersonEvent>,
    touched: BTreeSet<String>,
}

impl Acts<'_> {
    fn take(&mut self, tx: &mut Tx, settled: &Settled) -> Result<(), GatewayError> {
        let formed_with = if settled.person.is_none() { settled.joined.first() } else { None };
        let person = match settled.person {
            Some(person) => person.to_string(),
            None => self.form(settled),
        };
        for old in &settled.merged {
            self.linked.merged += 1;
            self.merge(tx, &old.to_string(), &person)?;
        }
        for joined in &settled.joined {
            let tier = self.tiers.get(joined).copied().unwrap_or_default();
            let id = joined.to_string();
            if let Some(old) = self.known.get(joined) {
                self.event("left", &old.id.to_string(), Some(&person), Some(&id), tier);
            }
            self.linked.joined += 1;
            if formed_with != Some(joined) || settled.split_from.is_some() {
                self.event("joined", &person, None, Some(&id), tier);
            }
            self.moved.push((id, person.clone()));
        }
        self.touched.insert(person);
        self.touched.extend(settled.split_from.map(|from| from.to_string()));
        Ok(())
    }

    /// A new person, perhaps parted from another. Most are of one subject, and never of more: so it
    /// is one event that says both, and names the first.
    fn form(&mut self, settled: &Settled) -> String {
        let id = PersonId::mint(&self.gateway.edge).to_string();
        self.formed.push(PersonRow { id: id.clone(), created_at: self.at.clone(), superseded_by: None });
        match settled.split_from {
            Some(from) => {
                self.linked.split += 1;
                self.event("split", &from.to_string(), Some(&id), None, "");
            }
            None => {
                self.linked.formed += 1;
                let first = settled.joined.first();
                let tier = first.and_then(|first| self.tiers.get(first)).copied().unwrap_or_default();
                self.event("formed", &id, None, first.map(ToString::to_string).as_deref(), tier);
            }
        }
        id
    }

    fn write(self, tx: &mut Tx, run_id: &str) -> Result<Linked, GatewayError> {
        person::create(tx, &self.formed)?;
        subject::set_people(tx, &self.moved)?;
        person::append_events(tx, self.events)?;
        let touched: Vec<String> = self.touched.into_iter().collect();
        work::push(tx, Step::Release, &touched, run_id, &self.at)?;
        work::push(tx, Step::Exchange, &touched, run_id, &self.at)?;
        Ok(self.linked)
    }

    /// Ends one person in another. What was told of the first is said to be of the second; what
    /// is not sent yet is laid again for the second.
    fn merge(&mut self, tx: &mut Tx, old: &str, stands: &str) -> Result<(), GatewayError> {
        person::set_superseded(tx, old, stands)?;
        dispatch::set_person(tx, old, stands)?;
        requested::set_person(tx, old, stands)?;
        self.event("merged", stands, Some(old), None, "");
        for study in intent::list_studies(tx, old)? {
            let is_out = intent::was_ever_out(tx, &study, old)?;
            let unsent = intent::list_unsent(tx, &study, &[old.to_owned()])?;
            let gone: Vec<String> = unsent
                .into_iter()
                .filter(|intent| !matches!(intent.kind.as_str(), "withdrawn" | "superseded"))
                .map(|intent| intent.id)
                .collect();
            intent::delete(tx, &gone)?;
            if !is_out {
                continue;
            }
            let sequence = intent::next_sequence(tx, &study, old)?;
            // What is told of the second from now on must stand over what moved to it.
            let last = intent::last_sequence(tx, &study, stands)?.max(sequence);
            intent::raise_sequence(tx, &study, stands, last)?;
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
            intent::lay(tx, &[told])?;
        }
        standing::move_person(tx, old, stands)?;
        Ok(())
    }

    fn event(&mut self, kind: &str, person: &str, other: Option<&str>, subject: Option<&str>, tier: &str) {
        self.events.push(PersonEvent {
            person_id: person.to_owned(),
            number: 0,
            kind: kind.to_owned(),
            other_person_id: other.map(str::to_owned),
            subject_id: subject.map(str::to_owned),
            tier: tier.to_owned(),
            reason: String::new(),
            at: self.at.clone(),
        });
    }
}
