//! Laying intents: what may be told of a person, held against what the far side has.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::edge::Instant;
use crate::base::id::{IntentId, NoticeId, RecordId};
use crate::base::limit::{FILES_READ_MAX, RELEASE_PEOPLE_MAX};
use crate::base::tree;
use crate::consent::decide::{Denied, Proof, When, withdrawal};
use crate::consent::directive::{Scope, Statement};
use crate::gateway::exchange::request;
use crate::gateway::release::file::{File, Wishes};
use crate::gateway::release::settings::Settings;
use crate::gateway::{Gateway, GatewayError};
use crate::record::kind::Kind;
use crate::release::gate::{Gone, may_be_shared, may_leave};
use crate::release::protocol::Protocol;
use crate::store::intent::{self, Intent};
use crate::store::release::{self, NoticeRow};
use crate::store::standing::{self, StandingRow};
use crate::store::work::{self, Step};
use crate::store::{StoreError, Tx, person, run};

/// What laying did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Laid {
    /// People looked at.
    pub people: u64,
    /// Records to be told.
    pub records: u64,
    /// Records to be taken back.
    pub retracted: u64,
    /// Withdrawals to be told.
    pub notices: u64,
    /// Intents taken back before they were sent.
    pub dropped: u64,
    /// People of whom nothing may be told, by study and reason.
    pub denied: BTreeMap<(String, Denied), u64>,
}

/// Lays for every person that waits. Each transaction is whole: a step that is killed goes on
/// where it was.
///
/// # Errors
/// Where the store fails.
pub fn lay(gateway: &Gateway, protocols: &[Protocol], told: &dyn Fn(u64)) -> Result<Laid, GatewayError> {
    let mut all = Laid::default();
    loop {
        let done = gateway.store.write(|tx| lay_some(tx, gateway, protocols))?;
        if done.people == 0 {
            return Ok(all);
        }
        all.people += done.people;
        all.records += done.records;
        all.retracted += done.retracted;
        all.notices += done.notices;
        all.dropped += done.dropped;
        for (reason, count) in done.denied {
            *all.denied.entry(reason).or_default() += count;
        }
        told(all.people);
    }
}

fn lay_some(tx: &mut Tx, gateway: &Gateway, protocols: &[Protocol]) -> Result<Laid, StoreError> {
    let waiting = work::claim(tx, Step::Release, RELEASE_PEOPLE_MAX)?;
    let mut laid = Laid::default();
    if waiting.is_empty() {
        return Ok(laid);
    }
    let keys: Vec<String> = waiting.iter().map(|work| work.key.clone()).collect();
    if !protocols.is_empty() {
        let settings = Settings::load(tx)?;
        for protocol in protocols {
            lay_people(tx, gateway, protocol, &settings, &keys, &mut laid)?;
        }
    }
    let mut by_run: BTreeMap<&str, i64> = BTreeMap::new();
    for work in &waiting {
        laid.people += 1;
        *by_run.entry(&work.run_id).or_default() += 1;
    }
    for (run_id, count) in by_run {
        run::count_steps(tx, run_id, 0, count)?;
    }
    work::done(tx, Step::Release, &keys)?;
    Ok(laid)
}

/// Lays for some people and one study, in the caller's transaction.
///
/// # Errors
/// Where the store fails.
pub fn lay_people(
    tx: &mut Tx,
    gateway: &Gateway,
    protocol: &Protocol,
    settings: &Settings,
    people: &[String],
    laid: &mut Laid,
) -> Result<(), StoreError> {
    let study = &protocol.study;
    let ended: BTreeSet<String> = person::find(tx, people)?
        .into_iter()
        .filter(|row| row.superseded_by.is_some())
        .map(|row| row.id)
        .collect();
    let people: Vec<String> = people.iter().filter(|id| !ended.contains(*id)).cloned().collect();
    let now = gateway.edge.now();
    let when = When { at: now.london_day(), known_at: now };
    let mut laying = Laying {
        gateway,
        protocol,
        now,
        before: by_person(standing::list_of_people(tx, study, &people)?, |row| row.person_id.clone()),
        unsent: by_person(intent::list_unsent(tx, study, &people)?, |intent| intent.person_id.clone()),
        rows: Vec::new(),
        gone: Vec::new(),
        laid,
    };
    let (mut permitted, mut proofs) = (Vec::new(), Vec::new());
    for wishes in Wishes::list(tx, &people)? {
        match wishes.proof(study, when) {
            Ok(proof) => {
                permitted.push(wishes);
                proofs.push(proof);
            }
            Err(denied) => laying.deny(tx, &wishes, denied, when)?,
        }
    }
    let mut named = BTreeSet::new();
    let (mut permitted, mut proofs) = (permitted.into_iter(), proofs.iter());
    loop {
        let some: Vec<Wishes> = permitted.by_ref().take(FILES_READ_MAX).collect();
        if some.is_empty() {
            break;
        }
        for (file, proof) in File::list(tx, some)?.iter().zip(proofs.by_ref()) {
            let wanted = wanted(protocol, proof, file, settings);
            named.extend(wanted.iter().flat_map(|want| settings.named(protocol, want.kind, &want.body)));
            let person = file.wishes.person.to_string();
            laying.take_back(&person, &wanted, |record| reason(record, protocol, proof, file));
            laying.put(&person, &wanted);
        }
    }
    laying.settings(tx, settings, &named)?;
    laying.write(tx)?;
    // A withdrawal takes them off the lists that partners have, at once.
    request::strike(tx, gateway, study, &people)
}

fn by_person<T>(rows: Vec<T>, whose: impl Fn(&T) -> Option<String>) -> BTreeMap<String, Vec<T>> {
    let mut by_person: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for row in rows {
        if let Some(person) = whose(&row) {
            by_person.entry(person).or_default().push(row);
        }
    }
    by_person
}

/// A record that is to stand.
struct Wanted {
    record_id: String,
    kind: Kind,
    /// Of the record; that of the merged record of a person is given when it is laid.
    number: Option<i64>,
    basis: String,
    body: String,
}

fn wanted(protocol: &Protocol, proof: &Proof, file: &File, settings: &Settings) -> Vec<Wanted> {
    let leave = leave(protocol, proof);
    let restricted = file.is_restricted();
    if may_be_shared(protocol, restricted).is_err() {
        return Vec::new();
    }
    let may = |source: &str| may_leave(protocol, proof, source).is_ok();
    let mut wanted = Vec::new();
    for record in file.records.iter().filter(|record| !record.is_absent && may(&record.source)) {
        let Ok(kind) = record.kind.parse::<Kind>() else { continue };
        if matches!(kind, Kind::Person | Kind::Consent | Kind::Setting) || protocol.kind(kind).is_none() {
            continue;
        }
        // A care home that becomes known later changes what the record can say.
        let named: Vec<String> =
            settings.named(protocol, kind, &record.body).iter().map(ToString::to_string).collect();
        let number = record.number.to_string();
        wanted.push(Wanted {
            record_id: record.id.clone(),
            kind,
            number: Some(record.number),
            basis: basis(&[&number, &leave, &restricted.to_string(), &named.join(" ")]),
            body: record.body.clone(),
        });
    }
    let people: Vec<String> =
        file.standing(Kind::Person).map(|record| format!("{}/{}", record.id, record.number)).collect();
    if protocol.kind(Kind::Person).is_some() && file.standing(Kind::Person).any(|record| may(&record.source))
    {
        let start = file.start(protocol, proof).map(|day| day.to_string()).unwrap_or_default();
        wanted.push(Wanted {
            record_id: file.wishes.person.to_string(),
            kind: Kind::Person,
            number: None,
            basis: basis(&[&people.join(" "), &start, &leave, &restricted.to_string()]),
            body: String::new(),
        });
    }
    wanted
}

/// What leave there is, and for which version of the protocol.
fn leave(protocol: &Protocol, proof: &Proof) -> String {
    let evidence = proof.evidence();
    let verdicts: String = Statement::ALL
        .iter()
        .map(|statement| if proof.verdict(*statement).is_permit() { 'y' } else { 'n' })
        .collect();
    format!(
        "{} {} {} {} {verdicts}",
        protocol.version, evidence.form, evidence.form_version, evidence.decided_on
    )
}

/// Equal for what would give the same message.
fn basis(parts: &[&str]) -> String {
    tree::hex(&tree::leaf(parts.join("\u{1f}").as_bytes()))
}

/// Lays for some people: what comes of each is gathered, and written in a few statements.
struct Laying<'a> {
    gateway: &'a Gateway,
    protocol: &'a Protocol,
    now: Instant,
    before: BTreeMap<String, Vec<StandingRow>>,
    unsent: BTreeMap<String, Vec<Intent>>,
    /// To be laid, their places not given out yet.
    rows: Vec<Intent>,
    /// To be taken back, by id.
    gone: Vec<String>,
    laid: &'a mut Laid,
}

impl Laying<'_> {
    /// Nothing may be told of somebody, and what was is called back.
    fn deny(&mut self, tx: &mut Tx, wishes: &Wishes, denied: Denied, when: When) -> Result<(), StoreError> {
        *self.laid.denied.entry((self.protocol.study.clone(), denied)).or_default() += 1;
        let person = wishes.person.to_string();
        if denied == Denied::Withdrawn
            && let Some((scope, decided_on)) = withdrawal(&wishes.directives, &self.protocol.study, when)
        {
            return self.withdraw(tx, &person, scope, &decided_on.to_string());
        }
        let reason = if denied == Denied::IdentityInDoubt { Gone::Unlinked } else { Gone::Consent };
        self.take_back(&person, &[], |_record| reason);
        Ok(())
    }

    /// Lays what is to stand and does not stand yet.
    fn put(&mut self, person: &str, wanted: &[Wanted]) {
        let before = self.before.get(person).map(Vec::as_slice).unwrap_or_default();
        let unsent = self.unsent.get(person).map(Vec::as_slice).unwrap_or_default();
        let mut rows = Vec::new();
        for want in wanted {
            let before = before.iter().find(|row| row.record_id == want.record_id);
            let waiting: Vec<&Intent> =
                unsent.iter().filter(|intent| intent.record_id.as_ref() == Some(&want.record_id)).collect();
            let last = waiting.last();
            let is_laid = match last {
                Some(last) => last.kind == "record" && last.basis == want.basis,
                None => before.is_some_and(|row| row.basis == want.basis),
            };
            if is_laid {
                continue;
            }
            let highest =
                waiting.iter().map(|intent| intent.number).chain(before.map(|row| row.number)).max();
            let is_waiting = |intent: &&&Intent| intent.state == "waiting";
            self.gone.extend(waiting.iter().filter(is_waiting).map(|intent| intent.id.clone()));
            self.laid.records += 1;
            rows.push(Intent {
                record_id: Some(want.record_id.clone()),
                record_kind: Some(want.kind.as_str().to_owned()),
                number: want.number.unwrap_or_else(|| highest.unwrap_or_default() + 1),
                basis: want.basis.clone(),
                ..self.blank(Some(person), "record")
            });
        }
        self.rows.append(&mut rows);
    }

    /// Takes back what stands, or is on its way, and is not to stand.
    fn take_back(&mut self, person: &str, wanted: &[Wanted], reason: impl Fn(&str) -> Gone) {
        let before = self.before.get(person).map(Vec::as_slice).unwrap_or_default();
        let unsent = self.unsent.get(person).map(Vec::as_slice).unwrap_or_default();
        let is_wanted = |id: &str| wanted.iter().any(|want| want.record_id == id);
        let mut gone: BTreeMap<String, String> = before
            .iter()
            .filter(|row| !is_wanted(&row.record_id))
            .map(|row| (row.record_id.clone(), row.kind.clone()))
            .collect();
        for intent in unsent.iter().filter(|intent| intent.kind == "record") {
            let (Some(id), Some(kind)) = (&intent.record_id, &intent.record_kind) else { continue };
            if is_wanted(id) {
                continue;
            }
            self.gone.push(intent.id.clone());
            // One that is claimed may be out already.
            if intent.state == "claimed" {
                gone.insert(id.clone(), kind.clone());
            }
        }
        let mut rows = Vec::new();
        for (record_id, kind) in gone {
            let is_laid = unsent
                .iter()
                .any(|intent| intent.kind == "retracted" && intent.record_id.as_ref() == Some(&record_id));
            if is_laid {
                continue;
            }
            self.laid.retracted += 1;
            rows.push(Intent {
                reason: reason(&record_id).as_str().to_owned(),
                record_id: Some(record_id),
                record_kind: Some(kind),
                ..self.blank(Some(person), "retracted")
            });
        }
        self.rows.append(&mut rows);
    }

    /// A withdrawal: what is unsent goes, and the far side is told, if it ever heard of them.
    fn withdraw(
        &mut self,
        tx: &mut Tx,
        person: &str,
        scope: Scope,
        decided_on: &str,
    ) -> Result<(), StoreError> {
        let study = &self.protocol.study;
        let unsent = self.unsent.get(person).map(Vec::as_slice).unwrap_or_default();
        let has_standing = self.before.contains_key(person);
        let is_out = has_standing || intent::was_ever_out(tx, study, person)?;
        let is_data = |intent: &&Intent| !matches!(intent.kind.as_str(), "withdrawn" | "superseded");
        self.gone.extend(unsent.iter().filter(is_data).map(|intent| intent.id.clone()));
        let notices = release::list_notices_of(tx, study, person)?;
        let is_told =
            notices.iter().any(|notice| notice.scope == scope.as_str() && notice.decided_on == decided_on);
        if is_out && !is_told {
            let notice = NoticeId::mint(&self.gateway.edge).to_string();
            let row = NoticeRow {
                id: notice.clone(),
                study: study.clone(),
                person_id: person.to_owned(),
                scope: scope.as_str().to_owned(),
                decided_on: decided_on.to_owned(),
                laid_at: self.now.to_string(),
                sent_at: None,
                acknowledged_at: None,
                removed_at: None,
            };
            release::lay_notice(tx, &row)?;
            self.rows.push(Intent { notice_id: Some(notice), ..self.blank(Some(person), "withdrawn") });
            self.laid.notices += 1;
        }
        if scope == Scope::NoFurtherUse && has_standing {
            standing::delete_person(tx, study, person)?;
        }
        Ok(())
    }

    /// Settings that released records name, and the far side does not have yet.
    fn settings(
        &mut self,
        tx: &mut Tx,
        settings: &Settings,
        named: &BTreeSet<RecordId>,
    ) -> Result<(), StoreError> {
        if named.is_empty() {
            return Ok(());
        }
        let standing = standing::list_settings(tx, &self.protocol.study)?;
        let unsent = intent::list_unsent_settings(tx, &self.protocol.study)?;
        for id in named {
            let Some(record) = settings.record(*id) else { continue };
            let basis = basis(&[&record.number.to_string(), &self.protocol.version.to_string()]);
            let stands = standing.iter().any(|row| row.record_id == record.id && row.basis == basis);
            let waits = unsent
                .iter()
                .any(|intent| intent.record_id.as_ref() == Some(&record.id) && intent.basis == basis);
            if stands || waits {
                continue;
            }
            self.rows.push(Intent {
                record_id: Some(record.id.clone()),
                record_kind: Some(Kind::Setting.as_str().to_owned()),
                number: record.number,
                basis,
                ..self.blank(None, "setting")
            });
        }
        Ok(())
    }

    /// Writes it down; each person's and each setting's intents get their places in order.
    fn write(mut self, tx: &mut Tx) -> Result<(), StoreError> {
        self.laid.dropped += u64::try_from(intent::delete(tx, &self.gone)?).unwrap_or_default();
        let whose =
            |row: &Intent| row.person_id.clone().or_else(|| row.record_id.clone()).unwrap_or_default();
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for row in &self.rows {
            *counts.entry(whose(row)).or_default() += 1;
        }
        let mut last = intent::next_sequences(tx, &self.protocol.study, &counts)?;
        for row in &mut self.rows {
            let last = last.entry(whose(row)).or_default();
            *last += 1;
            row.sequence = *last;
        }
        intent::lay(tx, &self.rows)
    }

    fn blank(&self, person_id: Option<&str>, kind: &str) -> Intent {
        Intent {
            id: IntentId::mint(&self.gateway.edge).to_string(),
            study: self.protocol.study.clone(),
            person_id: person_id.map(str::to_owned),
            record_id: None,
            record_kind: None,
            number: 0,
            kind: kind.to_owned(),
            reason: String::new(),
            basis: String::new(),
            notice_id: None,
            state: "waiting".to_owned(),
            lease_until: None,
            claimed_by: None,
            message_id: None,
            sequence: 0,
            created_at: self.now.to_string(),
            sent_at: None,
            release_id: None,
        }
    }
}

/// Why a record that stood is not to stand.
fn reason(record_id: &str, protocol: &Protocol, proof: &Proof, file: &File) -> Gone {
    match file.records.iter().find(|record| record.id == record_id) {
        None => Gone::Unlinked,
        Some(record) if may_leave(protocol, proof, &record.source).is_err() => Gone::Consent,
        Some(_) => Gone::Corrected,
    }
}
