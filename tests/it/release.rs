//! The protocol and the gate: what is not named, and what there is no leave for, does not leave.

use serde_json::{Value, json};
use wayleave::base::edge::Instant;
use wayleave::base::id::{PersonId, RecordId, ReleaseId};
use wayleave::base::private::{Grant, Private, Release};
use wayleave::base::seal::StudyKey;
use wayleave::consent::decide::{Proof, When};
use wayleave::consent::directive::{Answer, Decided, Directive};
use wayleave::record::draft::Draft;
use wayleave::record::kind::Kind;
use wayleave::record::schema::{self, Holds};
use wayleave::release::door::DoorMessage;
use wayleave::release::gate::{About, Asking, Gate, Withheld};
use wayleave::release::protocol::Protocol;
use wayleave::release::protocol::show::show;
use wayleave::release::scan::Own;
use wayleave::release::treat::Around;

const STUDY: &str = "promoting-independence";

fn proof(answers: [Answer; 4]) -> Proof {
    let directive = Directive {
        record: RecordId::from_bits(1),
        version: 1,
        study: STUDY.to_owned(),
        form: Some("PI-CF".to_owned()),
        form_version: Some("2".to_owned()),
        decided: Decided::Given,
        decided_on: "2020-01-01".parse().unwrap(),
        valid_to: None,
        answers,
        is_checked: true,
        entered_at: Instant::from_unix_ms(0),
        is_absent: false,
    };
    let when = When { at: "2025-03-31".parse().unwrap(), known_at: Instant::from_unix_ms(1) };
    Proof::take(PersonId::from_bits(1), false, &[directive], STUDY, when).unwrap()
}

/// A record with something in every field of its schema. Free text and identifiers are canaries.
fn full(kind: Kind) -> Draft {
    let mut draft = Draft::empty();
    for field in &schema::of(kind).fields {
        let value = match (&field.holds, field.privacy.is_sealed()) {
            (Holds::Day, true) => Draft::Private(Private::new("1963-02-05".to_owned())),
            (_, true) => {
                let text = match field.name {
                    "nhs_number" => "9995899604",
                    "postcode" => "LE1 3AB",
                    _ => "Canarya",
                };
                Draft::Private(Private::new(text.to_owned()))
            }
            (Holds::Word(words), false) => Draft::Text(words[0].clone()),
            (Holds::Day, false) => Draft::Text("2020-02-03".to_owned()),
            (Holds::Integer | Holds::Number, false) => Draft::Number(7.into()),
            (Holds::Truth, false) => Draft::Bool(true),
            (Holds::Texts, false) => Draft::List(vec![Draft::Text("Canaryb".to_owned())]),
            (Holds::Text, false) => match field.name {
                "care_home" | "provider" | "landlord" | "name" => Draft::Text("Canary House".to_owned()),
                _ => Draft::Text("a-code".to_owned()),
            },
        };
        draft.set(field.name, value);
    }
    draft
}

fn through(
    kind: Kind,
    source: &str,
    draft: &Draft,
    proof: &Proof,
) -> Result<(DoorMessage, Vec<String>), Withheld> {
    let protocol = Protocol::shipped(STUDY).unwrap();
    let key = StudyKey::from_bytes([3; 32]);
    let gate = Gate::new(&protocol, &key, "test", ReleaseId::from_bits(1), 1);
    let grant = Grant::<Release>::begin("test");
    let own = Own::of([&full(Kind::Person)], &grant);
    let setting = |name: &str| (name == "Canary House").then(|| RecordId::from_bits(9));
    let around = Around { start: "2020-01-01".parse().ok(), setting: &setting };
    let about = About { own: &own, is_restricted: false, around };
    let person = PersonId::from_bits(1);
    let record = RecordId::from_bits(2);
    let made = match kind {
        Kind::Person => gate.person(proof, person, &[(source, draft)], &about, (1, 1), &grant),
        Kind::Setting => gate.setting(record, 1, draft, 1, &grant),
        _ => {
            gate.record(proof, &Asking { person, record, version: 1, kind, source, draft }, &about, 1, &grant)
        }
    };
    let _receipt = grant.close();
    made.map(|made| (made.message, made.findings.iter().map(|f| f.code.as_str().to_owned()).collect()))
}

#[test]
fn every_released_kind_fits_the_door_and_holds_no_canary() {
    let protocol = Protocol::shipped(STUDY).unwrap();
    for kind in &protocol.kinds {
        let (message, findings) =
            through(kind.kind, "council", &full(kind.kind), &proof([Answer::Yes; 4])).unwrap();
        assert_eq!(findings, Vec::<String>::new(), "{}", kind.kind);
        let text = String::from_utf8(message.to_bytes()).unwrap();
        for canary in ["anary", "9995899604", "1963", "LE1", "per_", "rec_"] {
            assert!(!text.contains(canary), "{canary} in {text}");
        }
        let sent: Value = serde_json::from_str(&text).unwrap();
        let fields: Vec<&String> = sent["data"]["fields"].as_object().unwrap().keys().collect();
        let named: Vec<&String> = kind.fields.iter().map(|field| &field.name).collect();
        assert_eq!(fields, named, "{}: all that is named and nothing else", kind.kind);
    }
}

#[test]
fn a_person_is_one_record_in_bands_and_groups() {
    let (message, _) =
        through(Kind::Person, "council", &full(Kind::Person), &proof([Answer::Yes; 4])).unwrap();
    let sent: Value = serde_json::from_slice(&message.to_bytes()).unwrap();
    assert_eq!(
        sent["data"]["fields"],
        json!({"age_at_start": "51-60", "sex": "male", "ethnicity": "white-british"})
    );
}

#[test]
fn what_there_is_no_leave_for_stays() {
    let no_nhs = proof([Answer::Yes, Answer::Yes, Answer::No, Answer::NotAsked]);
    let withheld = through(Kind::Contact, "trust", &full(Kind::Contact), &no_nhs).map(|_| ()).unwrap_err();
    assert_eq!(withheld.as_str(), "no-leave-link-nhs");
    assert!(through(Kind::Star, "housing", &full(Kind::Star), &no_nhs).is_ok());
    let (message, _) = through(Kind::Person, "trust", &full(Kind::Person), &no_nhs).unwrap();
    let sent: Value = serde_json::from_slice(&message.to_bytes()).unwrap();
    assert_eq!(sent["data"]["fields"], json!({}));
    assert_eq!(sent["data"]["missing"]["sex"], "no-consent");
    let withheld = through(Kind::Star, "elsewhere", &full(Kind::Star), &no_nhs).map(|_| ()).unwrap_err();
    assert_eq!(withheld, Withheld::Source);
    let withheld =
        through(Kind::Measurement, "housing", &full(Kind::Measurement), &no_nhs).map(|_| ()).unwrap_err();
    assert_eq!(withheld, Withheld::Kind);
}

#[test]
fn an_identifier_in_an_open_field_withholds_the_record() {
    for (text, code) in [("canarya", "release/identifier"), ("9995899604", "release/identifier")] {
        let mut milestone = full(Kind::Milestone);
        milestone.set("barrier", Draft::Text(text.to_owned()));
        let Err(Withheld::Identifier(finding)) =
            through(Kind::Milestone, "council", &milestone, &proof([Answer::Yes; 4])).map(|_| ())
        else {
            panic!("{text} left");
        };
        assert_eq!(finding.code.as_str(), code);
        assert!(!finding.to_string().contains(text));
    }
    let mut event = full(Kind::Event);
    event.set("started_on", Draft::Text("1963-02-05".to_owned()));
    assert!(through(Kind::Event, "council", &event, &proof([Answer::Yes; 4])).is_err());
}

#[test]
fn what_is_no_code_and_what_is_no_setting_is_left_out() {
    let mut episode = full(Kind::Episode);
    episode.set("ending_reason", Draft::Text("Went to live with Auntie".to_owned()));
    episode.set("care_home", Draft::Text("Another House".to_owned()));
    let (message, findings) = through(Kind::Episode, "council", &episode, &proof([Answer::Yes; 4])).unwrap();
    assert_eq!(findings, ["release/code", "release/setting-unknown"]);
    let text = String::from_utf8(message.to_bytes()).unwrap();
    assert!(!text.contains("Auntie") && !text.contains("Another"));
}

#[test]
fn the_same_thing_has_the_same_id_and_another_has_another() {
    let id = |draft: &Draft| {
        through(Kind::Star, "council", draft, &proof([Answer::Yes; 4])).unwrap().0.message_id().to_owned()
    };
    let mut other = full(Kind::Star);
    other.set("work", Draft::Number(8.into()));
    assert_eq!(id(&full(Kind::Star)), id(&full(Kind::Star)));
    assert_ne!(id(&full(Kind::Star)), id(&other));
}

/// One change to the shipped protocol, and what it is told.
fn check_fault(from: &str, to: &str, expected: &str) {
    let text = wayleave::release::protocol::SHIPPED[0].1.replacen(from, to, 1);
    let error = Protocol::parse(&text, "protocol.toml").map(|_| ()).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn a_protocol_that_asks_too_much_is_refused_with_its_place() {
    check_fault("tier = ", "colour = 1\ntier = ", "line 9, column 1");
    check_fault(
        "name = \"sex\"",
        "name = \"family_name\"",
        "does not make the identifier `family_name` safe",
    );
    check_fault("name = \"sex\"", "name = \"shoe_size\"", "the kind `person` has no field `shoe_size`");
    check_fault(
        "name = \"outcome\"\ntreatment = \"code\"",
        "name = \"description\"\ntreatment = \"code\"",
        "written notes",
    );
    check_fault("of = [\"other\"]", "of = [\"other\", \"refused\"]", "`refused` is in two groups");
    check_fault("of = [\"other\"]", "of = []", "`other` is in no group");
    check_fault("from = 41", "from = 42", "without gap or overlap");
    check_fault("treatment = \"keep\"", "treatment = \"hide\"", "no treatment is called `hide`");
    check_fault("kind = \"setting\"", "kind = \"support\"", "field `kind`");
    check_fault("prefix = \"S01\"", "prefix = \"X\"", "prefix: expected `S`");
    check_fault("needs = \"link_nhs\"", "needs = \"nothing\"", "no statement is called `nothing`");
}

#[test]
fn the_protocol_reads_as_an_information_governance_lead_reads() {
    let text = show(&Protocol::shipped(STUDY).unwrap());
    insta::assert_snapshot!(text.lines().take(24).collect::<Vec<_>>().join("\n"));
    assert!(text.ends_with("Nothing else leaves.\n"));
}
