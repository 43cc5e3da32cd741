//! People put straight into the operational store, as the step before linking leaves them, and
//! the last two steps run over them.

use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use wayleave::base::edge::Edge;
use wayleave::base::id::{RecordId, SubjectId};
use wayleave::base::limit::{LEASE_S, RESEND_HOURS};
use wayleave::base::private::Private;
use wayleave::base::seal::{DataKey, IndexKey, MasterKey};
use wayleave::evaluation::collect::answer::Signer;
use wayleave::gateway::Gateway;
use wayleave::gateway::link::{Linked, link};
use wayleave::gateway::release::job::{Job, Report};
use wayleave::gateway::release::keys::{KeyFiles, ReleaseKeys};
use wayleave::gateway::release::lay::{Laid, lay};
use wayleave::gateway::release::resend::Resend;
use wayleave::person::block::Blocker;
use wayleave::queue::{Queue, QueueName, Settings};
use wayleave::record::draft::Draft;
use wayleave::record::kind::Kind;
use wayleave::record::schema::{self, Holds};
use wayleave::release::protocol::Protocol;
use wayleave::store::keys::Keys;
use wayleave::store::record::RecordRow;
use wayleave::store::subject::{Block, SubjectRow};
use wayleave::store::version::VersionRow;
use wayleave::store::work::{self, Step};
use wayleave::store::{Store, StoreError, batch, record, subject, version};

use crate::support::{Broker, Database, TestClock, edge, folder};

pub(crate) const STUDY: &str = "promoting-independence";

/// The evaluation side's key.
pub(crate) fn signer() -> Signer {
    Signer::from_seed(&[7; 32])
}

/// A gateway with its door, and what a test puts into it.
pub(crate) struct Story {
    pub(crate) gateway: Gateway,
    pub(crate) queue: Queue,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) protocol: Protocol,
    pub(crate) keys: ReleaseKeys,
    pub(crate) files: KeyFiles,
    _folder: TempDir,
}

impl Story {
    pub(crate) fn new(database: &Database, broker: &Broker) -> Self {
        let (edge, clock) = edge();
        let store = Store::open_or_create(&database.url).unwrap();
        let keys = Keys { master: MasterKey::from_bytes([1; 32]), index: IndexKey::from_bytes([2; 32]) };
        let queue =
            Queue::open(&Settings { url: broker.url.clone(), authority: None, lease_s: LEASE_S }, &edge)
                .unwrap();
        let protocol = Protocol::shipped(STUDY).unwrap();
        let folder = folder();
        let files = KeyFiles {
            role: folder.path().join("role.key"),
            signing: folder.path().join("signing.key"),
            study: folder.path().join("study.key"),
            evaluation: folder.path().join("evaluation.pub"),
        };
        std::fs::write(&files.evaluation, signer().public_key()).unwrap();
        let release_keys = ReleaseKeys::open(&files, &protocol, true, &edge).unwrap();
        let gateway = Gateway { store, keys, edge, actor: "test".to_owned() };
        gateway.store.write(|tx| batch::create(tx, &a_batch(&gateway.edge))).unwrap();
        Self { gateway, queue, clock, protocol, keys: release_keys, files, _folder: folder }
    }

    /// A subject of a source with its person record; `name=value` words. Returns its id.
    pub(crate) fn subject(&self, source: &str, fields: &str) -> String {
        let id = SubjectId::mint(&self.gateway.edge).to_string();
        let key = DataKey::generate(&self.gateway.edge);
        let wrapped = self.gateway.keys.master.wrap(&self.gateway.edge, &id, &key);
        let row = SubjectRow {
            id: id.clone(),
            source: source.to_owned(),
            key_hash: id.as_bytes().iter().rev().copied().take(32).collect(),
            wrapped_key: Some(wrapped.as_bytes().to_vec()),
            person_id: None,
            is_known: true,
            created_at: self.gateway.edge.now().to_string(),
        };
        self.gateway.store.write(|tx| subject::create(tx, &[row.clone()])).unwrap();
        self.record(source, &id, Kind::Person, "person", fields);
        id
    }

    /// A record, or its next version. `key` tells the records of a subject apart.
    pub(crate) fn record(&self, source: &str, subject: &str, kind: Kind, key: &str, fields: &str) -> String {
        let draft = draft(kind, fields);
        let store = &self.gateway.store;
        let label = format!("record/{source}/{kind}");
        let hash = self.gateway.keys.index.hasher(&label).hash([subject.as_bytes(), key.as_bytes()]);
        store
            .write(|tx| {
                let owner = subject::find(tx, &[subject.to_owned()])?.into_iter().next();
                let before = record::find_by_keys(tx, source, kind.as_str(), &[hash])?.into_iter().next();
                let number = before.as_ref().map_or(1, |row| row.last_number + 1);
                let id = before.map_or_else(|| RecordId::mint(&self.gateway.edge).to_string(), |row| row.id);
                let (body, identity) = draft.part();
                let data_key =
                    owner.as_ref().map(|row| subject::data_key(&self.gateway.keys, row)).transpose()?;
                let identity = identity.zip(data_key).map(|(identity, key)| {
                    let sealed = key.seal(&self.gateway.edge, &format!("{id}/{number}"), &identity);
                    sealed.as_bytes().to_vec()
                });
                let at = self.gateway.edge.now().to_string();
                let row = RecordRow {
                    id: id.clone(),
                    subject_id: owner.as_ref().map(|row| row.id.clone()),
                    source: source.to_owned(),
                    feed: "test".to_owned(),
                    kind: kind.as_str().to_owned(),
                    key_hash: hash.as_bytes().to_vec(),
                    current_number: number,
                    last_number: number,
                    current_hash: vec![0; 32],
                    current_source_time: None,
                    current_arrived_at: at.clone(),
                    current_unit: 1,
                    current_feed: "test".to_owned(),
                    absent_since: None,
                    last_run: "run".to_owned(),
                };
                record::put(tx, &[row])?;
                let version = VersionRow {
                    record_id: id.clone(),
                    number,
                    hash: vec![0; 32],
                    source_time: None,
                    arrived_at: at.clone(),
                    batch_id: "bat".to_owned(),
                    feed: "test".to_owned(),
                    unit: 1,
                    sheet: None,
                    line: None,
                    path: None,
                    mapping_hash: vec![0; 32],
                    body,
                    identity,
                };
                version::append(tx, &[version])?;
                if kind == Kind::Person {
                    let blocks: Vec<Block> = Blocker::new(&self.gateway.keys.index)
                        .blocks(&draft)
                        .into_iter()
                        .map(|(block, hash)| Block {
                            subject_id: subject.to_owned(),
                            block: block.to_owned(),
                            hash: hash.as_bytes().to_vec(),
                        })
                        .collect();
                    subject::replace_blocks(tx, &[subject.to_owned()], &blocks)?;
                }
                if owner.is_some() {
                    work::push(tx, Step::Link, &[subject.to_owned()], "run", &at)?;
                }
                Ok::<_, StoreError>(id)
            })
            .unwrap()
    }

    /// A consent of the study, yes to everything, checked.
    pub(crate) fn consent(&self, subject: &str, decision: &str, on: &str) {
        let fields = format!(
            "study={STUDY} form_code=PI-CF form_version=2 decision={decision} decided_on={on} \
             use_case_data=yes link_housing=yes link_nhs=yes free_text=no checked=true"
        );
        self.record("housing", subject, Kind::Consent, &format!("{decision} {on}"), &fields);
    }

    /// Marks a record as gone from its source's file.
    pub(crate) fn absent(&self, subject: &str, record: &str) {
        let at = self.gateway.edge.now().to_string();
        self.gateway
            .store
            .write(|tx| {
                record::mark_absent(tx, &[record.to_owned()], "bat", "run")?;
                work::push(tx, Step::Link, &[subject.to_owned()], "run", &at)
            })
            .unwrap();
    }

    /// The last two steps.
    pub(crate) fn steps(&self) -> (Linked, Laid) {
        let linked = link(&self.gateway, &|_done| {}).unwrap();
        let laid = lay(&self.gateway, std::slice::from_ref(&self.protocol), &|_done| {}).unwrap();
        (linked, laid)
    }

    pub(crate) fn job(&self) -> Job<'_> {
        Job {
            gateway: &self.gateway,
            name: "test",
            protocol: &self.protocol,
            keys: &self.keys,
            queue: &self.queue,
            lease_s: LEASE_S,
            resend: Resend::After { hours: RESEND_HOURS },
        }
    }

    /// The steps, then the release job.
    pub(crate) fn release(&self) -> Report {
        self.steps();
        self.job().run(&|_sent| {}).unwrap()
    }

    /// Everything that is out since the last time, in order.
    pub(crate) fn out(&self) -> Vec<Value> {
        let queue = QueueName::study(STUDY);
        self.queue.declare(&queue).unwrap();
        let mut all = Vec::new();
        loop {
            let claimed = self.queue.claim(&queue, 100).unwrap();
            if claimed.is_empty() && self.queue.counts(&queue).unwrap().waiting == 0 {
                return all;
            }
            all.extend(claimed.iter().map(|one| serde_json::from_slice::<Value>(&one.body).unwrap()));
            self.queue.acknowledge(&claimed).unwrap();
        }
    }

    /// Door kind and record kind of all that is out, sorted.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut told: Vec<String> = self.out().iter().map(kind).collect();
        told.sort();
        told
    }
}

/// `record star`, `withdrawn`, `retracted goal corrected`.
pub(crate) fn kind(message: &Value) -> String {
    let door = message["type"].as_str().unwrap().split('.').nth(2).unwrap().to_owned();
    [message["data"]["kind"].as_str(), message["data"]["reason"].as_str()]
        .into_iter()
        .flatten()
        .fold(door, |told, word| format!("{told} {word}"))
}

/// `name=value` words; `_` in a value is a blank.
fn draft(kind: Kind, fields: &str) -> Draft {
    let mut draft = Draft::empty();
    for (name, value) in fields.split_whitespace().map(|word| word.split_once('=').unwrap()) {
        let field = schema::of(kind).field(name).unwrap_or_else(|| panic!("{kind} has no {name}"));
        let value = value.replace('_', " ");
        let leaf = match &field.holds {
            _ if field.privacy.is_sealed() => Draft::Private(Private::new(value)),
            Holds::Truth => Draft::Bool(value == "true"),
            Holds::Integer | Holds::Number => Draft::Number(value.parse().unwrap()),
            _ => Draft::Text(value),
        };
        draft.set(field.name, leaf);
    }
    draft
}

fn a_batch(edge: &Edge) -> batch::Batch {
    batch::Batch {
        id: "bat".to_owned(),
        source: "test".to_owned(),
        feed: "test".to_owned(),
        content_hash: vec![1; 32],
        name_sealed: vec![2; 40],
        size_bytes: 5,
        wrapped_key: None,
        received_at: edge.now().to_string(),
        rows_expected: None,
    }
}
