//! A star that the tracker's row and an event both tell is one star on the evaluation side too, and
//! stays one when its day is corrected.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::dump;
use crate::programme::{CLIENTS, CONSENTS, STARS, star};
use crate::zone::{STUDY, Servers, Zone};

const FEEDS: &str = r#"[source.housing]
scope = "defines"
[source.housing.feed.clients]
mapping = "housing/sheet-clients"
folder = "in/clients"
[source.housing.feed.consents]
mapping = "housing/sheet-consents"
folder = "in/consents"
[source.housing.feed.stars]
mapping = "housing/sheet-stars"
folder = "in/stars"
[source.housing.feed.events]
mapping = "housing/events"
folder = "in/events"
"#;

struct Site {
    zone: Zone,
    files: std::cell::Cell<u32>,
}

impl Site {
    /// One client, who consented.
    fn new(servers: Servers) -> Option<Self> {
        let zone = Zone::new(servers, 3)?;
        let file = zone.folder().join("wayleave.toml");
        let config = std::fs::read_to_string(&file).unwrap();
        let (head, rest) = config.split_once("[source.housing]").unwrap();
        let (_, study) = rest.split_once("[study.").unwrap();
        std::fs::write(file, format!("{head}{FEEDS}[study.{study}")).unwrap();
        for feed in ["clients", "consents", "stars", "events"] {
            std::fs::create_dir_all(zone.folder().join("in").join(feed)).unwrap();
        }
        let site = Self { zone, files: std::cell::Cell::new(0) };
        let row = "PI901,9990000018,,Ada,Fell,04/07/1961,Female,White - Irish,1 Yew Lane,S99 1AA";
        site.sheet("clients", CLIENTS, row);
        let row = "PI901,Promoting Independence,PI-CF,2.0,3.1,01/09/2020,Given,18/03/2021,Yes,Yes,Yes,No,Yes,Self,Yes,A Worker,Box 4";
        site.sheet("consents", CONSENTS, row);
        Some(site)
    }

    fn put(&self, feed: &str, ending: &str, text: &str) {
        self.files.set(self.files.get() + 1);
        let folder = self.zone.folder().join("in").join(feed);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{:04}.{ending}", self.files.get())), text).unwrap();
    }

    fn sheet(&self, feed: &str, header: &str, row: &str) {
        let blanks = header.matches(',').count() - row.matches(',').count();
        self.put(feed, "csv", &format!("{header}\n{row}{}\n", ",".repeat(blanks)));
    }

    fn event(&self, day: &str, occurred: &str, more: &Value) {
        let mut body = json!({
            "type": "star_completed", "client_ref": "PI901", "occurred_at": occurred,
            "completed_on": day, "edition": "RS3",
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let line = json!({
            "webhook-id": format!("evt_{}", self.files.get()), "webhook-timestamp": "1",
            "webhook-signature": "v1,", "body": body.to_string(),
        });
        self.put("events", "ndjson", &format!("{line}\n"));
    }

    /// A night: read, released, collected. The stars that stand on the far side, and under how many
    /// names any star was ever sent.
    fn stars(&self) -> (Vec<Value>, usize) {
        for words in [&["sync"][..], &["study", "release", STUDY], &["collect"]] {
            self.zone.must(words);
        }
        let rows = &dump::dump(&self.zone.evaluation.url)["record"];
        let rows: Vec<Value> = rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
        let of_stars: Vec<&Value> = rows.iter().filter(|row| row["kind"] == "star").collect();
        let names: BTreeSet<&str> =
            of_stars.iter().filter_map(|row| row["record_pseudonym"].as_str()).collect();
        let stand = of_stars.iter().filter_map(|row| row["fields"].as_str());
        (stand.map(|fields| serde_json::from_str(fields).unwrap()).collect(), names.len())
    }

    /// The one star that stands: its day, and what the row and the event say of it.
    fn only(&self) -> (String, Value, Value) {
        let (stars, _) = self.stars();
        assert_eq!(stars.len(), 1, "{stars:?}");
        let star = &stars[0];
        (
            star["completed_on"].as_str().unwrap().to_owned(),
            star["mental_health"].clone(),
            star["work"].clone(),
        )
    }
}

fn on_both(test: impl Fn(&Site)) {
    for servers in [Servers::ALL[0], Servers::ALL[3]] {
        let Some(site) = Site::new(servers) else { continue };
        test(&site);
        site.zone.remove();
    }
}

fn row(day: &str) -> String {
    star(day, "Review", ["4", "5", "6"], "r1")
}

#[test]
fn a_star_told_twice_is_released_once_and_corrected_once() {
    on_both(|site| {
        site.event("2024-03-01", "2024-03-01T10:00:00Z", &json!({"work": 7}));
        assert_eq!(site.only(), ("2024-03-01".to_owned(), Value::Null, json!(7)));
        site.sheet("stars", STARS, &row("01/03/2024"));
        assert_eq!(site.only(), ("2024-03-01".to_owned(), json!(4), json!(7)));
        site.sheet("stars", STARS, &row("02/03/2024"));
        assert_eq!(site.only(), ("2024-03-02".to_owned(), json!(4), json!(7)));
        // Nobody who knows the far side alone sees two: it is one name throughout.
        assert_eq!(site.stars().1, 1);
        // An event that knows of the correction, and one that does not: neither makes another.
        site.event("2024-03-02", "2024-03-05T10:00:00Z", &json!({"work": 8}));
        assert_eq!(site.only(), ("2024-03-02".to_owned(), json!(4), json!(8)));
        site.event("2024-03-01", "2024-03-06T10:00:00Z", &json!({"work": 9}));
        assert_eq!(site.only(), ("2024-03-02".to_owned(), json!(4), json!(9)));
        assert_eq!(site.stars().1, 1);
    });
}

#[test]
fn both_in_one_night_are_one_and_two_that_a_correction_makes_one_leave_one() {
    on_both(|site| {
        site.sheet("stars", STARS, &row("02/03/2024"));
        site.event("2024-03-02", "2024-03-02T10:00:00Z", &json!({"work": 7}));
        assert_eq!(site.only(), ("2024-03-02".to_owned(), json!(4), json!(7)));
        // An event of another day is another star, until the row says that it was that day.
        site.event("2024-04-09", "2024-04-09T10:00:00Z", &json!({"living_skills": 5, "work": 6}));
        assert_eq!(site.stars().0.len(), 2);
        site.sheet("stars", STARS, &row("09/04/2024"));
        let (day, mental, _) = site.only();
        assert_eq!((day.as_str(), mental), ("2024-04-09", json!(4)));
    });
}

#[test]
fn a_row_of_another_edition_is_another_star() {
    on_both(|site| {
        site.event("2024-03-01", "2024-03-01T10:00:00Z", &json!({"work": 7}));
        site.sheet("stars", STARS, &row("01/03/2024").replace("RS3", "RS2"));
        let (mut stars, names) = site.stars();
        stars.sort_by_key(|star| star["edition"].to_string());
        let told: Vec<_> =
            stars.iter().map(|star| (&star["edition"], &star["mental_health"], &star["work"])).collect();
        assert_eq!(
            told,
            [(&json!("RS2"), &json!(4), &Value::Null), (&json!("RS3"), &Value::Null, &json!(7))]
        );
        assert_eq!(names, 2);
    });
}
