//! One batch of messages into the store, in one transaction.
//!
//! What stands afterwards depends on the set of messages that have ever been applied, and not on
//! their order: a record row takes the greatest position, and withdrawals and replacements are
//! judged as a set (see [`ground`](crate::evaluation::collect::ground)).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::evaluation::collect::ground::{Edge, Ground, Verdict};
use crate::evaluation::door::{Incoming, Message, Position, Record, Scope, Withdrawn};
use crate::evaluation::store::row::{
    AggregateRow, InboxRow, NoticeRow, RecordRow, ReleaseRow, SettingRow, SubjectRow, WithdrawalRow,
};
use crate::evaluation::store::{Either, StoreError, inbound, settle};

/// What a batch did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    /// Messages that took effect, by kind.
    pub fresh: BTreeMap<&'static str, u64>,
    /// Messages that had taken effect before.
    pub repeated: u64,
    /// Records that withdrawals removed.
    pub removed: u64,
    /// Whether anything was removed, so that the database's leavings must be cleared.
    pub is_scrub_due: bool,
}

/// Everything of one batch, sorted by what is done with it.
#[derive(Default)]
struct Batch {
    subjects: BTreeMap<String, Position>,
    replacements: Vec<(String, Edge)>,
    withdrawals: Vec<WithdrawalRow>,
    notices: Vec<NoticeRow>,
    records: Vec<Sent>,
    settings: BTreeMap<String, SettingRow>,
    aggregates: Vec<AggregateRow>,
    releases: Vec<ReleaseRow>,
}

/// A record as it was sent: with content, or retracted.
struct Sent {
    pseudonym: String,
    name: String,
    kind: String,
    at: Position,
    content: Option<Box<Record>>,
}

/// Applies a batch of one study's messages.
///
/// # Errors
/// Where the store cannot be written; then nothing has been.
pub(crate) fn apply(
    either: &mut Either,
    study: &str,
    messages: Vec<Incoming>,
) -> Result<Applied, StoreError> {
    let mut applied = Applied::default();
    let fresh = fresh(either, study, messages, &mut applied)?;
    let mut batch = Batch::default();
    for message in fresh {
        *applied.fresh.entry(message.message.kind().as_str()).or_default() += 1;
        batch.add(study, message);
    }
    batch.write(either, study, &mut applied)?;
    Ok(applied)
}

/// Those that have not taken effect before, noted in the inbox.
fn fresh(
    either: &mut Either,
    study: &str,
    messages: Vec<Incoming>,
    applied: &mut Applied,
) -> Result<Vec<Incoming>, StoreError> {
    let ids: Vec<String> = messages.iter().map(|message| message.message_id.clone()).collect();
    let mut known = inbound::known_messages(either, &ids)?;
    let mut fresh = Vec::with_capacity(messages.len());
    let mut rows = Vec::with_capacity(messages.len());
    for message in messages {
        if known.insert(message.message_id.clone()) {
            rows.push(InboxRow { message_id: message.message_id.clone(), study: study.to_owned() });
            fresh.push(message);
        } else {
            applied.repeated += 1;
        }
    }
    if !rows.is_empty() {
        inbound::note_messages(either, &rows)?;
    }
    Ok(fresh)
}

impl Batch {
    fn add(&mut self, study: &str, incoming: Incoming) {
        let Incoming { message_id, subject, message, kept, .. } = incoming;
        let kept = kept.unwrap_or_default();
        match message {
            Message::Record(data) => {
                let at = Position { incarnation: data.incarnation, sequence: data.sequence };
                let (name, kind) = (data.record.clone(), data.kind.clone());
                self.heard(&subject, at);
                self.records.push(Sent { pseudonym: subject, name, kind, at, content: Some(data) });
            }
            Message::Retracted(data) => {
                let at = Position { incarnation: data.incarnation, sequence: data.sequence };
                self.heard(&subject, at);
                let (name, kind) = (data.record, data.kind);
                self.records.push(Sent { pseudonym: subject, name, kind, at, content: None });
            }
            Message::Superseded(data) => {
                let at = Position { incarnation: data.incarnation, sequence: data.sequence };
                self.heard(&subject, at);
                self.replacements.push((subject, Edge { to: data.new, at }));
            }
            Message::Withdrawn(data) => self.add_withdrawal(study, subject, &data),
            Message::Setting(data) => self.add_setting(SettingRow {
                study: study.to_owned(),
                setting_pseudonym: data.setting,
                incarnation: data.incarnation,
                sequence: data.sequence,
                release: data.release.to_string(),
                fields: Value::Object(data.fields).to_string(),
                missing: missing(&data.missing),
            }),
            Message::Aggregate(data) => self.aggregates.push(AggregateRow {
                study: study.to_owned(),
                release: data.release.to_string(),
                name: data.table,
                incarnation: data.incarnation,
                message_id,
                body: kept,
            }),
            Message::ReleaseClosed(data) => self.releases.push(ReleaseRow {
                study: study.to_owned(),
                release: data.release.to_string(),
                cut_off: data.cut_off,
                incarnation: data.incarnation,
                message_id,
                body: kept,
            }),
        }
    }

    fn heard(&mut self, pseudonym: &str, at: Position) {
        match self.subjects.get_mut(pseudonym) {
            Some(last) => *last = at.max(*last),
            None => {
                self.subjects.insert(pseudonym.to_owned(), at);
            }
        }
    }

    fn add_withdrawal(&mut self, study: &str, pseudonym: String, data: &Withdrawn) {
        let at = Position { incarnation: data.incarnation, sequence: data.sequence };
        self.heard(&pseudonym, at);
        self.notices.push(NoticeRow {
            study: study.to_owned(),
            notice_id: data.notice.to_string(),
            is_removal: data.scope == Scope::NoFurtherUse,
            is_answered: false,
        });
        self.withdrawals.push(WithdrawalRow {
            study: study.to_owned(),
            pseudonym,
            incarnation: at.incarnation,
            sequence: at.sequence,
            scope: data.scope.as_str().to_owned(),
            decided_on: data.decided_on.to_string(),
            notice: data.notice.to_string(),
        });
    }

    fn add_setting(&mut self, row: SettingRow) {
        match self.settings.get(&row.setting_pseudonym) {
            Some(known) if (known.incarnation, known.sequence) >= (row.incarnation, row.sequence) => {}
            _ => {
                self.settings.insert(row.setting_pseudonym.clone(), row);
            }
        }
    }

    fn write(self, either: &mut Either, study: &str, applied: &mut Applied) -> Result<(), StoreError> {
        let subjects: Vec<SubjectRow> = self.subjects.iter().map(|last| subject_row(study, last)).collect();
        if !subjects.is_empty() {
            inbound::note_subjects(either, study, subjects)?;
        }
        let mut changed = BTreeSet::new();
        for (pseudonym, edge) in &self.replacements {
            inbound::note_replacement(either, study, pseudonym, edge)?;
            changed.insert(pseudonym.clone());
        }
        if !self.withdrawals.is_empty() {
            inbound::note_withdrawals(either, &self.withdrawals)?;
            inbound::note_notices(either, &self.notices)?;
            changed.extend(self.withdrawals.iter().map(|row| row.pseudonym.clone()));
        }
        let changed = settle::leading_to(either, study, &changed)?;
        let known = self.subjects.into_keys().chain(changed.iter().cloned()).collect();
        let ground = settle::ground(either, study, &known)?;
        for pseudonym in &changed {
            let removed = settle::settle(either, study, pseudonym, &ground)?;
            applied.removed += u64::try_from(removed).unwrap_or(u64::MAX);
            applied.is_scrub_due |= removed > 0;
        }
        let records = record_rows(study, self.records, &ground);
        if !records.is_empty() {
            applied.is_scrub_due |= records.iter().any(|row| row.fields.is_none());
            inbound::put_records(either, study, records)?;
        }
        let settings: Vec<SettingRow> = self.settings.into_values().collect();
        if !settings.is_empty() {
            inbound::put_settings(either, study, settings)?;
        }
        for row in &self.aggregates {
            inbound::put_aggregate(either, row)?;
        }
        for row in &self.releases {
            inbound::put_release(either, row)?;
        }
        Ok(())
    }
}

/// The rows that may be written: judged, and the latest only where one record was sent twice.
fn record_rows(study: &str, sent: Vec<Sent>, ground: &Ground) -> Vec<RecordRow> {
    let mut rows: BTreeMap<(String, String), RecordRow> = BTreeMap::new();
    for sent in sent {
        let Some(row) = record_row(study, sent, ground) else {
            continue;
        };
        let key = (row.pseudonym.clone(), row.record_pseudonym.clone());
        match rows.get(&key) {
            Some(known) if (known.incarnation, known.sequence) >= (row.incarnation, row.sequence) => {}
            _ => {
                rows.insert(key, row);
            }
        }
    }
    rows.into_values().collect()
}

fn record_row(study: &str, sent: Sent, ground: &Ground) -> Option<RecordRow> {
    let Sent { pseudonym, name, kind, at, content } = sent;
    let decided_on = content.as_ref().map_or(jiff::civil::Date::MAX.into(), |data| data.consent.decided_on);
    let content = match ground.judge(&pseudonym, at, decided_on) {
        Verdict::Gone => return None,
        Verdict::Emptied => None,
        Verdict::Stands => content,
    };
    let owner = ground.owner(&pseudonym, at).to_owned();
    let mut row = RecordRow {
        study: study.to_owned(),
        pseudonym,
        record_pseudonym: name,
        kind,
        owner,
        incarnation: at.incarnation,
        sequence: at.sequence,
        decided_on: None,
        release: None,
        provenance: None,
        fields: None,
        missing: None,
    };
    if let Some(data) = content {
        let provenance = json!({
            "protocol_version": data.protocol_version,
            "version": data.version,
            "form": data.consent.form,
            "form_version": data.consent.form_version,
        });
        row.decided_on = Some(decided_on.to_string());
        row.release = Some(data.release.to_string());
        row.provenance = Some(provenance.to_string());
        row.missing = missing(&data.missing);
        row.fields = Some(Value::Object(data.fields).to_string());
    }
    Some(row)
}

fn subject_row(study: &str, (pseudonym, at): (&String, &Position)) -> SubjectRow {
    SubjectRow {
        study: study.to_owned(),
        pseudonym: pseudonym.clone(),
        incarnation: at.incarnation,
        sequence: at.sequence,
    }
}

fn missing(reasons: &BTreeMap<String, String>) -> Option<String> {
    if reasons.is_empty() {
        return None;
    }
    let object: Map<String, Value> =
        reasons.iter().map(|(field, reason)| (field.clone(), Value::String(reason.clone()))).collect();
    Some(Value::Object(object).to_string())
}
