//! One transaction: up to a thousand units, with everything that follows from them.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::finding::{Code, Finding, Severity};
use crate::base::origin::Origin;
use crate::base::seal::{KeyedHash, Sealed};
use crate::config::Scope;
use crate::gateway::GatewayError;
use crate::gateway::deliver::Found;
use crate::gateway::process::heads::{Change, Heads};
use crate::gateway::process::ledger::{Outcome, Tally};
use crate::gateway::process::people::People;
use crate::gateway::process::read::{Content, RecordRead, UnitRead};
use crate::gateway::process::seen::{Again, Seen};
use crate::gateway::process::{Progress, Work};
use crate::mapping::Update;
use crate::record::kind::Kind;
use crate::store::Tx;
use crate::store::inbox::{self, Seen as SeenEvent};
use crate::store::quarantine::{self, Quarantined};
use crate::store::run::{self, Run};
use crate::store::unit_outcome::{self, UnitOutcome};
use crate::store::work::{self, Step};

/// What a transaction did, taken over once it is committed.
pub(super) struct Written {
    pub(super) run: Run,
    pub(super) tally: Tally,
    pub(super) seen: Seen,
}

/// What is decided of a unit before its records are looked at.
enum Verdict {
    Counted(Outcome),
    Taken,
}

struct Writer<'w> {
    work: &'w Work<'w>,
    before: &'w Seen,
    fresh: Seen,
    run: Run,
    tally: Tally,
    quarantined: Vec<Quarantined>,
    events: Vec<SeenEvent>,
    /// For the receipts of events that were posted.
    outcomes: Vec<UnitOutcome>,
    /// Found in the unit at hand when its records were looked at.
    conflicts: Vec<Finding>,
    known_events: BTreeMap<KeyedHash, (String, i64)>,
    touched: BTreeSet<String>,
    at: String,
}

/// Writes the units of a chunk. Runs again from the beginning where the transaction lost a race,
/// so it takes nothing away from what it is given.
pub(super) fn write(
    tx: &mut Tx,
    work: &Work<'_>,
    state: &Progress,
    units: &[UnitRead],
) -> Result<Written, GatewayError> {
    let mut writer = Writer {
        work,
        before: &state.seen,
        fresh: Seen::default(),
        run: state.run.clone(),
        tally: state.tally.clone(),
        quarantined: Vec::new(),
        events: Vec::new(),
        outcomes: Vec::new(),
        conflicts: Vec::new(),
        known_events: known_events(tx, work, units)?,
        touched: BTreeSet::new(),
        at: work.gateway.edge.now().to_string(),
    };
    if run::find(tx, &state.run.id)?.position != state.run.position {
        // Another process goes on with the same run: what it has committed must not be counted again.
        return Err(GatewayError::Elsewhere { what: state.run.id.clone() });
    }
    let mut people = People::new(work);
    // Where everybody is in scope, whom a unit is about matters only once it says something new.
    let is_asking = work.feed.scope != Scope::Everyone;
    if is_asking {
        people.load_all(tx, units)?;
    }
    let mut taken = Vec::with_capacity(units.len());
    for unit in units {
        match writer.judge(&mut people, unit) {
            Verdict::Counted(outcome) => writer.count(unit, outcome),
            Verdict::Taken => taken.push((unit, writer.in_scope(&mut people, unit))),
        }
    }
    let run_id = state.run.id.clone();
    let mut heads = Heads::load(tx, work, &run_id, &taken)?;
    let changing = heads.subjects_changing(&taken);
    if !is_asking {
        people.load(tx, &changing)?;
        changing.iter().for_each(|subject| people.admit(*subject, &writer.at));
    }
    people.load_keys(tx, &changing)?;
    for (unit, records) in &taken {
        let outcome = writer.records(&mut people, &mut heads, unit, records)?;
        writer.count(unit, outcome);
    }
    people.write(tx)?;
    heads.write(tx)?;
    writer.finish(tx, units)
}

/// The events of a chunk that an earlier unit brought already.
fn known_events(
    tx: &mut Tx,
    work: &Work<'_>,
    units: &[UnitRead],
) -> Result<BTreeMap<KeyedHash, (String, i64)>, GatewayError> {
    let ids: Vec<KeyedHash> = units.iter().filter_map(|unit| unit.event).collect();
    let known = inbox::find(tx, &work.feed.source, &ids)?;
    let known = known
        .into_iter()
        .filter_map(|seen| Some((KeyedHash::from_slice(&seen.webhook_id_hash)?, (seen.batch_id, seen.unit))));
    Ok(known.collect())
}

impl Writer<'_> {
    /// Everything that is decided before the records are looked at, in the order in which
    /// outcomes apply.
    fn judge(&mut self, people: &mut People<'_>, unit: &UnitRead) -> Verdict {
        match &unit.content {
            Content::Refused(about) => {
                self.fresh.note_doubt(about);
                Verdict::Counted(Outcome::Rejected)
            }
            Content::SetAside { sealed, about } => {
                self.fresh.note_doubt(about);
                Verdict::Counted(self.set_aside(people, unit, sealed, about))
            }
            Content::Nothing | Content::Records(_) => {
                // Both are asked, so that both are remembered.
                let is_again = self.before.is_again(&mut self.fresh, unit);
                if self.is_known_event(unit) || is_again {
                    return Verdict::Counted(Outcome::Duplicate);
                }
                let Content::Records(records) = &unit.content else {
                    return Verdict::Counted(Outcome::Filtered);
                };
                if records.iter().any(|record| people.is_in_scope(record.subject.as_ref(), records)) {
                    return Verdict::Taken;
                }
                self.fresh.note_filtered(records);
                Verdict::Counted(Outcome::Filtered)
            }
        }
    }

    /// A unit is kept for somebody to look at only where it is certain to be about a person in
    /// scope; of anybody else nothing is kept, and it counts as rejected.
    fn set_aside(
        &mut self,
        people: &People<'_>,
        unit: &UnitRead,
        sealed: &Sealed,
        about: &[RecordRead],
    ) -> Outcome {
        let is_certain = !about.is_empty()
            && about.iter().all(|record| people.is_in_scope(record.subject.as_ref(), about));
        let is_wide = self.work.feed.scope != Scope::Known;
        if !is_certain && !is_wide {
            return Outcome::Rejected;
        }
        self.keep(unit, sealed);
        Outcome::Quarantined
    }

    fn keep(&mut self, unit: &UnitRead, sealed: &Sealed) {
        let code = unit.findings.first().map_or("", |finding| finding.code.as_str());
        self.quarantined.push(Quarantined {
            id: format!("{}/{}", self.work.batch.id, unit.ordinal),
            run_id: self.run.id.clone(),
            batch_id: self.work.batch.id.clone(),
            source: self.work.feed.source.clone(),
            feed: self.work.feed.name.clone(),
            unit: unit.ordinal,
            sheet: unit.place.sheet.as_deref().map(str::to_owned),
            line: i64::try_from(unit.place.line).ok(),
            path: unit.place.path.as_deref().map(str::to_owned),
            code: code.to_owned(),
            sealed: sealed.as_bytes().to_vec(),
            state: "open".to_owned(),
        });
    }

    /// True if another unit, of this batch or an earlier one, brought the same event.
    fn is_known_event(&mut self, unit: &UnitRead) -> bool {
        let Some(id) = unit.event else { return false };
        match self.known_events.get(&id) {
            Some((batch, ordinal)) => *batch != self.work.batch.id || *ordinal != unit.ordinal,
            None => {
                self.known_events.insert(id, (self.work.batch.id.clone(), unit.ordinal));
                self.events.push(SeenEvent {
                    source: self.work.feed.source.clone(),
                    webhook_id_hash: id.as_bytes().to_vec(),
                    batch_id: self.work.batch.id.clone(),
                    unit: unit.ordinal,
                });
                false
            }
        }
    }

    /// The records of a unit that may be taken; whom they are about is taken in, where it matters
    /// who is.
    fn in_scope<'u>(&self, people: &mut People<'_>, unit: &'u UnitRead) -> Vec<&'u RecordRead> {
        let records = unit.all();
        let taken: Vec<&RecordRead> =
            records.iter().filter(|record| people.is_in_scope(record.subject.as_ref(), records)).collect();
        if self.work.feed.scope == Scope::Everyone {
            return taken;
        }
        for record in &taken {
            if let Some(subject) = record.subject {
                people.admit(subject, &self.at);
                if record.kind == Kind::Person {
                    people.note_known(&subject, &record.blocks);
                }
            }
        }
        taken
    }

    /// What the records of a unit do.
    fn records<'u>(
        &mut self,
        people: &mut People<'_>,
        heads: &mut Heads<'_, 'u>,
        unit: &UnitRead,
        records: &[&'u RecordRead],
    ) -> Result<Outcome, GatewayError> {
        let (mut is_changed, mut conflicts) = (false, Vec::new());
        for record in records {
            let again = match record.update {
                Update::Whole => self.before.again(&mut self.fresh, record),
                Update::Patch => {
                    self.fresh.note(record);
                    Again::No
                }
            };
            match again {
                Again::Same => continue,
                Again::Other => {
                    conflicts.push(*record);
                    continue;
                }
                Again::No => {}
            }
            let change = heads.take(people, unit, record)?;
            match change {
                Change::New => self.run.records_new += 1,
                Change::Changed => self.run.records_changed += 1,
                Change::Unchanged | Change::Returned => {}
            }
            is_changed |= matches!(change, Change::New | Change::Changed);
            if change != Change::Unchanged
                && let Some(subject) = &record.subject
            {
                self.touched.extend(people.id(subject).map(str::to_owned));
                if record.kind == Kind::Person
                    && let Some(made) = heads.made(record)
                {
                    people.set_blocks(subject, self.work.blocker.blocks(made));
                }
            }
        }
        let outcome = match () {
            () if is_changed => Outcome::Accepted,
            () if !conflicts.is_empty() && conflicts.len() == records.len() => Outcome::Rejected,
            () => Outcome::Unchanged,
        };
        let severity = if outcome == Outcome::Rejected { Severity::Error } else { Severity::Warning };
        for record in conflicts {
            self.conflict(unit, record, severity);
        }
        Ok(outcome)
    }

    /// Two rows of one file say different things of one record: neither overwrites the other.
    fn conflict(&mut self, unit: &UnitRead, record: &RecordRead, severity: Severity) {
        let expected = format!(
            "expected one row for this {}; another row of this file has the same key and says something else",
            record.kind
        );
        let origin = unit.place.origin(&Origin::default());
        let finding = Finding::new(Code::RecordConflict, origin, expected).severity(severity);
        self.conflicts.push(finding.clone());
        self.tally.add(finding);
    }

    /// Counts a unit, and what was found in it. What was found in the rows of people out of scope
    /// is not noted, unless the row is wrong.
    fn count(&mut self, unit: &UnitRead, outcome: Outcome) {
        let is_noted = match outcome {
            Outcome::Duplicate => false,
            Outcome::Filtered => matches!(unit.content, Content::Nothing),
            _ => true,
        };
        if is_noted {
            unit.findings.iter().for_each(|finding| self.tally.add(finding.clone()));
        }
        outcome.count(&mut self.run);
        let conflicts = std::mem::take(&mut self.conflicts);
        if self.work.is_posted {
            let noted: &[Finding] = if is_noted { &unit.findings } else { &[] };
            let found: Vec<Found> =
                noted.iter().chain(&conflicts).map(|finding| Found::of(finding, "")).collect();
            self.outcomes.push(UnitOutcome {
                batch_id: self.work.batch.id.clone(),
                unit: unit.ordinal,
                outcome: outcome.as_str().to_owned(),
                // Texts always become JSON.
                findings: serde_json::to_string(&found).unwrap_or_default(),
            });
        }
    }

    fn finish(mut self, tx: &mut Tx, units: &[UnitRead]) -> Result<Written, GatewayError> {
        quarantine::put(tx, &self.quarantined)?;
        inbox::put(tx, &self.events)?;
        unit_outcome::put(tx, &self.outcomes)?;
        if !self.run.note.is_empty() {
            unit_outcome::improve(tx, &self.outcomes)?;
        }
        let touched: Vec<String> = self.touched.into_iter().collect();
        work::push(tx, Step::Link, &touched, &self.run.id, &self.at)?;
        self.run.position = units.last().map_or(self.run.position, |unit| unit.ordinal);
        self.tally.write(tx, &mut self.run)?;
        run::save(tx, &self.run)?;
        Ok(Written { run: self.run, tally: self.tally, seen: self.fresh })
    }
}
