//! What the NHS's formats say, through the second step and linkage, on every database.

use assert_cmd::Command;
use serde_json::Value;
use wayleave::config::Scope;
use wayleave::gateway::feed::Feed;
use wayleave::mapping::library::Library;

use crate::dump::number;
use crate::night::{Night, balanced, outcomes};
use crate::support::databases;

/// A feed under the mapping that ships.
fn shipped(night: &Night, name: &str) -> Feed {
    night.feed(name, Scope::Defines, Library::shipped().text(name).unwrap())
}

fn take(night: &Night, feed: &Feed, file: &str, text: &str) -> [i64; 6] {
    night.put_bytes(feed, file, text.as_bytes());
    let synced = night.sync(std::slice::from_ref(feed));
    balanced(&synced.runs[0]);
    outcomes(&synced.runs[0])
}

fn message(event: &str, at: &str, id: &str, pid: &str, more: &str) -> String {
    format!(
        "MSH|^~\\&|TRUST|TAH|WAYLEAVE|WL|{at}||ADT^{event}|{event}{at}|P|2.4\rEVN|{event}|{at}\rPID|1||{id}||{pid}\r{more}"
    )
}

fn people(url: &str) -> i64 {
    number(url, "SELECT COUNT(DISTINCT person_id) FROM subject WHERE person_id IS NOT NULL")
}

#[test]
fn a_merge_makes_two_subjects_one_person() {
    for database in databases() {
        let url = database.url.clone();
        let night = Night::new(database);
        let feed = shipped(&night, "trust/adt");
        let one = message(
            "A28",
            "20250301090000",
            "9990000018^^^NHS^NH~T100001^^^TAH^MR",
            "Fell^Ada||19610704|F|||1 Yew Lane^^Sheffield^^S99 1AA",
            "",
        );
        // Registered once more in an emergency, under another name and without a number.
        let other = message("A28", "20250302090000", "T200001^^^TAH^MR", "Unknown^Woman||19610101|F", "");
        assert_eq!(take(&night, &feed, "1.hl7", &format!("{one}{other}")), [0, 0, 0, 0, 2, 0]);
        assert_eq!((people(&url), number(&url, "SELECT COUNT(*) FROM subject")), (2, 2), "{url}");
        let merged = message(
            "A40",
            "20250303090000",
            "9990000018^^^NHS^NH~T100001^^^TAH^MR",
            "Fell^Ada||19610704|F|||1 Yew Lane^^Sheffield^^S99 1AA",
            "MRG|T200001^^^TAH^MR\r",
        );
        assert_eq!(take(&night, &feed, "2.hl7", &merged), [0, 0, 0, 0, 1, 0]);
        assert_eq!((people(&url), number(&url, "SELECT COUNT(*) FROM subject")), (1, 2), "{url}");
        // The same merge again is no news, and parts nobody.
        let again = merged.replace("A4020250303090000", "A40-again");
        assert_eq!(take(&night, &feed, "3.hl7", &again), [0, 0, 0, 0, 0, 1]);
        assert_eq!(people(&url), 1, "{url}");
    }
}

#[test]
fn two_marks_take_a_value_away_and_nothing_leaves_it() {
    for database in databases() {
        let url = database.url.clone();
        let night = Night::new(database);
        let feed = shipped(&night, "trust/adt");
        let body = |night: &Night| -> Value {
            let people = night.records("person");
            assert_eq!(people.len(), 1);
            serde_json::from_str(&people[0].body).unwrap()
        };
        let whole = "Fell^Ada||19610704|F|||1 Yew Lane^^Sheffield^^S99 1AA|||||||||||C^White";
        take(&night, &feed, "1.hl7", &message("A28", "20250301090000", "T100001^^^TAH^MR", whole, ""));
        let before = body(&night);
        assert_eq!(
            (&before["sex"], &before["ethnicity"]),
            (&"female".into(), &"white-other".into()),
            "{url}"
        );
        assert_eq!(before["postcode_district"], "S99");
        // Nothing said: all is as it was.
        let silent = message("A31", "20250302090000", "T100001^^^TAH^MR", "", "");
        assert_eq!(take(&night, &feed, "2.hl7", &silent), [0, 0, 0, 0, 0, 1], "{url}");
        assert_eq!(body(&night), before);
        // The sex is taken away; the ethnicity, of which nothing is said, is not.
        let gone = message("A31", "20250303090000", "T100001^^^TAH^MR", "Fell^Ada|||\"\"", "");
        assert_eq!(take(&night, &feed, "3.hl7", &gone), [0, 0, 0, 0, 1, 0], "{url}");
        let after = body(&night);
        assert!(after.get("sex").is_none_or(Value::is_null), "{after}");
        assert_eq!(
            (&after["ethnicity"], &after["postcode_district"]),
            (&"white-other".into(), &"S99".into())
        );
        // A message of before, late: it is history, and brings the sex back to nobody.
        let late = message("A31", "20250302120000", "T100001^^^TAH^MR", "Fell^Ada|||M", "");
        take(&night, &feed, "4.hl7", &late);
        assert_eq!(body(&night), after, "{url}");
    }
}

/// The encoding that MSH-18 names is that of the message: what is stored is the same name.
#[test]
fn a_name_is_the_same_in_each_character_set() {
    for database in databases() {
        let night = Night::new(database);
        let feed = shipped(&night, "trust/adt");
        let text = |set: &str, at: &str| {
            format!(
                "MSH|^~\\&|TRUST|TAH|WAYLEAVE|WL|{at}||ADT^A31|{at}|P|2.4||||||{set}\rEVN|A31|{at}\rPID|1||T100001^^^TAH^MR||Fell^Zo\u{eb}\r"
            )
        };
        let latin = |text: &str| -> Vec<u8> {
            text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
        };
        night.put_bytes(&feed, "1.hl7", &latin(&text("8859/1", "20250301090000")));
        assert_eq!(outcomes(&night.sync(std::slice::from_ref(&feed)).runs[0]), [0, 0, 0, 0, 1, 0]);
        night.put_bytes(&feed, "2.hl7", text("UNICODE UTF-8", "20250302090000").as_bytes());
        assert_eq!(outcomes(&night.sync(std::slice::from_ref(&feed)).runs[0]), [0, 0, 0, 0, 0, 1]);
    }
}

/// Release and edition stand with the record, so that old and new may lie side by side.
#[test]
fn release_and_edition_are_stored_with_the_record() {
    for database in databases() {
        let night = Night::new(database);
        let row = "ServiceRequestID,LocalPatientID,OrgIDComm,CareProfTeamLocalID,ReferralRequestReceivedDate,ReferralRequestReceivedTime,NHSServAgreeLineID,SpecialisedMHServiceCode,SourceOfReferralMH,OrgIDReferringOrg,ReferringCareProfessionalType,ClinRespPriorityType,PrimReasonReferralMH,ReasonOAT,DecisionToTreatDate,DecisionToTreatTime,DischPlanCreationDate,DischPlanCreationTime,DischPlanLastUpdatedDate,DischPlanLastUpdatedTime,ServDischDate,ServDischTime,ReferRejectionDate,ReferRejectionTime,ReferRejectReason,ReferClosReason\nSR1,T100001,03N,,2024-03-01,,,,A1,,,,01,,,,,,,,,,,,,\n";
        let referrals = shipped(&night, "trust/mhs101-referral");
        assert_eq!(take(&night, &referrals, "1.csv", row), [0, 0, 0, 0, 1, 0]);
        let stars = shipped(&night, "trust/fhir");
        let star = |edition: &str, area: &str| {
            format!(
                r#"{{"resourceType":"QuestionnaireResponse","id":"Q{edition}{area}","questionnaire":"https://wayleave.example/Questionnaire/recovery-star-{edition}","status":"completed","subject":{{"reference":"Patient/T100001"}},"authored":"2024-04-01","item":[{{"linkId":"{area}","answer":[{{"valueInteger":4}}]}}]}}"#
            )
        };
        let lines = [star("3", "work"), star("4", "home"), star("4", "work"), star("3", "home")].join("\n");
        // An area of the other edition refuses the star: editions never mix.
        assert_eq!(take(&night, &stars, "1.ndjson", &lines), [2, 0, 0, 0, 2, 0]);
        let of = |kind: &str, field: &str| {
            let mut said: Vec<String> = night
                .records(kind)
                .iter()
                .map(|record| serde_json::from_str::<Value>(&record.body).unwrap()[field].to_string())
                .collect();
            said.sort();
            said
        };
        assert_eq!(of("contact", "release"), ["\"mhsds-6\""]);
        assert_eq!(of("star", "edition"), ["\"RS3\"", "\"RS4\""]);
    }
}

/// What the data set's owner refuses for one row alone is refused when the row is taken in, under the
/// owner's code; what needs the month's other tables is not asked here.
#[test]
fn rules_of_one_row_hold_in_a_sync() {
    for database in databases() {
        let night = Night::new(database);
        let spells = shipped(&night, "trust/mhs501-hospital-spell");
        let header = spells.mapping.columns[0].1.join(",");
        let row = |spell: &str, decided: &str, started: &str, ended: &str| {
            format!("T100001,{spell},SR1,{decided},,{started},,,,,,,,{ended},,,,\n")
        };
        let text = format!(
            "{header}\n{}{}{}",
            row("HS1", "", "2025-02-10", "2025-03-20"),
            row("HS2", "", "2025-02-10", "2025-02-09"),
            // After any month: only the tables together can say so.
            row("HS3", "2999-01-01", "2025-02-10", ""),
        );
        night.put_bytes(&spells, "1.csv", text.as_bytes());
        let synced = night.sync(std::slice::from_ref(&spells));
        balanced(&synced.runs[0]);
        assert_eq!(outcomes(&synced.runs[0]), [1, 0, 0, 0, 2, 0]);
        assert_eq!(synced.runs[0].findings_error, 1);
    }
}

/// The list is written from what is known of people, and the answer, which leaves out who opted
/// out, is read back.
#[test]
fn the_opt_out_list_is_written_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let patient = |id: &str, number: &str| {
        format!(
            r#"{{"resourceType":"Patient","id":"{id}","identifier":[{{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"{number}"}},{{"system":"https://trust.example/Id/local-patient-id","value":"{id}"}}],"name":[{{"use":"official","family":"Quillfeather"}}]}}"#
        )
    };
    let lines = [patient("T1", "9990000018"), patient("T2", "9990000026"), patient("T3", "9990000034")];
    std::fs::write(folder.path().join("in.ndjson"), lines.join("\n")).unwrap();
    let convert = |words: &[&str]| {
        let mut command = Command::cargo_bin("wayleave").unwrap();
        let output =
            command.current_dir(folder.path()).args(["--json", "convert"]).args(words).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        let summary: Value = serde_json::from_str(err.lines().last().unwrap()).unwrap();
        (output.status.code().unwrap(), summary)
    };
    let name = "X26OT123-010425-0001.dat";
    let (code, summary) = convert(&["--mapping", "trust/fhir", "--to", "trust/opt-out", "in.ndjson", name]);
    assert_eq!((code, summary["written"].as_u64()), (0, Some(3)), "{summary}");
    // One number a line, a comma, a line feed alone; no header, and nothing else about anybody.
    let list = std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(list, "9990000018,\n9990000026,\n9990000034,\n");
    let answer = list.replace("9990000026,\n", "");
    std::fs::write(folder.path().join("answer.dat"), &answer).unwrap();
    let (code, _) = convert(&["--mapping", "trust/opt-out", "answer.dat", "answer.ndjson"]);
    assert_eq!(code, 0);
    let read = std::fs::read_to_string(folder.path().join("answer.ndjson")).unwrap();
    let numbers: Vec<String> = read
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["records"][0]["fields"]["nhs_number"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(numbers, ["9990000018", "9990000034"]);
    // Somebody whose number is not known stands in no list: no other id takes its place.
    let nobody = patient("T4", "9990000018")
        .replace(r#"{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990000018"},"#, "");
    std::fs::write(folder.path().join("none.ndjson"), nobody).unwrap();
    let (_, summary) =
        convert(&["--mapping", "trust/fhir", "--to", "trust/opt-out", "none.ndjson", "none.dat"]);
    assert_eq!(summary["written"], 0, "{summary}");
    let council = "LAS ID;NHS Number;Surname;Forename;Date of Birth;Service Description;Weekly Cost (GBP);Start Date;End Date;Provider\r\n\
        LL0000001;;Fell;Ada;;Residential care;1501.79;14/02/2012;;Home A\r\nLL0000002;9990000026;Fell;Bo;;Residential care;1501.79;14/02/2012;;Home A\r\n";
    std::fs::write(folder.path().join("costs.csv"), council).unwrap();
    convert(&["--mapping", "council/costs", "--to", "trust/opt-out", "costs.csv", "council.dat"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("council.dat")).unwrap(), "9990000026,\n");
    // An answer that nobody was left out of is the list, byte for byte.
    let (code, _) = convert(&["--mapping", "trust/opt-out", "--to", "trust/opt-out", name, "again.dat"]);
    assert_eq!((code, std::fs::read_to_string(folder.path().join("again.dat")).unwrap()), (0, list));
}
