//! A value of a record that is kept is explained whichever way it came: a message over MLLP, one out of a
//! mailbox, an event; and where it cannot be, that is said with what to do.

use wayleave::store::{Store, audit, record};

use crate::dump;
use crate::mesh_sandbox::Sandbox;
use crate::mllp::{Line, drained, message, msa, port, site};
use crate::service::{Site, goal, secret_file};
use crate::support::{databases, sqlite};

/// The ids of the records of a kind.
fn records(site: &Site, feed: (&str, &str), kind: &str) -> Vec<String> {
    let store = Store::open_existing(&site.database.url).unwrap();
    let all = store.read(|tx| record::list_present(tx, feed.0, feed.1, "", 100)).unwrap();
    let ids: Vec<String> = all.into_iter().map(|row| row.0).collect();
    let found = store.read(|tx| record::find_current(tx, &ids)).unwrap();
    found.into_iter().filter(|one| one.kind == kind).map(|one| one.id).collect()
}

fn explain(site: &Site, words: &[&str]) -> (i32, String, String) {
    let output = site.command(&[&["mapping", "explain"], words].concat()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_message_over_mllp_is_explained() {
    for database in databases() {
        let site = site(database, "");
        let service = site.serve(&["mllp", "worker"]);
        let mut line = Line::to(port(&service));
        for (n, family) in ["Fell", "Tarn", "Beck"].into_iter().enumerate() {
            let sent = message(&format!("M{n}"), &format!("T10000{n}"), family, "");
            assert_eq!(msa(&line.send(&sent)).0, "AA");
        }
        drained(&site);
        drop(service);
        let people = records(&site, ("trust", "adt"), "person");
        assert_eq!(people.len(), 3);
        let mut shown = Vec::new();
        for id in &people {
            let (code, out, err) = explain(&site, &["--record", id, "--field", "person.family_name"]);
            assert_eq!(code, 0, "{err}");
            assert!(out.starts_with("mapping  trust/adt version "), "{out}");
            assert!(out.contains("trust/adt, bat_") && out.contains("`PID-5"), "{out}");
            let (code, open, err) = explain(&site, &["--record", id, "--field", "family_name", "--show"]);
            assert_eq!(code, 0, "{err}");
            assert!(err.contains("identifying values opened"), "{err}");
            for family in ["Fell", "Tarn", "Beck"] {
                assert!(!out.contains(family), "withheld: {out}");
                shown.extend(open.contains(family).then(|| family.to_owned()));
            }
        }
        shown.sort();
        assert_eq!(shown, ["Beck", "Fell", "Tarn"], "each its own message");
        let store = Store::open_existing(&site.database.url).unwrap();
        let entries = store.read(|tx| audit::list_after(tx, 0, 1_000)).unwrap();
        let opened = entries.iter().filter(|entry| entry.action == "explain" && entry.count > 0);
        assert_eq!(opened.count(), 3, "what was shown is on record");

        // Of a restricted person to named roles alone.
        site.must(&[
            "exchange",
            "restrict",
            "--source",
            "trust",
            "--ref",
            "T100000",
            "--decided-on",
            "2025-01-01",
        ]);
        let refused: Vec<String> = people
            .iter()
            .map(|id| explain(&site, &["--record", id, "--field", "family_name"]))
            .filter(|(code, ..)| *code == 2)
            .map(|(_, _, err)| err)
            .collect();
        assert!(refused.len() == 1 && refused[0].contains("--restricted"), "{refused:?}");
        for id in &people {
            assert_eq!(explain(&site, &["--record", id, "--field", "family_name", "--restricted"]).0, 0);
        }
        // What was received is gone.
        dump::change(&site.database.url, "DELETE FROM kept_piece");
        let (code, _, err) =
            explain(&site, &["--record", &people[1], "--field", "family_name", "--restricted"]);
        assert!(code == 2 && err.contains("is no longer kept"), "{err}");
        let (code, _, err) = explain(&site, &["--record", "rec_1", "--field", "family_name"]);
        assert!(code == 2 && err.contains("there is no record `rec_1`"), "{err}");
    }
}

#[test]
fn a_message_out_of_a_mailbox_and_an_event_are_explained() {
    let Some(sandbox) = Sandbox::start(None) else { return };
    let site = Site::new(sqlite(), "");
    let config = std::fs::read_to_string(site.path().join("wayleave.toml")).unwrap();
    site.configure(&format!(
        "{config}\n[mesh]\nurl = \"{}\"\nmailbox = \"X26ABC1\"\nroutes = {{ TRUST_ADT = \"trust/adt\" }}\n\
         [source.trust]\nscope = \"everyone\"\n[source.trust.feed.adt]\n",
        sandbox.url
    ));
    secret_file(&site.path().join("keys/mesh.password"), "password\n");
    secret_file(&site.path().join("keys/mesh.shared"), "TestKey\n");
    sandbox.put("X26ABC1", "TRUST_ADT", &message("M1", "T100001", "Fell", ""));
    site.must(&["post", "collect"]);
    let service = site.serve(&["web", "worker"]);
    let mut client = service.connect();
    let event = goal("1", "H-1", "G-1", "in-progress");
    let kept = client.post_signed("/v1/sources/housing/events", "evt_1", event.as_bytes()).json();
    client.processed(kept["receipt"].as_str().unwrap());
    drained(&site);
    drop(service);
    site.must(&["sync"]);
    let person = &records(&site, ("trust", "adt"), "person")[0];
    let (code, out, err) = explain(&site, &["--record", person, "--field", "family_name", "--show"]);
    assert!(code == 0 && out.contains("Fell"), "{out}{err}");
    let goal = &records(&site, ("housing", "events"), "goal")[0];
    let (code, out, err) = explain(&site, &["--record", goal, "--field", "goal.status"]);
    assert!(code == 0 && out.contains("in-progress"), "{out}{err}");
    let (code, _, err) = explain(&site, &["--record", goal, "--field", "person.family_name"]);
    assert!(code == 2 && err.contains("sets no field `person.family_name`"), "{err}");
}

/// A tenancy is about each of its tenants, and a record about one of them.
#[test]
fn of_a_unit_about_several_people_what_is_said_of_one_is_explained() {
    let site = Site::new(sqlite(), "");
    let config = std::fs::read_to_string(site.path().join("wayleave.toml")).unwrap();
    site.configure(&format!("{config}\n[source.council]\nscope = \"everyone\"\n[source.council.feed.tenures]\nmapping = \"housing/tenures\"\nfolder = \"in/tenures\"\n"));
    let folder = site.path().join("in/tenures");
    std::fs::create_dir_all(&folder).unwrap();
    let joint = r#"{"id": "t5", "householdMembers": [{"id": "m1", "fullName": "Ada Fell", "isResponsible": true}, {"id": "m2", "fullName": "Bo Fell", "isResponsible": true}], "startOfTenureDate": "2022-07-02T00:00:00", "tenureType": {"code": "SEC"}}"#;
    std::fs::write(folder.join("1.json"), joint).unwrap();
    site.must(&["sync", "council/tenures"]);
    let people = records(&site, ("council", "tenures"), "person");
    assert_eq!((people.len(), records(&site, ("council", "tenures"), "accommodation").len()), (2, 2));
    let mut shown = Vec::new();
    for id in &people {
        let (code, out, err) = explain(&site, &["--record", id, "--field", "full_name", "--show"]);
        assert_eq!(code, 0, "{err}");
        shown.push((out.contains("Ada Fell"), out.contains("Bo Fell")));
    }
    shown.sort_unstable();
    assert_eq!(shown, [(false, true), (true, false)]);
}
