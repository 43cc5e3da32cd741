//! `wayleave mapping submission`: the rules of the mental health services data set across rows and
//! tables, under the owner's codes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use wayleave::base::finding::{Code, Severity};
use wayleave::mapping::diagnostic::Source;
use wayleave::mapping::library::Library;
use wayleave::mapping::submission::concept::is_concept;
use wayleave::mapping::submission::rule::{Rules, Test};

/// Small tables of one month in which nothing is wrong.
const GOOD: &[(&str, &[(&str, &str)])] = &[
    (
        "trust/mhs000-header",
        &[
            ("DatSetVer", "6.0"),
            ("OrgIDProvider", "TAH"),
            ("OrgIDSubmit", "TAH"),
            ("PrimSystemInUse", "Invented"),
            ("ReportingPeriodStartDate", "2025-03-01"),
            ("ReportingPeriodEndDate", "2025-03-31"),
            ("DateTimeDatSetCreate", "2025-04-10T09:00:00"),
        ],
    ),
    (
        "trust/mhs001-mpi",
        &[
            ("LocalPatientID", "T100001"),
            ("OrgIDLocalPatientID", "TAH"),
            ("NHSNumber", "9990000018"),
            ("NHSNumberStatus", "01"),
            ("PersonBirthDate", "1961-07-04"),
            ("Postcode", "S99 1AA"),
            ("GenderIDCode", "1"),
        ],
    ),
    (
        "trust/mhs002-gp",
        &[("LocalPatientID", "T100001"), ("GMPReg", "C88999"), ("StartDateGMPRegistration", "2001-01-01")],
    ),
    (
        "trust/mhs101-referral",
        &[
            ("ServiceRequestID", "SR1"),
            ("LocalPatientID", "T100001"),
            ("OrgIDComm", "03N"),
            ("ReferralRequestReceivedDate", "2024-03-01"),
        ],
    ),
    (
        "trust/mhs501-hospital-spell",
        &[
            ("LocalPatientID", "T100001"),
            ("HospProvSpellID", "HS1"),
            ("ServiceRequestID", "SR1"),
            ("StartDateHospProvSpell", "2025-02-10"),
            ("DischDateHospProvSpell", "2025-03-20"),
        ],
    ),
    (
        "trust/mhs502-ward-stay",
        &[
            ("LocalPatientID", "T100001"),
            ("WardStayID", "WS1"),
            ("WardCode", "W1"),
            ("HospProvSpellID", "HS1"),
            ("StartDateWardStay", "2025-02-10"),
            ("EndDateWardStay", "2025-03-20"),
        ],
    ),
    (
        "trust/mhs518-ready-for-discharge",
        &[
            ("LocalPatientID", "T100001"),
            ("HospProvSpellID", "HS1"),
            ("StartDateClinReadyforDisch", "2025-03-05"),
            ("EndDateClinReadyforDisch", "2025-03-20"),
            ("ClinReadyforDischDelayReason", "18"),
        ],
    ),
];

type Row = BTreeMap<String, String>;
type Tables = BTreeMap<String, Vec<Row>>;

fn good() -> Tables {
    let row =
        |cells: &[(&str, &str)]| cells.iter().map(|(name, cell)| ((*name).into(), (*cell).into())).collect();
    GOOD.iter().map(|(name, cells)| ((*name).to_owned(), vec![row(cells)])).collect()
}

fn put(folder: &Path, tables: &Tables) {
    let library = Library::shipped();
    for (name, rows) in tables {
        let mapping = library.mapping(name).unwrap();
        let columns = &mapping.columns[0].1;
        let mut text = columns.join(",") + "\n";
        for row in rows {
            assert!(row.keys().all(|column| columns.contains(column)), "{name}: {row:?}");
            let cells: Vec<&str> =
                columns.iter().map(|name| row.get(name).map_or("", String::as_str)).collect();
            text.push_str(&(cells.join(",") + "\n"));
        }
        std::fs::write(folder.join(format!("{}.csv", name.replace('/', "-"))), text).unwrap();
    }
}

/// What is found in tables: the exit code, and each rule with its severity.
fn judged(tables: &Tables) -> (i32, Vec<String>, Value) {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), tables);
    let mut command = Command::cargo_bin("wayleave").unwrap();
    let output =
        command.current_dir(folder.path()).args(["--json", "mapping", "submission", "."]).output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let found = told["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["code"] == Code::MapSubmission.as_str())
        .map(|finding| {
            let code = finding["expected"].as_str().unwrap().split(':').next().unwrap();
            format!("{code} {}", finding["severity"].as_str().unwrap())
        })
        .collect();
    (output.status.code().unwrap(), found, told)
}

fn with(table: &str, changes: &[(&str, &str)]) -> Tables {
    let mut tables = good();
    let row = &mut tables.get_mut(table).unwrap()[0];
    row.extend(changes.iter().map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned())));
    tables
}

fn twice(table: &str, changes: &[(&str, &str)]) -> Tables {
    let mut tables = good();
    let mut row = tables[table][0].clone();
    row.extend(changes.iter().map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned())));
    tables.get_mut(table).unwrap().push(row);
    tables
}

#[test]
fn a_submission_without_faults_has_none() {
    let (code, found, told) = judged(&good());
    assert_eq!((code, found), (0, Vec::new()), "{told}");
    assert_eq!(told["tables"].as_array().unwrap().len(), GOOD.len());
    assert!(told["tables"].as_array().unwrap().iter().all(|table| table["valid"] == table["rows"]), "{told}");
}

#[test]
fn each_rule_is_reported_under_its_code() {
    let mpi = "trust/mhs001-mpi";
    for (tables, expected) in [
        (with(mpi, &[("NHSNumberStatus", "07")]), "MHS00117 warning"),
        (with(mpi, &[("NHSNumber", ""), ("NHSNumberStatus", "")]), "MHS00118 warning"),
        (with(mpi, &[("NHSNumber", ""), ("NHSNumberStatus", "01")]), "MHS00119 warning"),
        (with(mpi, &[("OrgIDLocalPatientID", "RXX")]), "MHS00153 warning"),
        (
            with(
                "trust/mhs518-ready-for-discharge",
                &[("AttribToIndic", "04"), ("OrgIDRespLAClinReadyforDisch", "207")],
            ),
            "MHS51824 warning",
        ),
        (with("trust/mhs518-ready-for-discharge", &[("AttribToIndic", "05")]), "MHS51825 warning"),
        (
            with("trust/mhs518-ready-for-discharge", &[("StartDateClinReadyforDisch", "2025-02-01")]),
            "MHS51810 error",
        ),
        (
            with("trust/mhs518-ready-for-discharge", &[("EndDateClinReadyforDisch", "2025-03-01")]),
            "MHS51815 error",
        ),
        (with("trust/mhs502-ward-stay", &[("StartDateWardStay", "2025-02-09")]), "MHS50230 error"),
        (with("trust/mhs502-ward-stay", &[("EndDateWardStay", "2025-03-21")]), "MHS50233 error"),
        (with("trust/mhs502-ward-stay", &[("HospProvSpellID", "HS9")]), "MHS50203 error"),
        (twice("trust/mhs502-ward-stay", &[]), "MHS50204 error"),
        (twice("trust/mhs002-gp", &[("GMPReg", "C88998")]), "MHS00222 error"),
        (with("trust/mhs000-header", &[("DatSetVer", "5.0")]), "MHS00003 error"),
        (with("trust/mhs000-header", &[("DateTimeDatSetCreate", "2025-03-10T09:00:00")]), "MHS00037 error"),
        (with("trust/mhs101-referral", &[("ServDischDate", "2025-04-05")]), "MHS10130 warning"),
    ] {
        let (code, found, told) = judged(&tables);
        assert!(found.contains(&expected.to_owned()), "{expected}: {found:?} {told}");
        assert_eq!(code, i32::from(expected.ends_with("error")), "{expected}: {found:?}");
    }
}

/// What hangs on a row that is refused is refused after it, and nothing else is.
#[test]
fn a_refused_row_takes_with_it_what_hangs_on_it() {
    let mut tables = good();
    let mut other = tables["trust/mhs001-mpi"][0].clone();
    other.insert("LocalPatientID".into(), "T100002".into());
    other.insert("NHSNumber".into(), "9990000026".into());
    tables.get_mut("trust/mhs001-mpi").unwrap().push(other);
    for (table, column) in
        [("trust/mhs002-gp", "LocalPatientID"), ("trust/mhs101-referral", "LocalPatientID")]
    {
        let mut row = tables[table][0].clone();
        row.insert(column.into(), "T100002".into());
        if table == "trust/mhs101-referral" {
            row.insert("ServiceRequestID".into(), "SR2".into());
        }
        tables.get_mut(table).unwrap().push(row);
    }
    assert_eq!(judged(&tables).1, Vec::<String>::new());
    // Somebody's only referral begins after the month: the referral goes, the person with it, and
    // with the person the practice, the spell, the ward stay and the days of readiness.
    tables.get_mut("trust/mhs101-referral").unwrap()[0]
        .insert("ReferralRequestReceivedDate".into(), "2025-04-01".into());
    let (code, found, told) = judged(&tables);
    assert_eq!(code, 1);
    assert_eq!(
        found,
        [
            "MHS10113 error",
            "MHS00146 error",
            "MHS50102 error",
            "MHS00220 error",
            "MHS50203 error",
            "MHS51801 error"
        ]
    );
    let valid: Vec<i64> =
        told["tables"].as_array().unwrap().iter().map(|table| table["valid"].as_i64().unwrap()).collect();
    assert_eq!(valid, [1, 1, 1, 1, 0, 0, 0], "{told}");
    // A row that its own mapping rejects is none that another may hang on.
    let mut tables = good();
    tables.get_mut("trust/mhs501-hospital-spell").unwrap()[0]
        .insert("StartDateHospProvSpell".into(), "2025-02-30".into());
    let (_, found, _) = judged(&tables);
    assert_eq!(found, ["MHS50203 error", "MHS51801 error"]);
}

#[test]
fn what_is_missing_is_said_and_not_judged() {
    let mut tables = good();
    tables.remove("trust/mhs002-gp");
    let (code, found, told) = judged(&tables);
    assert_eq!((code, found), (0, Vec::new()));
    assert_eq!(told["missing"][0]["table"], "MHS002GP");
    assert_eq!(told["missing"][0]["rules"][0], "MHS00145");
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &twice("trust/mhs001-mpi", &[("LocalPatientID", "T100002")]));
    let mut command = Command::cargo_bin("wayleave").unwrap();
    let output = command.current_dir(folder.path()).args(["mapping", "submission", "."]).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(!out.contains("9990000018") && !out.contains("T100002"), "{out}");
    insta::assert_snapshot!(out);
    std::fs::write(folder.path().join("other.csv"), "a,b\n1,2\n").unwrap();
    let mut command = Command::cargo_bin("wayleave").unwrap();
    let output = command.current_dir(folder.path()).args(["mapping", "submission", "."]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("other.csv is no table of these rules"));
}

/// What was read of a submission in which nothing is wrong, written out again table by table: the rules
/// are kept, and what was an instant is written as one.
#[test]
fn what_is_written_keeps_the_rules() {
    let library = Library::shipped();
    let rules = library.rules("trust/mhsds-6").unwrap().unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mhsds/submission.toml");
    let rows: BTreeMap<String, Row> = toml::from_str(&std::fs::read_to_string(data).unwrap()).unwrap();
    let by_mapping =
        rules.tables.iter().map(|table| (table.mapping.clone(), vec![rows[&table.name].clone()]));
    let (read, written) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put(read.path(), &by_mapping.collect());
    for table in &rules.tables {
        let name = format!("{}.csv", table.mapping.replace('/', "-"));
        let (from, to) = (read.path().join(&name), written.path().join(&name));
        if library.mapping(&table.mapping).unwrap().one_way {
            // The header is the portal's: it is not written.
            assert_eq!(table.name, "MHS000Header");
            std::fs::copy(from, to).unwrap();
            continue;
        }
        let mut command = Command::cargo_bin("wayleave").unwrap();
        let words = ["--json", "convert", "--mapping", &table.mapping, "--to", &table.mapping];
        command.args(words).args([from, to]).assert().success();
    }
    let mut command = Command::cargo_bin("wayleave").unwrap();
    let output =
        command.current_dir(written.path()).args(["--json", "mapping", "submission", "."]).output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = told["findings"].as_array().unwrap();
    let expected: Vec<&str> = found.iter().map(|finding| finding["expected"].as_str().unwrap()).collect();
    assert!(expected.is_empty() && output.status.code() == Some(0), "{told}");
    let tables = told["tables"].as_array().unwrap();
    assert_eq!(tables.len(), rules.tables.len());
    assert!(tables.iter().all(|table| table["valid"] == 1), "{told}");
    let told =
        |table: &str| std::fs::read_to_string(written.path().join(format!("trust-{table}.csv"))).unwrap();
    for table in ["mhs011-circumstances", "mhs604-primary-diagnosis", "mhs606-assessment-of-referral"] {
        assert!(told(table).contains(",2025-03-04T10:00:00+00:00"), "{table}: {}", told(table));
    }
    assert!(told("mhs202-care-activity").contains(",72.5,kg"), "{}", told("mhs202-care-activity"));
}

/// Half past midnight in summer is the day before in UTC, and is written as it is in London.
#[test]
fn a_time_after_midnight_in_summer_is_written_on_its_day() {
    let head =
        "LocalPatientID,ServiceRequestID,CodedAssToolType,PersScore,AssToolCompTimestamp,CareProfLocalID";
    let folder = tempfile::tempdir().unwrap();
    let convert = |text: &str, to: &[&str]| {
        let file = folder.path().join("in.csv");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::cargo_bin("wayleave").unwrap();
        let words = ["convert", "--mapping", "trust/mhs606-assessment-of-referral"];
        let output = command.args(words).args(to).arg(file).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for time in ["2024-07-04T00:30:00", "2024-07-03T23:30:00Z", "2024-07-04T00:30:00.250+01:00"] {
        let row = format!("{head}\r\nT1,SR1,979741000000106,3,{time},\r\n");
        let written = convert(&row, &["--to", "trust/mhs606-assessment-of-referral"]);
        assert!(written.contains(",2024-07-04T00:30:00+01:00,"), "{time}: {written}");
        let records = convert(&written, &[]);
        assert!(records.contains("\"source_time\":\"2024-07-03T23:30:00.000Z\""), "{records}");
        assert!(records.contains("\"scored_on\":\"2024-07-04\""), "{records}");
    }
    // Another system's time is when it changed its record, and nobody's time of completion.
    let observation = r#"{"resourceType": "Observation", "id": "O1", "meta": {"lastUpdated": "2024-07-04T11:12:13Z"}, "status": "final", "code": {"coding": [{"system": "http://snomed.info/sct", "code": "979741000000106"}]}, "subject": {"reference": "Patient/T1"}, "encounter": {"reference": "Encounter/N2"}, "effectiveDateTime": "2024-07-04", "valueInteger": 2}"#;
    let (from, to) = (folder.path().join("o.json"), folder.path().join("o.csv"));
    std::fs::write(&from, observation).unwrap();
    let mut command = Command::cargo_bin("wayleave").unwrap();
    let words = ["convert", "--mapping", "trust/fhir", "--to", "trust/mhs606-assessment-of-referral"];
    command.args(words).args([&from, &to]).assert().success();
    let written = std::fs::read_to_string(to).unwrap();
    assert!(written.contains("2024-07-04T00:00:00+01:00") && !written.contains("11:12"), "{written}");
}

/// What other systems said, written table by table: nothing is written that the rules would send back. A
/// ward's name is no code, and where a code has to stand the row is left out and said.
#[test]
fn what_other_systems_sent_is_written_in_the_forms_of_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let plan = wayleave::synth::demo::render(folder.path()).unwrap();
    let library = Library::shipped();
    let tables = library.names().into_iter().filter(|name| name.starts_with("trust/mhs"));
    let tables: Vec<String> =
        tables.filter(|name| !library.mapping(name).unwrap().one_way).map(str::to_owned).collect();
    let mut said = String::new();
    for feed in plan.feeds.iter().filter(|feed| ["fhir", "adt"].contains(&feed.feed)) {
        for table in &tables {
            let (written, back) = (folder.path().join("written.csv"), folder.path().join("back.ndjson"));
            let run = |words: &[&str], from: &Path, to: &Path| {
                let mut command = Command::cargo_bin("wayleave").unwrap();
                let output = command.arg("convert").args(words).args([from, to]).output().unwrap();
                assert!(output.status.code().unwrap() < 2, "{output:?}");
                String::from_utf8(output.stderr).unwrap()
            };
            let from = format!("{}/{}", feed.source, feed.feed);
            said.push_str(&run(&["--mapping", &from, "--to", table], &feed.file, &written));
            let told = run(&["--mapping", table], &written, &back);
            assert!(told.contains("quarantined 0, rejected 0"), "{from} as {table}: {told}");
        }
    }
    assert!(said.contains("expected 1 to 12 letters and digits"), "a ward's name is said to be no code");
}

/// Every rule names columns that its table has, and no code stands in two of them.
#[test]
fn the_rules_fit_the_tables() {
    let library = Library::shipped();
    let rules = library.rules("trust/mhsds-6").unwrap().unwrap();
    assert_eq!((rules.tables.len(), rules.version.as_str()), (22, "6.0"));
    let mut codes = BTreeSet::new();
    for rule in &rules.rules {
        let table = &rules.tables[rule.table];
        assert!(codes.insert(&rule.code), "{} stands twice", rule.code);
        assert!(rule.code.starts_with("MHS") && rule.code.len() == 8, "{}", rule.code);
        // The owner's codes begin with the number of the table.
        assert_eq!(rule.code[3..6], table.name[3..6], "{} of {}", rule.code, table.name);
        assert!(rule.severity >= Severity::Warning);
        let is_across = matches!(rule.test, Test::Once | Test::In(_));
        assert!(!is_across || rule.severity == Severity::Error, "{}", rule.code);
    }
    for table in &rules.tables {
        let mapping = library.mapping(&table.mapping).unwrap();
        for column in &table.columns {
            assert!(mapping.columns[0].1.contains(column), "{} has no {column}", table.name);
        }
    }
    let told = |text: &str| match Rules::parse(&Source::new("rules.csv", text)) {
        Ok(_) => String::new(),
        Err(faults) => faults.0.iter().map(|fault| format!("{} {}\n", fault.line, fault.message)).collect(),
    };
    let head = "# table: A trust/a\ncode,level,table,column,rule,than,where\n";
    insta::assert_snapshot!(told(&format!(
        "{head}X1,rejected,B,Id,once,,\nX2,often,A,Id,once,,\nX3,warning,A,Id,never,,\nX4,warning,A,Id,in,B.Id,\nX5,warning,A,Id,filled,,Other\nX6,warning,A\nX7,warning,A,Id+Od,filled,,\n"
    )), @r"
    3 there is no table `B`
    4 expected `level` as `rejected` or `warning`
    5 there is no rule `never`
    6 there is no table `B`
    7 expected `where` as a column and what holds of it
    8 expected 7 cells, found 3
    9 `filled` looks at one column
    ");
    insta::assert_snapshot!(told(&format!("# range: 0-4 a b\n# range: 4 c\n# range: 1-3 b\n{head}X1,warning,A,Id,followed,Start of Key,\n")), @r"
    2 expected a range such as `0-4`, and the words that it goes with
    3 `b` has two ranges
    6 expected `Start of Key not Other`
    ");
    insta::assert_snapshot!(told("a,b\n"), @"1 expected the header `code,level,table,column,rule,than,where`");
}

/// The check digit of a concept's id: that of every scored assessment is right, and no other is.
#[test]
fn a_concept_is_told_by_its_check_digit() {
    for id in ["979641000000103", "1091071000000100", "718426000", "22298006"] {
        assert!(is_concept(id), "{id}");
        let last = id.as_bytes()[id.len() - 1];
        for digit in (b'0'..=b'9').filter(|digit| *digit != last) {
            let other = format!("{}{}", &id[..id.len() - 1], char::from(digit));
            assert!(!is_concept(&other), "{other}");
        }
    }
    for id in ["", "1", "12345", "979641000000103x", "1234567890123456789"] {
        assert!(!is_concept(id), "{id}");
    }
}
