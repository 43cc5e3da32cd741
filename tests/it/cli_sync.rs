//! What a person reads the morning after: sync, run list, run show, quarantine list, status.

use crate::bad_input::{Site, rows};

#[test]
fn the_morning_after() {
    let site = Site::new();
    site.put(
        "2.csv",
        &rows(&[
            "A1,,,,,,G1,work,completed,,",
            "A2,9990000018,Gray,Ann,1960-02-03,LE1 3AB,G2,work,overdue,,",
            "A2,9990000018,Gray,Ann,1960-02-03,LE1 3AB,G2,work,overdue,,",
            "A3,9990000019,Jones,Bob,1961-02-03,,,,,,",
            "A4,,,,,,G4,,overdue,,",
            "A5,,,,,,G5,,overdue,,",
            "A6,,,,,,G6,,overdue,,",
            "A7,,,,,,G7,,overdue,,",
        ]),
    );
    let mut told = String::new();
    for words in [
        &["sync"][..],
        &["sync"],
        &["run", "list"],
        &["run", "list", "--last", "2"],
        &["quarantine", "list"],
        &["status"],
    ] {
        let output = site.run(words);
        told.push_str(&format!("$ wayleave {} [{}]\n", words.join(" "), output.status.code().unwrap()));
        told.push_str(&site.said(&output));
    }
    let runs = site.run(&["--json", "run", "list"]);
    let runs: serde_json::Value = serde_json::from_slice(&runs.stdout).unwrap();
    let id = runs.as_array().unwrap().iter().find(|run| run["units"]["received"] == 8).unwrap()["id"]
        .as_str()
        .unwrap();
    for words in [&["run", "show", &id[28..]][..], &["run", "show", "nosuchrun"]] {
        let output = site.run(words);
        told.push_str(&format!("$ wayleave run show [{}]\n", output.status.code().unwrap()));
        told.push_str(&site.said(&output));
    }
    insta::with_settings!({filters => vec![
        (r"run_[0-9a-f]{32}", "run_ID"),
        (r"(?m)^[0-9a-f]{8}  ", "RUN       "),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD hh:mm"),
    ]}, { insta::assert_snapshot!(told) });
    for words in [
        &["--json", "run", "show"][..],
        &["--json", "quarantine", "list"],
        &["--json", "status"],
        &["--json", "sync"],
        &["--json", "check"],
    ] {
        let output = site.run(words);
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap_or_else(|_| panic!("{words:?}"));
    }
}
