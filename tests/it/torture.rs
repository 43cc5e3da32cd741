//! Files that each hold a fault of those that senders' files have: what is found in each is what
//! `tests/torture/expected.toml` says, and the good unit beside the fault is read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use wayleave::base::finding::{Finding, Findings};
use wayleave::base::origin::Origin;
use wayleave::format::source::MemorySpool;
use wayleave::format::{Refused, reader};
use wayleave::mapping::diagnostic::Source;
use wayleave::mapping::library::Library;
use wayleave::mapping::{Mapping, Outcome};

use crate::support;

/// The folder of the files.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/torture")
}

/// The folders of files: those of a format are read by a small mapping of their own, those of a sender
/// by the mapping that ships.
const GROUPS: [&str; 10] =
    ["council", "csv", "fhir", "hl7v2", "housing", "json", "packed", "trust", "xlsx", "xml"];

/// The files, by name within the folder, in order.
pub(crate) fn files() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for group in GROUPS {
        for entry in std::fs::read_dir(folder().join(group)).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{group}/{}", path.file_name().unwrap().to_string_lossy());
            found.push((name, std::fs::read(path).unwrap()));
        }
    }
    found.sort();
    found
}

/// What reads a file: `council/cld--days.csv` is of the feed council/cld.
fn mapping_of(name: &str) -> String {
    let (group, file) = name.split_once('/').unwrap();
    match (file.split_once("--"), group) {
        (Some((feed, _)), "xlsx") => format!("xlsx-{feed}"),
        (Some((feed, _)), group) => format!("{group}/{feed}"),
        (None, "fhir") => "trust/fhir".to_owned(),
        (None, "hl7v2") => "trust/adt".to_owned(),
        (None, "packed") => "csv".to_owned(),
        (None, group) => group.to_owned(),
    }
}

/// The mapping that reads the files of a group, or of the name that [`mapping_of`] gives.
pub(crate) fn mapping(name: &str) -> Mapping {
    let shipped = Library::shipped();
    let name = if name.contains('/') { name.to_owned() } else { mapping_of(&format!("{name}/")) };
    if name.contains('/') {
        return shipped.mapping(&name).unwrap_or_else(|error| panic!("{error}"));
    }
    let path = folder().join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&path).unwrap();
    let compiled = shipped.compile(&Source::new(&path.to_string_lossy(), &text));
    compiled.unwrap_or_else(|error| panic!("{error}"))
}

/// The files of the senders' feeds, by the mapping that reads them.
pub(crate) fn of_feeds() -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut found: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for (name, bytes) in files() {
        let reads = mapping_of(&name);
        if name.starts_with(&reads) && reads.contains('/') {
            found.entry(reads).or_default().push(bytes);
        }
    }
    found
}

/// What reading a file came to: how many units had which outcome, and what was found.
pub(crate) fn read(bytes: &[u8], mapping: &Mapping) -> (BTreeMap<&'static str, u64>, Vec<Finding>) {
    let file = Origin::default();
    let source = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let mut outcomes = BTreeMap::new();
    let mut found = Vec::new();
    let mut take = |findings: Findings| found.extend(findings.kept().iter().cloned());
    let mut units = match reader::open(source, &mapping.settings, &file, &MemorySpool) {
        Ok(units) => units,
        Err(Refused::File(findings)) => {
            assert!(!findings.is_empty(), "a refused file says why");
            take(findings);
            return (outcomes, found);
        }
        Err(Refused::Machine(error)) => panic!("{error:?}"),
    };
    take(units.findings());
    let headers =
        if units.headers().is_empty() { vec![None] } else { units.headers().iter().map(Some).collect() };
    let mut bound = Vec::new();
    for header in headers {
        match mapping.bind(header, &file) {
            Ok(sheet) => bound.push((header.and_then(|header| header.sheet.clone()), sheet)),
            Err(findings) => {
                take(findings);
                return (outcomes, found);
            }
        }
    }
    let mut of_units = Vec::new();
    while let Some(arrival) = units.next().unwrap() {
        let sheet = arrival.place.sheet.clone();
        let Some((_, bound)) = bound.iter().find(|(name, _)| *name == sheet) else { continue };
        let reading = bound.read(&arrival, &file);
        let outcome = match reading.outcome {
            Outcome::Rejected => "rejected",
            Outcome::Quarantined => "quarantined",
            Outcome::Filtered => "filtered",
            Outcome::Records => "accepted",
        };
        *outcomes.entry(outcome).or_insert(0) += 1;
        of_units.extend(reading.findings);
    }
    found.extend(of_units);
    found.extend(units.findings().kept().iter().cloned());
    (outcomes, found)
}

/// A finding as the file of what is expected writes it.
fn said(finding: &Finding) -> String {
    let mut text = finding.code.as_str().to_owned();
    if let Some(sheet) = &finding.origin.sheet {
        let _ = write!(text, " sheet {sheet}");
    }
    if let Some(line) = finding.origin.line {
        let _ = write!(text, " line {line}");
    }
    if let Some(column) = &finding.origin.column {
        let _ = write!(text, " column {column}");
    }
    if let Some(path) = &finding.origin.path {
        let _ = write!(text, " at {path}");
    }
    text
}

/// What every file came to, in the form of the file of what is expected.
fn report() -> String {
    let mut mappings: BTreeMap<String, Mapping> = BTreeMap::new();
    let mut report = String::new();
    for (name, bytes) in files() {
        let reads = mapping_of(&name);
        let mut mapping = mappings.entry(reads.clone()).or_insert_with(|| mapping(&reads)).clone();
        // Those of a gateway with real people's data.
        mapping.is_live = name.starts_with("hl7v2/test-");
        let (outcomes, found) = read(&bytes, &mapping);
        let outcomes: Vec<String> =
            outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        let _ = writeln!(report, "[\"{name}\"]\nunits = \"{}\"", outcomes.join(", "));
        let found: Vec<String> = found.iter().map(|finding| format!("  {:?},\n", said(finding))).collect();
        let _ = match found.as_slice() {
            [] => writeln!(report, "found = []\n"),
            found => writeln!(report, "found = [\n{}]\n", found.concat()),
        };
    }
    report
}

#[test]
fn each_fault_is_found_and_nothing_else_is_lost() {
    let path = folder().join("expected.toml");
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let (_, expected) = expected.split_once("\n\n").unwrap_or_default();
    let found = report();
    if std::env::var("WAYLEAVE_TORTURE").is_ok_and(|word| word == "write") {
        let head = "# What has to be found in each file: what became of its units, and the findings in order.\n# `WAYLEAVE_TORTURE=write` writes this anew; read the difference before you commit it.\n\n";
        std::fs::write(&path, format!("{head}{found}")).unwrap();
        return;
    }
    assert!(found.parse::<toml::Table>().is_ok());
    for (one, other) in expected.split("\n\n").zip(found.split("\n\n")) {
        assert_eq!(one, other);
    }
    assert_eq!(expected, found);
}

/// The files are what the script beside them makes; what is packed is packed alike by no two
/// versions of a library, so of that the presence alone is compared.
#[test]
fn the_files_are_those_the_script_makes() {
    let Some(python) = support::python() else { return };
    let target = support::folder();
    let made =
        std::process::Command::new(python).arg(folder().join("make")).arg(target.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for (name, bytes) in files() {
        let again =
            std::fs::read(target.path().join(&name)).unwrap_or_else(|_| panic!("{name} is made no more"));
        let is_packed = |name: &str| {
            ["zip", "gz", "xlsx"]
                .iter()
                .any(|end| Path::new(name).extension().is_some_and(|found| found == *end))
        };
        if !is_packed(&name) && name != "csv/a-workbook.csv" {
            assert!(bytes == again, "{name} is made otherwise");
        }
    }
}
