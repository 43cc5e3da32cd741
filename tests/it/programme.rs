//! A housing programme for tests: its tracker saved as CSV, and its events.

use serde_json::{Map, Value, json};
use wayleave::config::Scope;
use wayleave::gateway::feed::Feed;
use wayleave::mapping::library::Library;
use wayleave::store::finding;
use wayleave::store::record::CurrentRecord;
use wayleave::store::run::Run;

use crate::night::{Night, balanced};

pub(crate) const CLIENTS: &str = "Client Ref,NHS Number,LAS ID,First Name,Surname,Date of Birth,Sex,Ethnicity,Address,Postcode,Care Home at Entry,Referred On,Accepted On,Started On,Stage,Moved On,Left On,How Left,Reason Left";
pub(crate) const STARS: &str = "Client Ref,Date Completed,Edition,Occasion,Completed With,Mental Health,Living Skills,Relationships,Social Networks,Self Care,Work,Identity and Self Esteem,Trust and Hope,Addictive Behaviour,Responsibilities,Physical Health,Friends and Community,Use of Time,Home,Row Id";
pub(crate) const SPELLS: &str = "Client Ref,Type,Provider,Landlord,Tenancy Type,Postcode,From,To,The Move,Sustained 6 Months,Sustained 12 Months,Sustained 24 Months,Row Id";
pub(crate) const CONSENTS: &str = "Client Ref,Study,Form,Form Version,Information Sheet Version,Information Sheet Date,Decision,Decided On,Case Data,Link Housing,Link NHS,Written Notes,Contact Again,Given By,Checked,Taken By,Form Kept At";
pub(crate) const GOALS: &str = "Goal Ref,Client Ref,Area,Goal,Set On,Due On,Status,Closed On";
pub(crate) const MILESTONES: &str = "Client Ref,Activity,Phase,Role,Planned,Done,Outcome,Delayed By,Difficulty,Barrier,Action Taken,Amount,Topics,Plan Version,Row Id";

/// A programme that keeps its tracker and posts its events.
pub(crate) struct Programme {
    pub(crate) night: Night,
    pub(crate) stars: Feed,
    pub(crate) spells: Feed,
    pub(crate) consents: Feed,
    pub(crate) goals: Feed,
    clients: Feed,
    pub(crate) milestones: Feed,
    events: Feed,
    files: std::cell::Cell<u32>,
}

impl Programme {
    pub(crate) fn new(night: Night) -> Self {
        let feed = |name: &str, scope| {
            let text = Library::shipped().text(name).unwrap().to_owned();
            night.feed(name, scope, &text)
        };
        let programme = Self {
            stars: feed("housing/sheet-stars", Scope::Known),
            spells: feed("housing/sheet-accommodation", Scope::Known),
            consents: feed("housing/sheet-consents", Scope::Known),
            goals: feed("housing/sheet-goals", Scope::Known),
            milestones: feed("housing/sheet-milestones", Scope::Known),
            clients: feed("housing/sheet-clients", Scope::Defines),
            events: feed("housing/events", Scope::Known),
            night,
            files: std::cell::Cell::new(0),
        };
        programme.client("");
        programme
    }

    /// The workbook's row of the only client, as far as it goes.
    pub(crate) fn client(&self, rest: &str) -> Run {
        let row = format!("PI901,9990000018,,Ada,Fell,04/07/1961,Female,,1 Yew Lane,S99 1AA{rest}");
        let row = format!("{row}{}", ",".repeat(18 - row.matches(',').count()));
        self.sheet(&self.clients, CLIENTS, &[&row])
    }

    pub(crate) fn sheet(&self, feed: &Feed, header: &str, rows: &[&str]) -> Run {
        let mut text = format!("{header}\n");
        rows.iter().for_each(|row| text.push_str(&format!("{row}\n")));
        self.take(feed, "csv", text.as_bytes())
    }

    fn take(&self, feed: &Feed, ending: &str, bytes: &[u8]) -> Run {
        self.files.set(self.files.get() + 1);
        // The last file stays, as it would where the account may not move it.
        self.night.put_bytes(feed, &format!("{:04}.{ending}", self.files.get()), bytes);
        let synced = self.night.sync(std::slice::from_ref(feed));
        assert_eq!(synced.runs.len(), 1, "{:?}", synced.runs);
        balanced(&synced.runs[0]);
        synced.runs[0].clone()
    }

    pub(crate) fn event(&self, kind: &str, occurred: &str, fields: &Value) -> Run {
        let mut body = Map::new();
        body.insert("type".to_owned(), json!(kind));
        body.insert("client_ref".to_owned(), json!("PI901"));
        body.insert("occurred_at".to_owned(), json!(occurred));
        body.extend(fields.as_object().unwrap().clone());
        let id = format!("evt_{}", self.files.get());
        let line = json!({
            "webhook-id": id, "webhook-timestamp": "1", "webhook-signature": "v1,",
            "body": Value::Object(body).to_string(),
        });
        self.take(&self.events, "ndjson", format!("{line}\n").as_bytes())
    }

    /// The records of a kind that are there, and what they say in the open.
    pub(crate) fn there(&self, kind: &str) -> Vec<(CurrentRecord, Value)> {
        let records = self.night.records(kind).into_iter().filter(|record| !record.is_absent);
        records.map(|record| (record.clone(), serde_json::from_str(&record.body).unwrap())).collect()
    }

    pub(crate) fn only(&self, kind: &str) -> Value {
        let mut there = self.there(kind);
        assert_eq!(there.len(), 1, "{there:?}");
        there.pop().unwrap().1
    }

    pub(crate) fn findings(&self, run: &Run) -> Vec<String> {
        let found = self.night.gateway.store.read(|tx| finding::list(tx, &run.id)).unwrap();
        let told = found.into_iter().filter(|row| row.severity != "note");
        told.map(|row| format!("{}: {}", row.code, row.expected)).collect()
    }
}

/// A row of the sheet of stars: its day, its first areas, its id.
pub(crate) fn star(day: &str, occasion: &str, areas: [&str; 3], id: &str) -> String {
    let [mental, living, relationships] = areas;
    format!("PI901,{day},RS3,{occasion},,{mental},{living},{relationships},,,,,,,,,,,,{id}")
}

pub(crate) fn star_event(day: &str, more: &Value) -> Value {
    let mut fields = json!({"completed_on": day, "edition": "RS3"});
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fields
}
