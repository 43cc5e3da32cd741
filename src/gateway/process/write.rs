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
use crate::gateway::process::shadow::Tried;
use crate::gateway::process::{Progress, Work};
use crate::mapping::Update;
use crate::record::kind::Kind;
use crate::store::Tx;
use crate::store::inbox::{self, Seen as SeenEvent};
use crate::store::quarantine::{self, Cause, Quarantined};
use crate::store::run::{self, Run};
use crate::store::unit_outcome::{self, UnitOutcome};
use crate::store::work::{self, Step};

/// What a transaction did, taken over once it is committed.
pub(super) struct Written {
    pub(super) run: Run,
    pub(super) tally: Tally,
    pub(super) seen: Seen,
    /// What became of each unit, where somebody asks: of events that were posted, and of replays.
    pub(super) outcomes: Vec<UnitOutcome>,
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
    /// For the receipts of events that were posted, and for whoever replays units.
    outcomes: Vec<UnitOutcome>,
    /// Units that were set aside before and are taken now.
    closing: Vec<i64>,
    /// Those that are still wrong, and why.
    causes: Vec<Cause>,
    /// What a mapping makes differently that is tried beside this one.
    differences: Tried,
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
        closing: Vec::new(),
        causes: Vec::new(),
        differences: Tried::default(),
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
    writer.run.known_mark += people.write(tx)?;
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
        let is_wide = !matches!(self.work.feed.scope, Scope::Known | Scope::Requested);
        if !is_certain && !is_wide {
            return Outcome::Rejected;
        }
        self.keep(unit, sealed);
        Outcome::Quarantined
    }

    fn keep(&mut self, unit: &UnitRead, sealed: &Sealed) {
        let Cause { code, column_name, expected, .. } = cause(unit, &self.conflicts);
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
            code,
            sealed: sealed.as_bytes().to_vec(),
            state: quarantine::OPEN.to_owned(),
            column_name,
            expected,
            replay_run: self.work.is_replay.then(|| self.run.id.clone()),
            closed_at: None,
            closed_by: None,
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
        if let Some(record) = records.iter().find(|record| record.shared.is_some()) {
            let is_held = |key| self.before.holds(key) || self.fresh.holds(key);
            match heads.ask(people, unit, records, &is_held)? {
                Ok(remarks) => remarks.into_iter().for_each(|remark| self.remark(record, remark)),
                Err(question) => return Ok(self.ask(unit, record, question)),
            }
        }
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

    /// Only the sender knows which record a unit speaks of, so it is set aside.
    fn ask(&mut self, unit: &UnitRead, record: &RecordRead, question: Finding) -> Outcome {
        self.fresh.note_doubt(unit.all());
        self.remark(record, question);
        let Some(sealed) = &unit.sealed else { return Outcome::Rejected };
        self.keep(unit, sealed);
        Outcome::Quarantined
    }

    fn remark(&mut self, record: &RecordRead, finding: Finding) {
        self.conflicts.push(finding.clone());
        self.tally.add_about(finding, Some(record.key));
    }

    /// Two rows of one file say different things of one record: neither overwrites the other.
    fn conflict(&mut self, unit: &UnitRead, record: &RecordRead, severity: Severity) {
        let expected = format!(
            "expected one row for this {}; another row of this file has the same key and says something else",
            record.kind
        );
        let origin = unit.place.origin(&Origin::default());
        self.remark(record, Finding::new(Code::RecordConflict, origin, expected).severity(severity));
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
            let about = unit.all().first().map(|record| record.key);
            unit.findings.iter().for_each(|finding| self.tally.add_about(finding.clone(), about));
        }
        outcome.count(&mut self.run);
        let conflicts = std::mem::take(&mut self.conflicts);
        if self.work.open.contains(&unit.ordinal) {
            match outcome {
                Outcome::Rejected | Outcome::Quarantined => self.causes.push(cause(unit, &conflicts)),
                Outcome::Duplicate | Outcome::Filtered | Outcome::Accepted | Outcome::Unchanged => {
                    self.closing.push(unit.ordinal);
                }
            }
        }
        let is_out_of_scope = outcome == Outcome::Filtered && !matches!(unit.content, Content::Nothing);
        if let Some(differences) = unit.shadow.as_ref().filter(|_| !is_out_of_scope) {
            self.differences.note(&self.work.batch.id, unit, differences);
        }
        if self.work.is_posted || self.work.is_replay {
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
        if self.work.is_replay {
            unit_outcome::replace(tx, &self.outcomes)?;
        } else {
            unit_outcome::put(tx, &self.outcomes)?;
            if !self.run.note.is_empty() {
                unit_outcome::improve(tx, &self.outcomes)?;
            }
        }
        quarantine::close_taken(tx, &self.work.batch.id, &self.closing, &self.run.id, &self.at)?;
        quarantine::set_causes(tx, &self.work.batch.id, &self.causes)?;
        if let Some(shadow) = &self.work.shadow {
            self.differences.write(tx, shadow.id())?;
        }
        let touched: Vec<String> = self.touched.into_iter().collect();
        work::push(tx, Step::Link, &touched, &self.run.id, &self.at)?;
        self.run.position = if self.work.is_replay {
            self.run.position + i64::try_from(units.len()).unwrap_or(i64::MAX)
        } else {
            units.last().map_or(self.run.position, |unit| unit.ordinal)
        };
        self.tally.write(tx, &mut self.run)?;
        run::save(tx, &self.run)?;
        Ok(Written { run: self.run, tally: self.tally, seen: self.fresh, outcomes: self.outcomes })
    }
}

/// Why a unit is set aside, in the sender's words: the worst of what was found, and the name of the
/// column or member it was found in.
fn cause(unit: &UnitRead, conflicts: &[Finding]) -> Cause {
    let found = || unit.findings.iter().chain(conflicts);
    let worst = found().map(|finding| finding.severity).max();
    let finding = found().find(|finding| Some(finding.severity) == worst);
    let column = finding.and_then(|finding| {
        let Origin { column, path, .. } = &finding.origin;
        let path = path.as_deref().map(|path| match unit.place.path.as_deref() {
            Some(before) => path.strip_prefix(before).unwrap_or(path).trim_start_matches('/'),
            None => path,
        });
        column.as_deref().or(path).filter(|name| !name.is_empty())
    });
    Cause {
        unit: unit.ordinal,
        code: finding.map_or("", |finding| finding.code.as_str()).to_owned(),
        column_name: column.map(str::to_owned),
        expected: finding.map(|finding| finding.expected.clone()).unwrap_or_default(),
    }
}
