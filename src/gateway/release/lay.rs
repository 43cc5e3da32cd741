//! Laying intents: what may be told of a person, held against what the far side has.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::edge::Instant;
use crate::base::id::{IntentId, NoticeId};
use crate::base::limit::RELEASE_PEOPLE_MAX;
use crate::base::tree;
use crate::consent::decide::{Denied, Proof, When, withdrawal};
use crate::consent::directive::{Scope, Statement};
use crate::gateway::release::file::File;
use crate::gateway::release::settings::Settings;
use crate::gateway::{Gateway, GatewayError};
use crate::record::kind::Kind;
use crate::release::gate::{Gone, may_leave};
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
    let settings = Settings::load(tx)?;
    let mut by_run: BTreeMap<&str, i64> = BTreeMap::new();
    for work in &waiting {
        for protocol in protocols {
            lay_person(tx, gateway, protocol, &settings, &work.key, &mut laid)?;
        }
        laid.people += 1;
        *by_run.entry(&work.run_id).or_default() += 1;
    }
    for (run_id, count) in by_run {
        run::count_steps(tx, run_id, 0, count)?;
    }
    let keys: Vec<String> = waiting.iter().map(|work| work.key.clone()).collect();
    work::done(tx, Step::Release, &keys)?;
    Ok(laid)
}

/// Lays for one person and one study, in the caller's transaction.
///
/// # Errors
/// Where the store fails.
pub fn lay_person(
    tx: &mut Tx,
    gateway: &Gateway,
    protocol: &Protocol,
    settings: &Settings,
    person: &str,
    laid: &mut Laid,
) -> Result<(), StoreError> {
    if person::find(tx, &[person.to_owned()])?.iter().any(|row| row.superseded_by.is_some()) {
        return Ok(());
    }
    let file = File::load(tx, person)?;
    let now = gateway.edge.now();
    let when = When { at: now.london_day(), known_at: now };
    let proof = file.proof(&protocol.study, when);
    let wanted = match &proof {
        Ok(proof) => wanted(protocol, proof, &file, settings),
        Err(denied) => {
            *laid.denied.entry((protocol.study.clone(), *denied)).or_default() += 1;
            Vec::new()
        }
    };
    let before = standing::list_of_person(tx, &protocol.study, person)?;
    let unsent = intent::list_unsent(tx, &protocol.study, person)?;
    let mut laying = Laying {
        tx,
        gateway,
        study: protocol.study.clone(),
        person: person.to_owned(),
        now,
        before,
        unsent,
        laid,
    };
    if proof == Err(Denied::Withdrawn)
        && let Some((scope, decided_on)) = withdrawal(&file.directives, &protocol.study, when)
    {
        return laying.withdraw(scope, &decided_on.to_string());
    }
    let named: BTreeSet<_> =
        wanted.iter().flat_map(|want| settings.named(protocol, want.kind, &want.body)).collect();
    laying.take_back(&wanted, &proof, protocol, &file)?;
    laying.put(&wanted)?;
    lay_settings(tx, gateway, protocol, settings, &named, now)
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
            record_id: file.person.to_string(),
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

struct Laying<'a> {
    tx: &'a mut Tx,
    gateway: &'a Gateway,
    study: String,
    person: String,
    now: Instant,
    before: Vec<StandingRow>,
    unsent: Vec<Intent>,
    laid: &'a mut Laid,
}

impl Laying<'_> {
    /// Lays what is to stand and does not stand yet.
    fn put(&mut self, wanted: &[Wanted]) -> Result<(), StoreError> {
        for want in wanted {
            let before = self.before.iter().find(|row| row.record_id == want.record_id);
            let waiting: Vec<&Intent> = self
                .unsent
                .iter()
                .filter(|intent| intent.record_id.as_ref() == Some(&want.record_id))
                .collect();
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
            let number = want.number.unwrap_or_else(|| highest.unwrap_or_default() + 1);
            let gone: Vec<String> = waiting
                .iter()
                .filter(|intent| intent.state == "waiting")
                .map(|intent| intent.id.clone())
                .collect();
            self.laid.dropped += u64::try_from(intent::delete(self.tx, &gone)?).unwrap_or_default();
            self.laid.records += 1;
            let mut row = self.row("record")?;
            row.record_id = Some(want.record_id.clone());
            row.record_kind = Some(want.kind.as_str().to_owned());
            row.number = number;
            row.basis.clone_from(&want.basis);
            intent::lay(self.tx, &[row])?;
        }
        Ok(())
    }

    /// Takes back what stands, or is on its way, and is not to stand.
    fn take_back(
        &mut self,
        wanted: &[Wanted],
        proof: &Result<Proof, Denied>,
        protocol: &Protocol,
        file: &File,
    ) -> Result<(), StoreError> {
        let is_wanted = |id: &str| wanted.iter().any(|want| want.record_id == id);
        let mut gone: BTreeMap<String, String> = self
            .before
            .iter()
            .filter(|row| !is_wanted(&row.record_id))
            .map(|row| (row.record_id.clone(), row.kind.clone()))
            .collect();
        let mut dropped = Vec::new();
        for intent in self.unsent.iter().filter(|intent| intent.kind == "record") {
            let (Some(id), Some(kind)) = (&intent.record_id, &intent.record_kind) else { continue };
            if is_wanted(id) {
                continue;
            }
            dropped.push(intent.id.clone());
            // One that is claimed may be out already.
            if intent.state == "claimed" {
                gone.insert(id.clone(), kind.clone());
            }
        }
        self.laid.dropped += u64::try_from(intent::delete(self.tx, &dropped)?).unwrap_or_default();
        for (record_id, kind) in gone {
            let is_laid = self
                .unsent
                .iter()
                .any(|intent| intent.kind == "retracted" && intent.record_id.as_ref() == Some(&record_id));
            if is_laid {
                continue;
            }
            let reason = reason(&record_id, proof, protocol, file);
            self.laid.retracted += 1;
            let mut row = self.row("retracted")?;
            row.record_id = Some(record_id);
            row.record_kind = Some(kind);
            reason.as_str().clone_into(&mut row.reason);
            intent::lay(self.tx, &[row])?;
        }
        Ok(())
    }

    /// A withdrawal: what is unsent goes, and the far side is told, if it ever heard of them.
    fn withdraw(&mut self, scope: Scope, decided_on: &str) -> Result<(), StoreError> {
        let unsent: Vec<String> = self
            .unsent
            .iter()
            .filter(|intent| !matches!(intent.kind.as_str(), "withdrawn" | "superseded"))
            .map(|intent| intent.id.clone())
            .collect();
        let is_out = !self.before.is_empty() || intent::was_ever_out(self.tx, &self.study, &self.person)?;
        self.laid.dropped += u64::try_from(intent::delete(self.tx, &unsent)?).unwrap_or_default();
        let notices = release::list_notices_of(self.tx, &self.study, &self.person)?;
        let is_told =
            notices.iter().any(|notice| notice.scope == scope.as_str() && notice.decided_on == decided_on);
        if is_out && !is_told {
            let notice = NoticeId::mint(&self.gateway.edge).to_string();
            let row = NoticeRow {
                id: notice.clone(),
                study: self.study.clone(),
                person_id: self.person.clone(),
                scope: scope.as_str().to_owned(),
                decided_on: decided_on.to_owned(),
                laid_at: self.now.to_string(),
                sent_at: None,
                acknowledged_at: None,
                removed_at: None,
            };
            release::lay_notice(self.tx, &row)?;
            let mut row = self.row("withdrawn")?;
            row.notice_id = Some(notice);
            intent::lay(self.tx, &[row])?;
            self.laid.notices += 1;
        }
        if scope == Scope::NoFurtherUse {
            standing::delete_person(self.tx, &self.study, &self.person)?;
        }
        Ok(())
    }

    fn row(&mut self, kind: &str) -> Result<Intent, StoreError> {
        let sequence = intent::next_sequence(self.tx, &self.study, &self.person)?;
        let person = Some(self.person.clone());
        Ok(blank(self.gateway, &self.study, person, kind, sequence, self.now))
    }
}

/// Why a record that stood is not to stand.
fn reason(record_id: &str, proof: &Result<Proof, Denied>, protocol: &Protocol, file: &File) -> Gone {
    let proof = match proof {
        Ok(proof) => proof,
        Err(Denied::IdentityInDoubt) => return Gone::Unlinked,
        Err(_) => return Gone::Consent,
    };
    match file.records.iter().find(|record| record.id == record_id) {
        None => Gone::Unlinked,
        Some(record) if may_leave(protocol, proof, &record.source).is_err() => Gone::Consent,
        Some(_) => Gone::Corrected,
    }
}

/// Settings that released records name, and the far side does not have yet.
fn lay_settings(
    tx: &mut Tx,
    gateway: &Gateway,
    protocol: &Protocol,
    settings: &Settings,
    named: &BTreeSet<crate::base::id::RecordId>,
    now: Instant,
) -> Result<(), StoreError> {
    if named.is_empty() {
        return Ok(());
    }
    let standing = standing::list_settings(tx, &protocol.study)?;
    let unsent = intent::list_unsent_settings(tx, &protocol.study)?;
    for id in named {
        let Some(record) = settings.record(*id) else { continue };
        let basis = basis(&[&record.number.to_string(), &protocol.version.to_string()]);
        let stands = standing.iter().any(|row| row.record_id == record.id && row.basis == basis);
        let waits = unsent
            .iter()
            .any(|intent| intent.record_id.as_ref() == Some(&record.id) && intent.basis == basis);
        if stands || waits {
            continue;
        }
        let sequence = intent::next_sequence(tx, &protocol.study, &record.id)?;
        let mut row = blank(gateway, &protocol.study, None, "setting", sequence, now);
        row.record_id = Some(record.id.clone());
        row.record_kind = Some(Kind::Setting.as_str().to_owned());
        row.number = record.number;
        row.basis = basis;
        intent::lay(tx, &[row])?;
    }
    Ok(())
}

fn blank(
    gateway: &Gateway,
    study: &str,
    person_id: Option<String>,
    kind: &str,
    sequence: i64,
    now: Instant,
) -> Intent {
    Intent {
        id: IntentId::mint(&gateway.edge).to_string(),
        study: study.to_owned(),
        person_id,
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
        sequence,
        created_at: now.to_string(),
        sent_at: None,
        release_id: None,
    }
}
