//! Making messages of dispatches: what is known of the person is read, held against the agreement,
//! and written.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::day::Day;
use crate::base::private::{Exchange, Grant};
use crate::base::seal::Hasher;
use crate::exchange::decide::{Record, Refusal, Standing, decide};
use crate::exchange::message::PartnerMessage;
use crate::exchange::objection::Objection;
use crate::gateway::exchange::lay::files;
use crate::gateway::exchange::plan::Plan;
use crate::gateway::exchange::request;
use crate::gateway::release::file::{File, draft};
use crate::gateway::{Gateway, GatewayError};
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::store::dispatch::Dispatch;
use crate::store::objection::{self, ObjectionRow};
use crate::store::record::CurrentRecord;
use crate::store::{StoreError, Tx, told};

/// What comes of a dispatch.
pub enum Outcome {
    /// A message.
    Message(PartnerMessage),
    /// It would say what the partner was last told.
    Unchanged,
    /// Nothing may go.
    Refused(Refusal),
}

/// Makes messages.
pub struct Maker<'m> {
    gateway: &'m Gateway,
    plan: &'m Plan,
    hasher: Hasher,
    at: Day,
}

impl<'m> Maker<'m> {
    /// One that decides for today.
    #[must_use]
    pub fn new(gateway: &'m Gateway, plan: &'m Plan) -> Self {
        let at = gateway.edge.now().london_day();
        Self { gateway, plan, hasher: gateway.keys.index.hasher("exchange/message"), at }
    }

    /// What comes of some dispatches, in their order.
    ///
    /// # Errors
    /// Where the store, a key or the machine fails.
    pub fn make(
        &self,
        tx: &mut Tx,
        rows: &[Dispatch],
        grant: &Grant<Exchange>,
    ) -> Result<Vec<Outcome>, GatewayError> {
        let people: BTreeSet<&String> =
            rows.iter().filter(|row| row.record_kind != request::KIND).map(|row| &row.person_id).collect();
        let people: Vec<String> = people.into_iter().cloned().collect();
        let mut of_person = BTreeMap::new();
        for file in files(tx, &people)? {
            let known = Known::read(tx, self.gateway, file)?;
            of_person.insert(known.file.wishes.person.to_string(), known);
        }
        let mut outcomes = Vec::with_capacity(rows.len());
        for row in rows {
            let made = match of_person.get(&row.person_id) {
                _ if row.record_kind == request::KIND => {
                    request::make(tx, self.gateway, self.plan, row, (&self.hasher, self.at), grant)?
                }
                Some(known) => self.one(known, row, grant)?,
                None => Err(Refusal::Superseded),
            };
            outcomes.push(match made {
                Err(refusal) => Outcome::Refused(refusal),
                Ok(message) => {
                    let ids = std::slice::from_ref(&row.record_id);
                    let before = told::list(tx, &row.partner, &row.mapping, ids)?;
                    let is_same = before
                        .iter()
                        .any(|before| before.content_hash == message.content.as_bytes().as_slice());
                    if is_same { Outcome::Unchanged } else { Outcome::Message(message) }
                }
            });
        }
        Ok(outcomes)
    }

    fn one(
        &self,
        known: &Known,
        row: &Dispatch,
        grant: &Grant<Exchange>,
    ) -> Result<Result<PartnerMessage, Refusal>, GatewayError> {
        let (Some(flow), Some(layout)) = (self.plan.flows.get(&row.flow), self.plan.layout(&row.mapping))
        else {
            return Ok(Err(Refusal::NoAgreement));
        };
        let found = known.records.iter().find(|(record, _)| record.id == row.record_id);
        let Some((record, draft)) = found.filter(|(record, _)| record.number == row.number) else {
            return Ok(Err(Refusal::Superseded));
        };
        let people: Vec<Record<'_>> = known
            .records
            .iter()
            .filter(|(record, _)| record.kind == Kind::Person.as_str())
            .map(|(record, draft)| as_record(Kind::Person, record, draft))
            .collect();
        let asked = as_record(flow.when.kind, record, draft);
        let agreement = self.plan.agreements.get(&row.agreement);
        let by = flow.when.occasion_fields();
        let cleared = match decide(agreement, &known.standing, &asked, &people, by, self.at) {
            Ok(cleared) => cleared,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (number, round) = (row.number.to_string(), row.round.to_string());
        let about = [row.partner.as_str(), &row.mapping, &row.record_id, &number, &round];
        Ok(cleared.write(layout, &about, &self.hasher, grant)?)
    }
}

/// A person, with what stands in the way of their records, and these as drafts.
struct Known {
    file: File,
    standing: Standing,
    records: Vec<(CurrentRecord, Draft)>,
}

impl Known {
    fn read(tx: &mut Tx, gateway: &Gateway, file: File) -> Result<Self, GatewayError> {
        let standing = standing(tx, &file)?;
        let keys = file.wishes.data_keys(gateway)?;
        let mut records = Vec::new();
        for record in file.records.iter().filter(|record| !record.is_absent) {
            // Of a source that was shredded there is nothing to tell.
            let is_there = record.subject_id.as_ref().is_some_and(|subject| keys.contains_key(subject));
            if is_there {
                records.push((record.clone(), draft(record, &keys)?));
            }
        }
        Ok(Self { file, standing, records })
    }
}

/// How things stand with a person.
pub(super) fn standing(tx: &mut Tx, file: &File) -> Result<Standing, StoreError> {
    let subjects: Vec<String> = file.wishes.subjects.iter().map(|row| row.id.clone()).collect();
    let said = objection::list(tx, &subjects)?.iter().map(said).collect::<Result<_, _>>()?;
    Ok(Standing {
        is_known: file.wishes.subjects.iter().any(|row| row.is_known),
        is_in_doubt: file.wishes.is_in_doubt,
        is_restricted: file.is_restricted(),
        objections: said,
    })
}

pub(super) fn said(row: &ObjectionRow) -> Result<Objection, StoreError> {
    Ok(Objection {
        agreement: row.agreement.clone(),
        is_lifted: row.decision == "lifted",
        decided_on: row.decided_on.parse().map_err(|_day| StoreError::Unreadable { what: "objection" })?,
    })
}

fn as_record<'r>(kind: Kind, record: &'r CurrentRecord, draft: &'r Draft) -> Record<'r> {
    let source_time = record.source_time.as_ref().and_then(|time| time.parse().ok());
    Record { kind, source: &record.source, source_time, draft }
}
