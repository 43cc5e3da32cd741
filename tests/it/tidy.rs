//! The walls and habits of the house, as tests. Each reads the tree as it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Longest file of code, in lines.
const FILE_LINES_MAX: usize = 500;

/// Who may import whom (design, section 3). `*` is everything.
const WALLS: &[(&str, &[&str])] = &[
    ("base", &[]),
    // Where a SQLite file may stand: asked by three who may not ask each other.
    ("disk", &[]),
    ("format", &["base"]),
    ("record", &["base"]),
    ("mapping", &["base", "format", "record"]),
    ("person", &["base", "record"]),
    ("consent", &["base", "record"]),
    ("measure", &["base", "record"]),
    ("disclosure", &["base", "record"]),
    ("release", &["base", "record", "consent", "measure", "disclosure"]),
    // Decides what may go to a partner, and writes it in the partner's layout; nobody else does.
    ("exchange", &["base", "format", "record", "mapping"]),
    // Plain data of the pure modules, and nothing that does.
    ("store", &["base", "disk", "record", "person", "consent", "release"]),
    ("transport", &["base"]),
    ("queue", &["base", "disk", "release"]),
    (
        "gateway",
        &[
            "base",
            "format",
            "record",
            "mapping",
            "person",
            "consent",
            "measure",
            "disclosure",
            "release",
            "exchange",
            "store",
            "transport",
            "queue",
            "config",
        ],
    ),
    ("evaluation", &["base", "disk", "queue", "measure", "disclosure"]),
    ("config", &["base"]),
    ("telemetry", &["base"]),
    // Never evaluation: the two zones meet nowhere. Of transport, how TLS is made of files.
    ("web", &["base", "config", "gateway", "telemetry", "transport"]),
    ("worker", &["base", "gateway", "release", "telemetry"]),
    // Runs what the gateway does, at its times; stops as a worker does.
    ("schedule", &["base", "config", "gateway", "queue", "release", "telemetry", "transport", "worker"]),
    // It keeps what it takes by the web's journal, so that one transaction serves both.
    ("station", &["base", "config", "gateway", "telemetry", "transport", "web", "worker"]),
    ("synth", &["base", "format", "record"]),
    ("cli", &["*"]),
];

const PURE: &[&str] = &[
    "base",
    "format",
    "record",
    "mapping",
    "person",
    "consent",
    "measure",
    "disclosure",
    "release",
    "exchange",
];

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&top().join(folder), &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(top()).unwrap().to_string_lossy().replace('\\', "/");
    found
        .iter()
        .filter(|path| path.to_string_lossy().ends_with(ending))
        // A file that is no text on purpose stands among the tests.
        .map(|path| (name(path), String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()))
        .collect()
}

/// The room a source file stands in: `src/format/csv.rs` is in `format`.
fn room(file: &str) -> &str {
    let rest = file.strip_prefix("src/").unwrap();
    rest.split(['/', '.']).next().unwrap()
}

/// The code of a file without its comments and without its tests.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn nobody_imports_through_a_wall() {
    let walls: BTreeMap<_, _> = WALLS.iter().copied().collect();
    let mut faults = Vec::new();
    for (file, text) in files("src", ".rs") {
        let room = room(&file);
        if ["main", "lib"].contains(&room) {
            continue;
        }
        let Some(allowed) = walls.get(room) else {
            faults.push(format!("{file}: the room `{room}` has no row in the table of walls"));
            continue;
        };
        for (before, after) in
            code(&text).match_indices("crate::").map(|(at, _)| text_around(&code(&text), at))
        {
            if before.ends_with('$') {
                continue;
            }
            let named: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if named != room && !allowed.contains(&named.as_str()) && !allowed.contains(&"*") {
                faults.push(format!("{file}: `crate::{named}` is behind a wall for `{room}`"));
            }
        }
    }
    faults.dedup();
    none(faults);
}

fn text_around(text: &str, at: usize) -> (String, String) {
    (text[..at].to_owned(), text[at + "crate::".len()..].to_owned())
}

#[test]
fn each_library_stays_in_its_room() {
    let rooms: &[(&str, &[&str])] = &[
        ("diesel::", &["src/store", "src/evaluation/store", "src/queue/embedded"]),
        ("diesel_migrations", &["src/store", "src/evaluation/store", "src/queue/embedded"]),
        ("lapin::", &["src/queue/rabbitmq"]),
        ("actix_web::", &["src/web"]),
        ("tokio::", &["src/queue/rabbitmq", "src/web", "src/worker", "src/schedule", "src/transport"]),
        ("clap::", &["src/cli"]),
        ("reqwest::", &["src/transport/http"]),
        ("russh::", &["src/transport/sftp"]),
        ("russh_sftp::", &["src/transport/sftp"]),
        ("lettre::", &["src/transport/smtp"]),
        // Files of certificates and keys are read in one place; what is made of them is used in others.
        ("rustls::pki_types::pem", &["src/transport/tls.rs"]),
        ("croner::", &["src/schedule"]),
        // A second opinion in tests: it holds in memory as much as a file asks it to.
        ("calamine::", &[]),
        ("Timestamp::now", &["src/cli/edge.rs"]),
        ("SystemTime::now", &[]),
        ("getrandom::", &["src/cli/edge.rs"]),
    ];
    let mut faults = Vec::new();
    for (file, text) in files("src", ".rs") {
        for (library, homes) in rooms {
            if code(&text).contains(library) && !homes.iter().any(|home| file.starts_with(home)) {
                faults.push(format!("{file}: `{library}` belongs in {homes:?}"));
            }
        }
    }
    none(faults);
}

#[test]
fn the_pure_rooms_touch_nothing_outside() {
    let mut faults = Vec::new();
    for (file, text) in files("src", ".rs") {
        if !PURE.contains(&room(&file)) {
            continue;
        }
        for outside in [
            "std::fs",
            "std::net::Tcp",
            "std::net::Udp",
            "std::env",
            "std::process",
            "std::thread::spawn",
            "Instant::now()",
            "tempfile::",
        ] {
            if code(&text).contains(outside) {
                faults.push(format!("{file}: `{outside}` in a pure room"));
            }
        }
    }
    none(faults);
}

/// The files that call something, outside their tests.
fn callers(call: &str) -> BTreeSet<String> {
    files("src", ".rs")
        .into_iter()
        .filter(|(_, text)| code(text).contains(call))
        .map(|(file, _)| file)
        .collect()
}

#[test]
fn these_alone_begin_a_grant() {
    let callers: Vec<_> = callers("::begin(")
        .into_iter()
        .filter(|file| {
            let text = std::fs::read_to_string(top().join(file)).unwrap();
            code(&text).contains("Grant")
        })
        .collect();
    insta::assert_snapshot!(callers.join("\n"));
}

#[test]
fn these_alone_look_at_a_private_value_without_a_grant() {
    let callers: Vec<_> = callers(".inspect()").into_iter().collect();
    insta::assert_snapshot!(callers.join("\n"));
}

#[test]
fn every_property_carries_its_privacy_and_has_its_twin() {
    let mut faults = Vec::new();
    for (file, text) in files("schemas/record", ".json") {
        let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
        let kind = schema["title"].as_str().unwrap();
        let twin = std::fs::read_to_string(top().join(format!("src/record/kind/{kind}.rs"))).unwrap();
        let mut fields: BTreeMap<String, String> = twin
            .lines()
            .filter_map(|line| line.trim().strip_prefix("pub ")?.strip_suffix(',')?.split_once(": "))
            .map(|(name, holds)| (name.trim_start_matches("r#").to_owned(), holds.to_owned()))
            .collect();
        if schema["additionalProperties"] != false {
            faults.push(format!("{file}: is not closed"));
        }
        for (name, property) in schema["properties"].as_object().unwrap() {
            let privacy = property["x-privacy"].as_str().unwrap_or_default();
            if !["identifier", "quasi", "sensitive", "free-text", "plain"].contains(&privacy) {
                faults.push(format!("{file}: `{name}` carries no x-privacy"));
            }
            if property["description"].as_str().is_none_or(str::is_empty) {
                faults.push(format!("{file}: `{name}` has no description"));
            }
            let Some(holds) = fields.remove(name) else {
                faults.push(format!("{file}: `{name}` has no field in its struct"));
                continue;
            };
            if holds.contains("Private<") != ["identifier", "free-text"].contains(&privacy) {
                faults.push(format!("{file}: `{name}` is {privacy}, and its field is {holds}"));
            }
        }
        faults
            .extend(fields.keys().map(|name| format!("{file}: the struct has `{name}`, the schema has not")));
    }
    none(faults);
}

#[test]
fn every_finding_code_is_explained_and_raised_by_a_test() {
    let mut tests: String = files("tests", ".rs").into_iter().map(|(_, text)| text).collect();
    tests.extend(files("tests", ".snap").into_iter().map(|(_, text)| text));
    tests.extend(files("tests/torture", ".toml").into_iter().map(|(_, text)| text));
    tests.extend(files("mappings", ".cases.toml").into_iter().map(|(_, text)| text));
    for (_, text) in files("src", ".rs") {
        tests.extend(text.split("\n#[cfg(test)]\nmod tests").nth(1).map(str::to_owned));
    }
    let table = std::fs::read_to_string(top().join("src/base/finding/table.rs")).unwrap();
    let mut faults = Vec::new();
    for code in wayleave::base::finding::Code::ALL {
        let variant = format!("{code:?}");
        if code.meaning().is_empty() || code.advice().is_empty() {
            faults.push(format!("{} is not explained", code.as_str()));
        }
        if !tests.contains(code.as_str()) && !tests.contains(&format!("Code::{variant}")) {
            faults.push(format!("{} is raised by no test", code.as_str()));
        }
        if table.matches(&format!("\"{}\"", code.as_str())).count() != 1 {
            faults.push(format!("{} stands twice in the table", code.as_str()));
        }
    }
    none(faults);
}

#[test]
fn migrations_come_in_pairs() {
    for zone in ["operational", "evaluation"] {
        let names = |backend: &str| -> BTreeSet<String> {
            files(&format!("migrations/{zone}/{backend}"), ".sql")
                .into_iter()
                .map(|(file, _)| file.replace(backend, "BACKEND"))
                .collect()
        };
        let (sqlite, postgres) = (names("sqlite"), names("postgres"));
        assert!(!sqlite.is_empty(), "{zone} has migrations");
        assert_eq!(sqlite, postgres, "{zone}");
        assert!(
            sqlite.iter().filter(|file| file.ends_with("up.sql")).count() * 2 == sqlite.len(),
            "{zone}: up and down"
        );
    }
}

#[test]
fn every_licence_is_permissive() {
    const PERMISSIVE: &[&str] = &[
        "MIT",
        "MIT-0",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "Zlib",
        "Unicode-3.0",
        "Unlicense",
        "CDLA-Permissive-2.0",
        "0BSD",
        "CC0-1.0",
        "BSL-1.0",
        "bzip2-1.0.6",
        "PostgreSQL",
    ];
    let output = std::process::Command::new(env!("CARGO"))
        .current_dir(top())
        .args(["metadata", "--offline", "--format-version", "1"])
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut faults = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let licence = package["license"].as_str().unwrap_or_default().replace('/', " OR ");
        // `A OR B` leaves the choice; `A AND B` asks for both.
        let fits =
            |all: &str| all.split(" AND ").all(|one| PERMISSIVE.contains(&one.trim_matches(['(', ')', ' '])));
        let all_of_some = licence.split(" OR ").any(fits);
        let some_of_each = licence.split(" AND ").all(|part| part.split(" OR ").any(fits));
        if !all_of_some && !some_of_each {
            faults.push(format!("{} is under `{licence}`", package["name"]));
        }
    }
    none(faults);
}

#[test]
fn files_are_short_and_clean() {
    let mut faults = Vec::new();
    for (file, text) in [files("src", ".rs"), files("tests", ".rs")].concat() {
        let lines = text.lines().count();
        // The columns of every table, a line each, are a table too, and so are the bounds.
        let tables = ["src/store/schema.rs", "src/base/limit.rs"];
        let is_table = file.ends_with("table.rs") || tables.contains(&file.as_str());
        if lines > FILE_LINES_MAX && !is_table {
            faults.push(format!("{file}: {lines} lines, more than {FILE_LINES_MAX}"));
        }
        if file.ends_with("/mod.rs") {
            faults.push(format!("{file}: a module is `foo.rs` and `foo/`"));
        }
        if text.lines().any(|line| line.ends_with(' ') || line.contains('\t')) && !file.contains("tests/") {
            faults.push(format!("{file}: a blank at the end of a line, or a tab"));
        }
        for word in ["utils", "helpers", "manager"] {
            if file.contains(word) {
                faults.push(format!("{file}: `{word}` is no room of this house"));
            }
        }
        if !text.starts_with("//!") && file.starts_with("src/") && file != "src/lib.rs" {
            faults.push(format!("{file}: does not begin by saying what it gives"));
        }
    }
    none(faults);
}

#[test]
fn the_prose_speaks_of_the_project_alone() {
    // Put together from parts, so that this file is not found by its own search.
    let unwelcome =
        [["/wo", "rk/"], ["crates", ".io"], ["pypi", ".org"], ["/ro", "ot/"], ["TO", "DO"], ["FIX", "ME"]]
            .map(|parts| parts.concat());
    let mut faults = Vec::new();
    let endings = [".rs", ".md", ".toml", ".sql", ".json", ".csv", ".sh", "all", "servers", "run"];
    for folder in ["src", "tests", "schemas", "mappings", "migrations", ".ci"] {
        for ending in endings {
            for (file, text) in files(folder, ending) {
                faults.extend(
                    unwelcome
                        .iter()
                        .filter(|word| text.contains(*word))
                        .map(|word| format!("{file}: `{word}`")),
                );
            }
        }
    }
    none(faults);
}

#[test]
fn the_top_level_holds_what_it_should() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "src",
        "schemas",
        "mappings",
        "migrations",
        "tests",
        "target",
    ];
    let listed = std::process::Command::new("git").current_dir(top()).args(["ls-files"]).output();
    let Ok(listed) = listed else { return };
    let listed = String::from_utf8(listed.stdout).unwrap();
    let there: BTreeSet<&str> = listed.lines().map(|file| file.split('/').next().unwrap()).collect();
    let strange: Vec<String> = there
        .into_iter()
        .filter(|name| !name.starts_with('.') && !allowed.contains(name))
        .map(|name| format!("{name} stands at the top level"))
        .collect();
    none(strange);
}

#[test]
fn every_snapshot_belongs_to_a_test() {
    let mut faults = Vec::new();
    for (file, _) in files("tests", ".snap") {
        let name = file.rsplit('/').next().unwrap().trim_end_matches(".snap");
        // it__<module>__<test or name>[-n]
        let mut parts = name.split("__").skip(1);
        let module = parts.next().unwrap_or_default();
        let test = parts.last().unwrap_or_default();
        let test = test.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-');
        let source = std::fs::read_to_string(top().join(format!("tests/it/{module}.rs"))).unwrap_or_default();
        if !source.contains(test) {
            faults.push(format!("{file}: no test `{test}` in tests/it/{module}.rs"));
        }
    }
    none(faults);
}
