//! What is of restricted people is shown to named roles alone, wherever it is shown: decisions on consent,
//! units that were set aside, a sender's own file. Each look is on record.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;
use wayleave::store::{Store, audit};

use crate::bad_input::{Site, rows};
use crate::partners::{ANN, BOB, on_every_database};
use crate::service::Client;

fn looks(store: &Store) -> Vec<(String, String)> {
    let entries = store.read(|tx| audit::list_after(tx, 0, 10_000)).unwrap();
    let seen = entries.into_iter().filter(|entry| entry.action == "restricted-seen");
    seen.map(|entry| (entry.actor, entry.object)).collect()
}

#[test]
fn a_decision_of_a_restricted_person_is_listed_to_named_roles_alone() {
    on_every_database(|partners| {
        partners.configure("[web]\nlisten = \"127.0.0.1:0\"\n");
        let story = &partners.story;
        let mut records = Vec::new();
        for (person, day) in [(ANN, "2025-01-01"), (BOB, "2025-01-02")] {
            let subject = story.subject("housing", person);
            story.consent(&subject, "given", day);
            records.push(subject);
        }
        story.steps();
        let list = |words: &[&str]| {
            let (code, shown, told) = partners.run(&[&["consent", "list"], words].concat());
            assert_eq!(code, Some(0), "{told}");
            (shown.lines().count(), told)
        };
        assert_eq!(list(&[]).0, 2);
        // Another source says that Ann is restricted.
        story.subject(
            "council",
            &format!("{} restricted=true", ANN.replace("tracker_ref=TR-ANN", "council_id=C1")),
        );
        story.steps();
        let (lines, told) = list(&[]);
        assert!(lines == 1 && told.contains("1 decisions of restricted people are left out"), "{told}");
        assert_eq!(looks(&story.gateway.store), [], "nobody was shown any");
        assert_eq!(list(&["--restricted"]).0, 2);
        assert_eq!(looks(&story.gateway.store).len(), 1);

        let key = |words: &[&str]| {
            let words = [&["--json", "key", "create", "--role", "operate"], words].concat();
            let (_, shown, told) = partners.run(&words);
            let made: Value = serde_json::from_str(&shown).unwrap_or_else(|_| panic!("{shown}{told}"));
            (made["id"].as_str().unwrap().to_owned(), format!("Bearer {}", made["key"].as_str().unwrap()))
        };
        let ((_, plain), (named_id, named)) = (key(&[]), key(&["--restricted"]));
        let mut service =
            partners.command(&["serve", "--role", "web"]).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(service.stderr.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("listening on ").map(str::to_owned)).unwrap();
        let get = |key: &str| {
            let path = "/v1/studies/promoting-independence/consents";
            let answer =
                Client::to(address.parse().unwrap()).send("GET", path, &[("authorization", key)], b"");
            answer.json().as_array().unwrap().len()
        };
        assert_eq!((get(&plain), get(&named)), (1, 2));
        service.kill().unwrap();
        service.wait().unwrap();
        assert_eq!(looks(&story.gateway.store).last().unwrap().0, named_id);
    });
}

#[test]
fn units_of_a_source_that_knows_restricted_people_are_opened_by_named_roles_alone() {
    let site = Site::new();
    site.put(
        "2.csv",
        &rows(&[
            "A2,9990000019,Canary,Ann,1960-02-03,LE1 3AB,,,,,",
            "A3,9990000018,Gray,Bob,1961-02-03,LE1 3AB,,,,,",
        ]),
    );
    site.run(&["sync"]);
    let export = |name: &str, words: &[&str]| {
        let out = site.path(name);
        let words =
            [&["quarantine", "export", "--with-units", "--out", out.to_str().unwrap()], words].concat();
        let output = site.run(&words);
        (output.status.code().unwrap(), site.said(&output), out.exists())
    };
    assert_eq!(export("before", &[]).0, 0, "nobody is restricted yet");
    site.ok(&["exchange", "restrict", "--source", "council", "--ref", "A3", "--decided-on", "2025-01-01"]);
    let (code, said, is_there) = export("refused", &[]);
    assert_eq!((code, is_there), (2, false), "{said}");
    assert!(said.contains("--restricted") && !said.contains("Canary"), "{said}");
    let url = format!("sqlite:{}", site.path("operational.db").display());
    let store = Store::open_existing(&url).unwrap();
    assert_eq!(looks(&store), []);
    let (code, said, is_there) = export("named", &["--restricted"]);
    assert_eq!((code, is_there), (0, true), "{said}");
    assert_eq!(looks(&store).len(), 1);
    // Restricted no longer, it is as before.
    site.ok(&["exchange", "unrestrict", "--source", "council", "--ref", "A3", "--decided-on", "2025-01-02"]);
    assert_eq!(export("after", &[]).0, 0);
}
