//! Entering a consent, a refusal or a withdrawal by hand: found by the source's own reference,
//! written down, and acted on in the same transaction.

use crate::base::day::Day;
use crate::base::edge::Instant;
use crate::base::id::{BatchId, RecordId};
use crate::base::private::{Directive, Grant, Private};
use crate::base::seal::DataKey;
use crate::consent::directive::{Answer, Scope};
use crate::gateway::release::lay::{Laid, lay_people};
use crate::gateway::release::settings::Settings;
use crate::gateway::{Gateway, GatewayError};
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::release::protocol::Protocol;
use crate::store::batch::{self, Batch};
use crate::store::record::{self, RecordRow};
use crate::store::subject::{self, SubjectRow};
use crate::store::version::{self, VersionRow};
use crate::store::work::{self, Step};
use crate::store::{Tx, audit};

/// The source that entries by hand stand under.
pub const SOURCE: &str = "gateway";
/// Their feed.
pub const FEED: &str = "consent";

/// Whose decision it is.
pub struct Whose {
    /// The source that knows the person.
    pub source: String,
    /// That source's own reference.
    pub reference: Private<String>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Consent, with the answers by statement in the order of `Statement::ALL`.
    Given {
        /// The form.
        form: String,
        /// Its version.
        form_version: String,
        /// The answers.
        answers: [Answer; 4],
        /// Whether a second person has checked the form.
        is_checked: bool,
    },
    /// A refusal.
    Refused,
    /// A withdrawal.
    Withdrawn(Scope),
}

/// A decision to be written down.
pub struct Entry {
    /// Whose it is.
    pub whose: Whose,
    /// The study.
    pub study: String,
    /// The day it was signed or said.
    pub decided_on: Day,
    /// What was decided.
    pub decision: Decision,
}

/// What writing it down did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The consent record.
    pub record: String,
    /// What was laid or taken back by it.
    pub laid: Laid,
    /// False while the person is not linked yet; the next sync does.
    pub is_linked: bool,
}

/// Writes a decision down and acts on it, in one transaction: a withdrawal takes back what is
/// unsent and lays its notice.
///
/// # Errors
/// Where the source knows nobody by that reference, or the store fails.
pub fn record_consent(
    gateway: &Gateway,
    protocols: &[Protocol],
    entry: &Entry,
) -> Result<Recorded, GatewayError> {
    gateway.store.write(|tx| {
        let subject = find(tx, gateway, &entry.whose)?;
        let record = write(tx, gateway, entry, &subject)?;
        let mut laid = Laid::default();
        let settings = Settings::load(tx)?;
        for protocol in protocols.iter().filter(|protocol| protocol.study == entry.study) {
            if let Some(person) = &subject.person_id {
                lay_people(tx, gateway, protocol, &settings, std::slice::from_ref(person), &mut laid)?;
            }
        }
        Ok(Recorded { record, laid, is_linked: subject.person_id.is_some() })
    })
}

/// The subject of a reference, by its keyed hash. The opening is on record.
pub(super) fn find(tx: &mut Tx, gateway: &Gateway, whose: &Whose) -> Result<SubjectRow, GatewayError> {
    let grant = Grant::<Directive>::begin(&gateway.actor);
    let trimmed = Private::new(whose.reference.open(&grant).trim().to_owned());
    let receipt = grant.close();
    let hash = gateway.keys.index.hasher(&format!("subject/{}", whose.source)).private([&trimmed]);
    let found = subject::find_by_keys(tx, &whose.source, &[hash])?.into_iter().next();
    let object = found.as_ref().map_or("nobody", |row| row.id.as_str());
    audit::append(tx, &receipt, "find-by-reference", object, gateway.edge.now())?;
    found.ok_or_else(|| GatewayError::NoSuchPerson { known_to: whose.source.clone() })
}

fn write(
    tx: &mut Tx,
    gateway: &Gateway,
    entry: &Entry,
    subject: &SubjectRow,
) -> Result<String, GatewayError> {
    let at = gateway.edge.now();
    let draft = draft(entry);
    let (body, _no_identity) = draft.part();
    let hash = draft.keyed_hash(&gateway.keys.index.hasher("record-content"));
    let parts = [subject.id.as_bytes(), body.as_bytes()];
    let key = gateway.keys.index.hasher(&format!("record/{SOURCE}/{}", Kind::Consent)).hash(parts);
    if let Some(before) = record::find_by_keys(tx, SOURCE, Kind::Consent.as_str(), &[key])?.pop() {
        return Ok(before.id);
    }
    let id = RecordId::mint(&gateway.edge).to_string();
    let batch = a_batch(gateway, at);
    let row = RecordRow {
        id: id.clone(),
        subject_id: Some(subject.id.clone()),
        source: SOURCE.to_owned(),
        feed: FEED.to_owned(),
        kind: Kind::Consent.as_str().to_owned(),
        key_hash: key.as_bytes().to_vec(),
        current_number: 1,
        last_number: 1,
        current_hash: hash.as_bytes().to_vec(),
        current_source_time: None,
        current_arrived_at: at.to_string(),
        current_unit: 1,
        current_feed: FEED.to_owned(),
        absent_since: None,
        last_run: String::new(),
    };
    let first = VersionRow {
        record_id: id.clone(),
        number: 1,
        hash: hash.as_bytes().to_vec(),
        source_time: None,
        arrived_at: at.to_string(),
        batch_id: batch.id.clone(),
        feed: FEED.to_owned(),
        unit: 1,
        sheet: None,
        line: None,
        path: None,
        // Read by no mapping.
        mapping_hash: vec![0; 32],
        body,
        identity: None,
    };
    batch::create(tx, &batch)?;
    record::put(tx, &[row])?;
    version::append(tx, &[first])?;
    work::push(tx, Step::Link, std::slice::from_ref(&subject.id), "", &at.to_string())?;
    let action = match entry.decision {
        Decision::Given { .. } => "consent-given",
        Decision::Refused => "consent-refused",
        Decision::Withdrawn(_) => "consent-withdrawn",
    };
    audit::append_act(tx, &gateway.actor, action, &entry.study, &id, 0, at)?;
    Ok(id)
}

fn draft(entry: &Entry) -> Draft {
    let mut draft = Draft::empty();
    let mut text = |name, value: &str| draft.set(name, Draft::Text(value.to_owned()));
    text("study", &entry.study);
    text("decided_on", &entry.decided_on.to_string());
    match &entry.decision {
        Decision::Given { form, form_version, answers, is_checked } => {
            text("decision", "given");
            text("form_code", form);
            text("form_version", form_version);
            let names = ["use_case_data", "link_housing", "link_nhs", "free_text"];
            for (name, answer) in names.into_iter().zip(answers) {
                text(
                    name,
                    match answer {
                        Answer::Yes => "yes",
                        Answer::No => "no",
                        Answer::NotAsked => "not-asked",
                    },
                );
            }
            draft.set("checked", Draft::Bool(*is_checked));
        }
        Decision::Refused => text("decision", "refused"),
        Decision::Withdrawn(scope) => {
            text("decision", "withdrawn");
            text("withdrawal_scope", scope.as_str());
        }
    }
    draft
}

/// The entry's own batch: there is no file, so there is nothing to keep.
fn a_batch(gateway: &Gateway, at: Instant) -> Batch {
    let edge = &gateway.edge;
    let id = BatchId::mint(edge).to_string();
    let key = DataKey::generate(edge);
    let name = key.seal(edge, &format!("{id}/name"), &Private::new(b"entered by hand".to_vec()));
    let content = gateway.keys.index.hasher("content").hash([id.as_bytes()]);
    Batch {
        name_sealed: name.as_bytes().to_vec(),
        wrapped_key: Some(gateway.keys.master.wrap(edge, &id, &key).as_bytes().to_vec()),
        id,
        source: SOURCE.to_owned(),
        feed: FEED.to_owned(),
        content_hash: content.as_bytes().to_vec(),
        size_bytes: 0,
        received_at: at.to_string(),
        rows_expected: None,
    }
}
