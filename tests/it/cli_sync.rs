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

/// Where Windows would find a drive or a share, another system would make a folder of that name and
/// look into it for ever: it says so, of files and of the database. That each works there is for a
/// test on Windows to say; the forms are told apart by `transport/place` and `store/place`.
#[cfg(unix)]
#[test]
fn a_drive_or_a_share_is_not_taken_for_a_name_of_this_machine() {
    let site = Site::new();
    for folder in [r"C:\Council data\in", r"\\fileserver\Housing drop", r"\\?\UNC\fileserver\drop"] {
        let config = format!(
            "[gateway]\nmappings = \"mappings\"\n[source.council]\nscope = \"everyone\"\n\
             [source.council.feed.cld]\nfolder = '{folder}'\n"
        );
        std::fs::write(site.path("wayleave.toml"), config).unwrap();
        let output = site.run(&["sync"]);
        let said = site.said(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(folder) && said.contains("mount the share"), "{said}");
    }
    for (section, words) in [
        ("[gateway]\ndatabase", &["check"][..]),
        ("[evaluation]\ndatabase", &["extract", "list"]),
        ("[gateway]\nqueue", &["check"]),
    ] {
        let config = format!("{section} = 'sqlite:\\\\fileserver\\share\\way.db'\n");
        std::fs::write(site.path("wayleave.toml"), config).unwrap();
        let output = site.run(words);
        let said = site.said(&output);
        assert_ne!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("network file system"), "{words:?}: {said}");
    }
}

/// Reports of Salesforce give an id of fifteen letters, and flows the same with three more.
#[test]
fn the_two_forms_of_a_salesforce_id_are_one_person() {
    let site = Site::new();
    site.put(
        "2.csv",
        &rows(&[
            "001A0000006Vm9r,9990000018,Gray,Ann,1960-02-03,LE1 3AB,G2,work,overdue,,",
            "001A0000006Vm9rIAC,9990000018,Gray,Ann,1960-02-03,LE1 3AB,G3,work,overdue,,",
        ]),
    );
    site.ok(&["sync"]);
    let output = site.run(&["--json", "status"]);
    let standing: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    // The one, and whom the site knew before.
    assert_eq!(standing["subjects"], 2, "{standing}");
    assert_eq!(standing["records"], serde_json::json!([["goal", 3], ["person", 2]]), "{standing}");
    assert_eq!(standing["feeds"][0]["findings"]["warning"], 0, "{standing}");
}
