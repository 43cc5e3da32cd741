//! Cohort requests: whom the trust is asked about, who is taken away, and what it then sends.

use std::collections::BTreeSet;

use wayleave::record::kind::Kind;
use wayleave::store::{Tx, batch, dispatch, requested, run};

use crate::partners::{ANN, BOB, Partners, agreement, on_every_database};
use crate::story::STUDY;

pub(crate) const REQUEST: &str = r#"
[request.trust-cohort]
agreement = "cohort"
study = "promoting-independence"
"#;

const HEADER: &str = "NHS Number,Contact Reference,Date,Type,Planned,Referred By,Team,Attended\n";

fn states(partners: &Partners) -> Vec<String> {
    let counts = partners.story.gateway.store.read(requested::count).unwrap();
    counts.into_iter().map(|(_, state, count)| format!("{count} {state}")).collect()
}

/// A consent with this answer on NHS records.
pub(crate) fn consent(partners: &Partners, subject: &str, link_nhs: &str, on: &str) {
    let fields = format!(
        "study={STUDY} form_code=PI-CF form_version=2 decision=given decided_on={on} \
         use_case_data=yes link_housing=yes link_nhs={link_nhs} free_text=no checked=true"
    );
    partners.story.record("housing", subject, Kind::Consent, &format!("{link_nhs} {on}"), &fields);
}

#[test]
fn the_trust_is_asked_about_those_who_agreed_and_nobody_else() {
    on_every_database(|partners| {
        partners.configure(REQUEST);
        let story = &partners.story;
        let ann = story.subject("housing", ANN);
        let bob = story.subject("housing", BOB);
        story.subject(
            "housing",
            "tracker_ref=TR-CY family_name=Cyan given_name=Cy birth_date=1950-01-01 nhs_number=9990000026",
        );
        consent(partners, &ann, "yes", "2025-01-01");
        consent(partners, &bob, "no", "2025-01-01");
        assert_eq!(partners.round().sent, 1);
        assert_eq!(partners.files(), ["change,nhs_number\r\nadd,9995899604\r\n"]);
        assert_eq!(states(partners), ["1 listed"]);
        partners.clear_files();
        assert_eq!(partners.round().sent, 0, "nothing new is no message");
        // Bob thinks better of it.
        consent(partners, &bob, "yes", "2025-02-01");
        partners.round();
        assert_eq!(partners.files(), ["change,nhs_number\r\nadd,9990000018\r\n"]);
        partners.clear_files();
        // In the step that withdraws, before anything of exchange runs.
        story.consent(&ann, "withdrawn", "2025-03-31");
        story.steps();
        assert_eq!(states(partners), ["1 listed", "1 to-remove"]);
        assert_eq!(partners.send().sent, 1);
        assert_eq!(partners.files(), ["change,nhs_number\r\nremove,9995899604\r\n"]);
        assert_eq!(states(partners), ["1 listed", "1 removed"]);
        // Agreed again: another message, which whoever keeps ids does not take for the first.
        partners.clear_files();
        story.clock.advance_s(2 * 86_400);
        consent(partners, &ann, "yes", "2025-04-01");
        partners.round();
        assert_eq!(partners.files(), ["change,nhs_number\r\nadd,9995899604\r\n"]);
        let laid = |tx: &mut Tx| dispatch::list_of_records(tx, &["trust-cohort".to_owned()]);
        let rows = story.gateway.store.read(laid).unwrap();
        let ids: BTreeSet<_> = rows.iter().map(|row| row.message_id.clone().unwrap()).collect();
        assert_eq!((rows.len(), ids.len()), (4, 4));
    });
}

#[test]
fn a_request_may_go_by_mesh() {
    on_every_database(|partners| {
        partners.configure(REQUEST);
        let file = partners.folder.path().join("wayleave.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let by_mesh = "mailbox = \"X26OT002\"\nworkflow = \"WL_COHORT\"";
        std::fs::write(&file, text.replace("folder = \"out trust\"", by_mesh)).unwrap();
        let ann = partners.story.subject("housing", ANN);
        consent(partners, &ann, "yes", "2025-01-01");
        assert_eq!(partners.round().sent, 1);
        partners.round();
        let (_, shown, told) = partners.run(&["post", "list", "--json"]);
        let list: serde_json::Value =
            serde_json::from_str(&shown).unwrap_or_else(|_| panic!("{shown}{told}"));
        let text = list.to_string();
        assert_eq!(text.matches("X26OT002").count(), 1, "{text}");
        assert!(text.contains("WL_COHORT") && !text.contains("9995899604"), "{text}");
        assert_eq!(states(partners), ["1 listed"]);
    });
}

#[test]
fn who_withdraws_before_it_is_sent_is_never_named() {
    on_every_database(|partners| {
        partners.configure(REQUEST);
        let story = &partners.story;
        let ann = story.subject("housing", ANN);
        consent(partners, &ann, "yes", "2025-01-01");
        partners.write(
            "cohort.toml",
            &agreement(
                "cohort",
                "trust",
                "2025-03-01",
                "[[kind]]\nkind = \"person\"\nfields = [\"nhs_number\"]",
            ),
        );
        let ended = partners.round();
        assert_eq!(
            (ended.sent, ended.refused),
            (0, 0),
            "nobody is gathered under an agreement that has ended"
        );
        let kinds = "[[kind]]\nkind = \"person\"\nfields = [\"nhs_number\"]";
        let later = agreement("cohort", "trust", "2099-12-31", kinds).replace("2020-01-01", "2025-04-02");
        partners.write("cohort.toml", &later);
        consent(partners, &ann, "yes", "2025-02-01");
        assert_eq!(partners.round().refused, 1);
        assert_eq!((partners.stands(), partners.files().len()), (vec!["1 refused not-yet".to_owned()], 0));
        assert_eq!(partners.round().refused, 0, "said once a day");
        story.consent(&ann, "withdrawn", "2025-03-31");
        partners.round();
        partners.story.clock.advance_s(5 * 86_400);
        assert_eq!(partners.round().sent, 0);
        assert!(partners.files().is_empty());
        assert_eq!(states(partners), ["1 removed"]);
    });
}

#[test]
fn records_of_anybody_not_asked_about_are_counted_and_not_kept() {
    on_every_database(|partners| {
        let more = "[source.trust.feed.contacts]\nfolder = \"in\"\n";
        partners.configure(&format!("{more}{REQUEST}"));
        let story = &partners.story;
        let ann = story.subject("housing", ANN);
        // Known to the programme, and never asked.
        story.subject("housing", BOB);
        consent(partners, &ann, "yes", "2025-01-01");
        partners.round();
        std::fs::create_dir(partners.folder.path().join("in")).unwrap();
        let row = |number: &str, reference: &str| {
            format!("{number},{reference},03/03/2025,Community,Yes,GP,,Yes\n")
        };
        let ann_row = row("9995899604", "C-ANN");
        let rows =
            format!("{HEADER}{ann_row}{}{}", row("9990000018", "C-BOB"), row("9990000026", "C-STRANGER"));
        partners.write("in/first.csv", &rows);
        let (code, shown, told) = partners.run(&["sync", "--json"]);
        assert_eq!(code, Some(0), "{shown}{told}");
        let runs: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let units =
            |run: &serde_json::Value| (run["units"]["accepted"].clone(), run["units"]["filtered"].clone());
        assert_eq!(units(&runs[0]), (1.into(), 2.into()), "{shown}");
        let read = &story.gateway.store;
        let batch = read.read(|tx| batch::find_last(tx, "trust", "contacts")).unwrap().unwrap();
        assert!(!read.read(|tx| batch::has_pieces(tx, &batch.id)).unwrap(), "the file is not kept");
        // Not even for a second look.
        let (_, shown, _) = partners.run(&["sync", "--json"]);
        let again: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(again[0]["units"]["accepted"], 0, "{shown}");
        // Ann withdraws, and the trust sends on all the same.
        story.consent(&ann, "withdrawn", "2025-03-31");
        partners.round();
        partners.write("in/second.csv", &format!("{HEADER}{}", row("9995899604", "C-LATER")));
        let (_, shown, _) = partners.run(&["sync", "--json"]);
        let later: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let of_second = later.as_array().unwrap().iter().find(|run| run["units"]["received"] == 1).unwrap();
        assert_eq!(units(of_second), (0.into(), 1.into()), "{shown}");
        assert!(read.read(run::list_open).unwrap().is_empty());
        for canary in ["9995899604", "9990000018", "C-STRANGER"] {
            assert!(!told.contains(canary), "{canary}");
        }
    });
}
