//! A gateway for tests of the operational zone: a database, keys, feeds of small text tables, and
//! a clock that moves on with each night.

use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use wayleave::base::edge::Edge;
use wayleave::base::seal::{IndexKey, MasterKey};
use wayleave::config::{Scope, Stop};
use wayleave::gateway::feed::Feed;
use wayleave::gateway::sync::{Synced, sync};
use wayleave::gateway::{Gateway, GatewayError};
use wayleave::mapping::diagnostic::Source;
use wayleave::mapping::library::Library;
use wayleave::store::Store;
use wayleave::store::keys::Keys;
use wayleave::store::record::{self, CurrentRecord};
use wayleave::store::run::Run;

use crate::support::{Database, TestClock, databases, edge, folder};

/// People and goals, one row each; `patch` and `snapshot` as asked.
pub(crate) fn mapping(name: &str, snapshot: &str, update: &str, more: &str) -> String {
    format!(
        r#"name = "{name}"
version = 1
snapshot = "{snapshot}"
{more}
[format.csv]
encoding = "utf-8"
separator = ","
header = "exact"

[subject]
key = ["Id"]

[[record]]
kind = "person"
update = "{update}"
field = [
  {{ to = "council_id", from = "Id", as = "id" }},
  {{ to = "nhs_number", from = "NHS", as = "nhs-number", wrong = "quarantine" }},
  {{ to = "family_name", from = "Family" }},
  {{ to = "given_name", from = "Given" }},
  {{ to = "birth_date", from = "Born", as = "date", wrong = "quarantine" }},
  {{ to = "postcode", from = "Postcode", as = "postcode" }},
]

[[record]]
kind = "goal"
drives = true
key = ["Goal"]
when = {{ column = "Goal", not-blank = true }}
update = "{update}"
source_time = {{ from = "Changed", as = "date-time" }}
field = [
  {{ to = "area", from = "Area", blank = "reject" }},
  {{ to = "status", from = "Status", blank = "reject" }},
  {{ to = "wording", from = "Wording" }},
]
"#
    )
}

/// The columns of every table here.
pub(crate) const HEADER: &str = "Id,NHS,Family,Given,Born,Postcode,Goal,Area,Status,Wording,Changed";

/// A person's row.
pub(crate) fn person(id: &str, nhs: &str, family: &str, born: &str) -> String {
    format!("{id},{nhs},{family},Ann,{born},LE1 3AB,,,,,")
}

/// A goal's row.
pub(crate) fn goal(id: &str, goal: &str, status: &str, changed: &str) -> String {
    format!("{id},,,,,,{goal},work,{status},,{changed}")
}

/// A gateway and the folder its files come into.
pub(crate) struct Night {
    pub(crate) gateway: Gateway,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) folder: TempDir,
    database: Database,
}

/// Runs a test over every database there is.
pub(crate) fn on_every_database(test: impl Fn(Night)) {
    for database in databases() {
        test(Night::new(database));
    }
}

impl Night {
    pub(crate) fn new(database: Database) -> Self {
        let (edge, clock) = edge();
        let gateway = Gateway {
            store: Store::open_or_create(&database.url).unwrap(),
            keys: keys(&edge),
            edge,
            actor: "test".to_owned(),
        };
        Self { gateway, clock, folder: folder(), database }
    }

    /// Another process on the same database, with the same clock.
    pub(crate) fn replica(&self) -> Gateway {
        Gateway { store: Store::open_existing(&self.database.url).unwrap(), ..self.gateway.clone() }
    }

    /// Where its database is.
    pub(crate) fn url(&self) -> String {
        self.database.url.clone()
    }

    /// A feed of text tables in a folder of its own.
    pub(crate) fn feed(&self, name: &str, scope: Scope, text: &str) -> Feed {
        let (source, feed) = name.split_once('/').unwrap();
        let place = self.folder.path().join(source).join(feed);
        std::fs::create_dir_all(&place).unwrap();
        let mapping = Library::shipped().compile(&Source::new(name, text));
        Feed {
            source: source.to_owned(),
            name: feed.to_owned(),
            scope,
            mapping: Arc::new(mapping.unwrap_or_else(|error| panic!("{error}"))),
            mapping_text: text.to_owned(),
            place,
            pattern: String::new(),
            fetch: wayleave::gateway::feed::Fetch::default(),
            secrets: None,
            file_bytes_max: 1 << 30,
            lease_s: wayleave::base::limit::LEASE_S,
            stop: Stop::NEVER,
        }
    }

    /// Puts a file into the feed's folder, with the header before the rows.
    pub(crate) fn put(&self, feed: &Feed, file: &str, rows: &[String]) -> PathBuf {
        let mut text = format!("{HEADER}\n");
        for row in rows {
            text.push_str(row);
            text.push('\n');
        }
        self.put_bytes(feed, file, text.as_bytes())
    }

    /// Puts a file into the feed's folder.
    #[expect(clippy::unused_self, reason = "a file is put in the course of a night")]
    pub(crate) fn put_bytes(&self, feed: &Feed, file: &str, bytes: &[u8]) -> PathBuf {
        let path = feed.place.join(file);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A night: an hour later, every feed is synced.
    pub(crate) fn sync(&self, feeds: &[Feed]) -> Synced {
        self.try_sync(feeds).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A night that may fail.
    pub(crate) fn try_sync(&self, feeds: &[Feed]) -> Result<Synced, GatewayError> {
        self.clock.advance_s(3_600);
        sync(&self.gateway, feeds, &[], None, &mut |_told| {})
    }

    /// Puts one file in, and syncs one feed: the run.
    pub(crate) fn take(&self, feed: &Feed, file: &str, rows: &[String]) -> Run {
        self.put(feed, file, rows);
        let synced = self.sync(std::slice::from_ref(feed));
        assert_eq!(synced.runs.len(), 1, "{:?}", synced.runs);
        balanced(&synced.runs[0]);
        synced.runs[0].clone()
    }

    /// Every record of a kind, by its status (goals) or id.
    pub(crate) fn records(&self, kind: &str) -> Vec<CurrentRecord> {
        let subjects = self.subjects();
        let all = self.gateway.store.read(|tx| record::list_current(tx, &subjects)).unwrap();
        all.into_iter().filter(|record| record.kind == kind).collect()
    }

    /// The ids of every subject.
    pub(crate) fn subjects(&self) -> Vec<String> {
        self.gateway.store.read(wayleave::store::subject::list_ids).unwrap()
    }

    /// The status of the only goal.
    pub(crate) fn status(&self) -> String {
        let goals = self.records("goal");
        assert_eq!(goals.len(), 1);
        let body: serde_json::Value = serde_json::from_str(&goals[0].body).unwrap();
        body["status"].as_str().unwrap().to_owned()
    }
}

/// Fixed keys.
fn keys(_edge: &Edge) -> Keys {
    Keys { master: MasterKey::from_bytes([1; 32]), index: IndexKey::from_bytes([2; 32]) }
}

/// Promise 1: received is the sum of the outcomes.
pub(crate) fn balanced(run: &Run) {
    assert_eq!(run.received, run.accounted(), "{run:?}");
    assert_eq!(run.received, run.position, "{run:?}");
    assert!(run.state == "finished" || run.state == "failed", "{run:?}");
}

/// The outcomes of a run in the order in which they apply: rejected, quarantined, duplicate,
/// filtered, accepted, unchanged.
pub(crate) fn outcomes(run: &Run) -> [i64; 6] {
    [run.rejected, run.quarantined, run.duplicate, run.filtered, run.accepted, run.unchanged]
}
