//! The demo, from the command line, on each database and broker: its extract is what the cohort
//! says of those who consented, a second time nothing changes, and nothing that names anybody is
//! anywhere it should not be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use diesel::SqliteConnection;
use diesel::connection::{Connection, SimpleConnection};
use tempfile::TempDir;
use wayleave::base::limit::LEASE_S;
use wayleave::evaluation::store::Store;
use wayleave::queue::{Queue, QueueName, Settings};

use crate::cohort::{self, KINDS, files, released, table};
use crate::leak::{self, Forbidden};
use crate::mutant::{self, Change};
use crate::support::{self, Broker, Database};
use crate::zone::{STUDY, Servers};
use crate::{dump, rabbit};

/// Where a demo runs: its folder, and servers where it is not to use files of its own.
struct Place {
    folder: TempDir,
    databases: Option<(Database, Database)>,
    broker: Option<Broker>,
}

impl Place {
    fn new(servers: Servers) -> Option<Self> {
        let databases =
            if servers.is_postgres { Some((support::postgres()?, support::postgres()?)) } else { None };
        let broker = if servers.is_rabbitmq { Some(support::rabbitmq()?) } else { None };
        Some(Self { folder: support::folder(), databases, broker })
    }

    /// A folder whose name is not plain.
    fn dir(&self) -> PathBuf {
        self.folder.path().join("Größe & co")
    }

    fn url(&self, file: &str) -> String {
        format!("sqlite:{}", self.dir().join(file).display())
    }

    fn operational(&self) -> String {
        self.databases.as_ref().map_or_else(|| self.url("operational.db"), |(url, _)| url.url.clone())
    }

    fn evaluation(&self) -> String {
        self.databases.as_ref().map_or_else(|| self.url("evaluation.db"), |(_, url)| url.url.clone())
    }

    fn queue(&self) -> String {
        self.broker.as_ref().map_or_else(|| self.url("queue.db"), |broker| broker.url.clone())
    }

    fn demo(&self) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wayleave"));
        command.args(["demo", "--dir"]).arg(self.dir()).env("WAYLEAVE_LOG", "trace");
        if let Some((operational, evaluation)) = &self.databases {
            command.env("WAYLEAVE_GATEWAY_DATABASE", &operational.url);
            command.env("WAYLEAVE_EVALUATION_DATABASE", &evaluation.url);
        }
        if let Some(broker) = &self.broker {
            command.env("WAYLEAVE_GATEWAY_QUEUE", &broker.url).env("WAYLEAVE_EVALUATION_QUEUE", &broker.url);
        }
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{}\n{told}", String::from_utf8_lossy(&output.stdout));
        output
    }
}

/// What is put in place before a demo, so that afterwards there is something to search: every
/// message is kept beside the queue, servers log every value, and write-ahead logs stay.
struct Ears {
    _queue: Queue,
    _store: Store,
}

impl Ears {
    fn open(place: &Place) -> Self {
        std::fs::create_dir_all(place.dir()).unwrap();
        if let Some((operational, evaluation)) = &place.databases {
            operational.log_everything();
            evaluation.log_everything();
        }
        let settings = Settings { url: place.queue(), authority: None, lease_s: LEASE_S };
        let queue = Queue::open(&settings, &support::edge().0).unwrap();
        queue.declare(&QueueName::study(STUDY)).unwrap();
        match &place.broker {
            Some(broker) => rabbit::tap(broker),
            None => SqliteConnection::establish(&place.dir().join("queue.db").display().to_string())
                .unwrap()
                .batch_execute(
                    "PRAGMA busy_timeout = 20000;
                     CREATE TABLE tap (message TEXT);
                     CREATE TRIGGER tap AFTER INSERT ON message BEGIN
                         INSERT INTO tap VALUES (new.message_id || ' ' || new.subject || ' ' || CAST(new.body AS TEXT));
                     END;",
                )
                .unwrap(),
        }
        Self { _queue: queue, _store: Store::open(&place.evaluation()).unwrap() }
    }
}

/// A text to be searched.
struct Haystack {
    name: String,
    text: String,
    /// Whether it must hold pseudonyms: then a search that finds nothing there means something.
    is_about_people: bool,
}

impl Haystack {
    fn new(name: impl Into<String>, text: String, is_about_people: bool) -> Self {
        Self { name: name.into(), text, is_about_people }
    }
}

/// Everything that is not for names.
fn haystacks(place: &Place, output: &Output) -> Vec<Haystack> {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut all = vec![
        Haystack::new("standard output", lossy(&output.stdout), false),
        Haystack::new("the log at level trace", lossy(&output.stderr), false),
    ];
    for file in files(&place.dir().join("extract")) {
        let is_about_people = file.ends_with("data/star.csv");
        all.push(Haystack::new(
            file.display().to_string(),
            lossy(&std::fs::read(&file).unwrap()),
            is_about_people,
        ));
    }
    // The databases value by value, and as files with their write-ahead logs. In the operational
    // database what identifies is sealed, and sealed bytes may spell anything: values only.
    let queue = place.url("queue.db");
    let databases = [
        ("the evaluation database", Some(place.evaluation()), true),
        ("the operational database", Some(place.operational()), false),
        ("the embedded queue", place.broker.is_none().then_some(queue), true),
    ];
    for (name, url, is_about_people) in databases {
        let Some(url) = url else { continue };
        let rows: Vec<String> = dump::dump(&url).into_values().flatten().collect();
        all.push(Haystack::new(name, rows.join("\n"), is_about_people));
    }
    for file in files(&place.dir()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("evaluation.db") || name.starts_with("queue.db") {
            // A log that was folded into its file since may hold other pages; the file itself is searched too.
            let is_about_people = !name.ends_with("-shm") && !name.ends_with("-wal");
            all.push(Haystack::new(name, lossy(&std::fs::read(&file).unwrap()), is_about_people));
        }
    }
    if let Some(broker) = &place.broker {
        let letters = rabbit::tapped(broker);
        assert!(letters.len() > 500, "{} messages went through the door", letters.len());
        let letters: Vec<String> =
            letters.iter().map(|letter| format!("{:?} {}", letter.properties, lossy(&letter.body))).collect();
        all.push(Haystack::new("RabbitMQ's messages", letters.join("\n"), true));
        let mut data = String::new();
        for file in files(Path::new(&std::env::var("WAYLEAVE_TEST_RABBITMQ_DATA").unwrap())) {
            // A segment may be removed while it is looked for.
            let Ok(bytes) = std::fs::read(&file) else { continue };
            data.push_str(&leak::printable(&bytes, LETTERS_MIN));
            data.push('\n');
        }
        all.push(Haystack::new("RabbitMQ's data", data, true));
    }
    if place.broker.is_some() || place.databases.is_some() {
        let logs = PathBuf::from(std::env::var("WAYLEAVE_TEST_SERVER_LOGS").unwrap());
        for file in files(&logs) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let text = lossy(&std::fs::read(&file).unwrap_or_default());
            match name.as_str() {
                "postgres.log" => all.extend(place.databases.as_ref().map(|both| postgres_log(&text, both))),
                _ => all.push(Haystack::new(name, text, false)),
            }
        }
    }
    all
}

/// Printable letters in a row that are text in RabbitMQ's data: bodies are much longer, and the
/// bytes between them spell short names by chance.
const LETTERS_MIN: usize = 12;

/// What PostgreSQL logged of two databases. A line that goes on with another is indented.
fn postgres_log(text: &str, (one, other): &(Database, Database)) -> Haystack {
    let names = [one, other].map(|database| format!(" {} ", database.name().unwrap()));
    let mut is_ours = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if !line.starts_with('\t') {
            is_ours = names.iter().any(|name| line.contains(name));
        }
        if is_ours {
            lines.push(line);
        }
    }
    assert!(lines.iter().any(|line| line.contains("INSERT INTO")), "statements are logged");
    Haystack::new("PostgreSQL's log", lines.join("\n"), true)
}

/// Everybody of the demo, cohort and others alike.
fn forbidden() -> Forbidden {
    let mut forbidden = Forbidden::default();
    for client in table("clients") {
        forbidden.name(&client["given_name"]);
        forbidden.name(&client["family_name"]);
        forbidden.nhs_number(&client["nhs_number"]);
        forbidden.birth_date(&client["birth_date"]);
        forbidden.id(&client["client"]);
    }
    for token in wayleave::synth::demo::identifying_tokens().unwrap() {
        forbidden.token(&token.text);
    }
    assert!(forbidden.count() > 1_000, "there is plenty to look for");
    forbidden
}

/// A text without its pseudonyms, as `S01-08T3-4P02-SFDN-Z1R0-M`: four letters of one may spell a short name.
fn without_pseudonyms(text: &str) -> String {
    const FORM: &[u8] = b"S99-****-****-****-****-*";
    let is_one = |bytes: &[u8]| {
        bytes.iter().zip(FORM).all(|(byte, form)| match form {
            b'9' => byte.is_ascii_digit(),
            b'*' => b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(byte),
            form => byte == form,
        })
    };
    let (mut rest, mut kept) = (text, String::with_capacity(text.len()));
    while let Some(at) = rest.find('S') {
        let end = at + FORM.len();
        let is_found = rest.as_bytes().get(at..end).is_some_and(is_one);
        kept.push_str(&rest[..at]);
        kept.push_str(if is_found { "(pseudonym)" } else { "S" });
        rest = &rest[if is_found { end } else { at + 1 }..];
    }
    kept + rest
}

#[test]
fn a_pseudonym_names_nobody_and_what_stands_beside_it_may() {
    let text = "S01-08T3-KHAN-SFDN-Z1R0-M,Khan,S01-08T3-KHAN";
    assert_eq!(without_pseudonyms(text), "(pseudonym),Khan,S01-08T3-KHAN");
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(folder).into_iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
}

fn check(servers: Servers) {
    let Some(place) = Place::new(servers) else { return };
    let ears = Ears::open(&place);
    let output = place.demo();
    let story = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(story.contains("What happened:") && !story.contains("NOT FOUND"), "{story}");
    let faults = cohort::compare(&place.dir(), &place.operational());
    assert!(faults.is_empty(), "{} differences\n{}", faults.len(), faults.join("\n"));
    assert_eq!(released(&place.dir(), "person").len(), 49);
    assert_eq!(released(&place.dir(), "star").len(), 172);

    let haystacks = haystacks(&place, &output);
    let forbidden = forbidden();
    // Somebody of whom everything is told: wherever people are spoken of, so are they.
    let somebody = released(&place.dir(), "star")[0]["pseudonym"].clone();
    let mut found = Vec::new();
    let mut sizes = Vec::new();
    for haystack in &haystacks {
        let text = without_pseudonyms(&haystack.text);
        found.extend(forbidden.find(&text).iter().map(|what| format!("{}: {what}", haystack.name)));
        if haystack.is_about_people {
            assert!(haystack.text.contains(&somebody), "{} says nothing of anybody", haystack.name);
        }
        sizes.push(format!("{} {} KiB", haystack.name, haystack.text.len() / 1024));
    }
    assert!(found.is_empty(), "{} found\n{}", found.len(), found.join("\n"));
    println!("{servers:?}: {} spellings nowhere in {}", forbidden.count(), sizes.join(", "));
    if servers == Servers::ALL[0] {
        for log in ["evaluation.db-wal", "queue.db-wal"] {
            assert!(
                haystacks.iter().any(|haystack| haystack.name == log),
                "no {log} was there to be searched"
            );
        }
    }
    drop(ears);

    // Again: nothing changes, and the demo says so.
    let before = contents(&place.dir().join("extract"));
    let again = String::from_utf8(place.demo().stdout).unwrap();
    assert!(again.contains("nothing changed"), "{again}");
    assert_eq!(before, contents(&place.dir().join("extract")));
    if let Some(broker) = &place.broker {
        rabbit::remove(broker, STUDY);
    }
}

#[test]
fn on_sqlite_and_the_embedded_queue() {
    check(Servers::ALL[0]);
}

#[test]
fn on_sqlite_and_rabbitmq() {
    check(Servers::ALL[1]);
}

#[test]
fn on_postgres_and_the_embedded_queue() {
    check(Servers::ALL[2]);
}

#[test]
fn on_postgres_and_rabbitmq() {
    check(Servers::ALL[3]);
}

/// A copy of the project in which the gate can be switched off, and a redaction be taken out.
#[test]
fn without_the_gate_or_a_redaction_these_tests_fail() {
    let copy = mutant::build("altered", &[GATE_OFF, REDACTION_OUT]);
    let run = |part: &str| {
        let folder = support::folder();
        // A copy may fail its own last check; what it built is what matters.
        let mut command = Command::new(&copy.binary);
        command.args(["demo", "--dir"]).arg(folder.path()).env("WAYLEAVE_MUTANT", part);
        assert!(command.output().unwrap().status.code().is_some());
        folder
    };
    let url = |folder: &TempDir, file: &str| format!("sqlite:{}", folder.path().join(file).display());

    let open = run("gate");
    let faults = cohort::compare(open.path(), &url(&open, "operational.db"));
    for kind in KINDS {
        let strange = faults.iter().any(|fault| fault.starts_with(&format!("{kind}: of somebody")));
        assert!(strange, "no stranger in {kind}, though the gate was off");
    }

    let telling = run("redaction");
    let held = dump::dump(&url(&telling, "evaluation.db"));
    assert!(held["record"].len() > 100, "the copy released records");
    let forbidden = forbidden();
    let found = held.values().flatten().any(|row| !forbidden.find(row).is_empty());
    assert!(found, "nothing was found, though a redaction was out");
}

/// Without the consent decision: whoever has no consent is let through as if they had.
const GATE_OFF: Change = Change {
    file: "src/consent/decide.rs",
    from: "            Verdict::Deny(denied) => Err(denied),",
    to: r#"            Verdict::Deny(denied) => {
                if std::env::var_os("WAYLEAVE_MUTANT").is_none_or(|part| part != "gate") {
                    return Err(denied);
                }
                let evidence = Evidence {
                    form: "none".to_owned(),
                    form_version: "0".to_owned(),
                    decided_on: when.at,
                    record: (RecordId::from_bits(1), 1),
                };
                let yes = || Verdict::Permit(evidence.clone());
                let verdicts = [yes(), yes(), yes(), yes()];
                Ok(Self { person, study: study.to_owned(), evidence, verdicts })
            }"#,
};

/// Without one treatment: the birth date itself where an age band should be.
const REDACTION_OUT: Change = Change {
    file: "src/release/treat.rs",
    from: "            let birth = value.private().and_then(|birth| birth.open(grant).parse::<Day>().ok());",
    to: r#"            if let Some(birth) = value.private()
                && std::env::var_os("WAYLEAVE_MUTANT").is_some_and(|part| part == "redaction")
            {
                return Ok(Some(Treated::Coded(birth.open(grant).clone())));
            }
            let birth = value.private().and_then(|birth| birth.open(grant).parse::<Day>().ok());"#,
};
