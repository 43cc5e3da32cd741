//! Every rule of the mental health services data set, each broken once by the least change of a
//! submission in which nothing is wrong (`tests/data/mhsds`), and every published one either held or
//! named as not held.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use wayleave::base::finding::{Code, Finding, Severity};
use wayleave::base::origin::Origin;
use wayleave::format::reader::open;
use wayleave::format::source::MemorySpool;
use wayleave::mapping::library::Library;
use wayleave::mapping::submission::Submission;
use wayleave::mapping::submission::rule::{Rule, Rules, Test};
use wayleave::mapping::{Mapping, Outcome};

type Row = BTreeMap<String, String>;
type Tables = BTreeMap<String, Vec<Row>>;

/// One line of `broken.csv`.
struct Case {
    code: String,
    table: String,
    change: String,
    /// Tables that have no row left that stands.
    lost: BTreeSet<String>,
    /// Codes that the change breaks besides.
    also: BTreeSet<String>,
}

/// `No valid [X] submitted for this [Y]`, as published: the code, whose rows it refuses, and of which
/// table they ask for a valid row. What follows from a change is worked out from these sentences.
const HANGS: &[(&str, &str, &str)] = &[
    ("MHS00145", "MHS001", "MHS002"),
    ("MHS00146", "MHS001", "MHS101"),
    ("MHS00220", "MHS002", "MHS001"),
    ("MHS00310", "MHS003", "MHS001"),
    ("MHS00401", "MHS004", "MHS001"),
    ("MHS00601", "MHS006", "MHS001"),
    ("MHS00811", "MHS008", "MHS001"),
    ("MHS00901", "MHS009", "MHS008"),
    ("MHS01101", "MHS011", "MHS001"),
    ("MHS10101", "MHS101", "MHS001"),
    ("MHS10601", "MHS106", "MHS101"),
    ("MHS20142", "MHS201", "MHS101"),
    ("MHS20224", "MHS202", "MHS201"),
    ("MHS50102", "MHS501", "MHS101"),
    ("MHS50203", "MHS502", "MHS501"),
    ("MHS51801", "MHS518", "MHS501"),
    ("MHS60412", "MHS604", "MHS101"),
    ("MHS60612", "MHS606", "MHS101"),
    ("MHS60708", "MHS607", "MHS202"),
    ("MHS70101", "MHS701", "MHS001"),
    ("MHS70209", "MHS702", "MHS701"),
];

impl Case {
    /// The codes that are to be found: that which is broken, what the change breaks besides, and of each
    /// table that hangs on one whose rows are gone the code that says so. A row that is gone is held to
    /// nothing more.
    fn expected(&self) -> BTreeSet<String> {
        let mut codes = self.also.clone();
        codes.insert(self.code.clone());
        let mut gone: BTreeSet<&str> = self.lost.iter().map(|table| &table[..6]).collect();
        loop {
            let next: Vec<_> = HANGS
                .iter()
                .filter(|(_, table, asks)| gone.contains(asks) && !gone.contains(table))
                .collect();
            if next.is_empty() {
                return codes;
            }
            for (code, table, _) in next {
                codes.insert((*code).to_owned());
                gone.insert(table);
            }
        }
    }
}

/// One line of `published.csv`.
struct Published {
    code: String,
    table: String,
    element: String,
    kind: String,
    level: String,
    /// None where the rule is broken elsewhere, or not held.
    cell: Option<String>,
}

fn published() -> Vec<Published> {
    let text = data("published.csv");
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines
        .map(|line| {
            let cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            let [code, table, element, kind, level, cell] = cells.try_into().unwrap();
            Published { code, table, element, kind, level, cell: Some(cell).filter(|cell| cell != "-") }
        })
        .collect()
}

/// Rules that set a row aside whatever their level, since its record is nothing without the word.
const SET_ASIDE: &[&str] = &["MHS00305", "MHS00819", "MHS60613", "MHS60710"];

fn data(name: &str) -> String {
    std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/mhsds").join(name))
        .unwrap()
}

fn cases() -> Vec<Case> {
    let text = data("broken.csv");
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [code, table, change, lost, also, why] = cells.as_slice() else { panic!("{line}") };
            assert_eq!(also.is_empty(), why.is_empty(), "{code}: what is broken besides has a reason");
            let words = |cell: &str| cell.split_whitespace().map(str::to_owned).collect();
            let (lost, also) = (words(lost), words(also));
            Case { code: (*code).into(), table: (*table).into(), change: (*change).into(), lost, also }
        })
        .collect()
}

fn good() -> Tables {
    let rows: BTreeMap<String, Row> = toml::from_str(&data("submission.toml")).unwrap();
    rows.into_iter().map(|(table, row)| (table, vec![row])).collect()
}

fn broken(case: &Case) -> Tables {
    let mut tables = good();
    for part in case.change.split('|') {
        let (table, cells) = match part.split_once(' ') {
            Some((table, cells)) if tables.contains_key(table) => (table, cells),
            _ => (case.table.as_str(), part),
        };
        let rows = tables.get_mut(table).unwrap();
        let cells = match cells.strip_prefix('+') {
            Some(cells) => {
                rows.push(rows[0].clone());
                cells
            }
            None => cells,
        };
        let row = rows.last_mut().unwrap();
        for (column, cell) in cells.split(';').filter_map(|cell| cell.split_once('=')) {
            row.insert(column.to_owned(), cell.to_owned());
        }
    }
    tables
}

/// The mappings of the tables, compiled once.
struct Desk {
    rules: Rules,
    mappings: Vec<Mapping>,
}

/// What was found: the rules' findings with their codes, and every other.
#[derive(Default)]
struct Found {
    codes: BTreeMap<String, Severity>,
    others: Vec<Finding>,
    all: Vec<Finding>,
    outcomes: Vec<Outcome>,
}

impl Found {
    fn take(&mut self, finding: Finding) {
        self.all.push(finding.clone());
        match finding.code {
            Code::MapSubmission => {
                let code = finding.expected.split(':').next().unwrap().to_owned();
                self.codes.insert(code, finding.severity);
            }
            // A blank number is warned of beside whatever follows from it.
            _ if finding.severity < Severity::Error => {}
            _ => self.others.push(finding),
        }
    }
}

impl Desk {
    fn new() -> Self {
        let library = Library::shipped();
        let rules = library.rules("trust/mhsds-6").unwrap().unwrap();
        let mapping = |name: &str| library.mapping(name).unwrap_or_else(|error| panic!("{error}"));
        let mappings = rules.tables.iter().map(|table| mapping(&table.mapping)).collect();
        Self { rules, mappings }
    }

    /// Reads rows of a table; `submission` takes them too.
    fn read(
        &self,
        table: usize,
        rows: &[Row],
        mut submission: Option<&mut Submission<'_>>,
        found: &mut Found,
    ) {
        let mapping = &self.mappings[table];
        let columns = &mapping.columns[0].1;
        let mut text = columns.join(",") + "\n";
        for row in rows {
            assert!(row.keys().all(|column| columns.contains(column)), "{}: {row:?}", mapping.name);
            let cells: Vec<&str> =
                columns.iter().map(|name| row.get(name).map_or("", String::as_str)).collect();
            text.push_str(&(cells.join(",") + "\n"));
        }
        let file = Origin::file("t.csv");
        let source = Box::new(std::io::Cursor::new(text.into_bytes()));
        let Ok(mut units) = open(source, &mapping.settings, &file, &MemorySpool) else {
            panic!("{}", mapping.name)
        };
        let header = units.headers()[0].clone();
        let bound = mapping.bind(Some(&header), &file).unwrap_or_else(|_| panic!("{}", mapping.name));
        let places = submission.as_mut().map(|submission| {
            submission.open(table, mapping, &file);
            submission.columns(table, &header)
        });
        while let Some(arrival) = units.next().unwrap() {
            let reading = bound.read(&arrival, &file);
            found.outcomes.push(reading.outcome);
            for finding in reading.findings {
                found.take(finding);
            }
            if let (Some(submission), Some(places)) = (submission.as_mut(), &places) {
                let is_valid = !matches!(reading.outcome, Outcome::Rejected | Outcome::Quarantined);
                submission.take(table, places, &arrival, is_valid).unwrap();
            }
        }
    }

    fn judge(&self, tables: &Tables) -> Found {
        let mut submission = Submission::new(&self.rules);
        let mut found = Found::default();
        for (name, rows) in tables {
            self.read(self.rules.table(name).unwrap(), rows, Some(&mut submission), &mut found);
        }
        let judged = submission.judge();
        assert!(judged.missing.is_empty(), "{:?}", judged.missing);
        for finding in judged.findings.kept() {
            found.take(finding.clone());
        }
        found
    }
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let desk = Desk::new();
    let found = desk.judge(&good());
    assert!(found.all.is_empty(), "{:?}", found.all);
    assert_eq!(found.outcomes.len(), desk.rules.tables.len());
    assert!(found.outcomes.iter().all(|outcome| *outcome == Outcome::Records), "{:?}", found.outcomes);
}

/// Each rule, and nothing but it and what follows.
#[test]
fn every_rule_is_broken_by_what_breaks_it_and_by_nothing_else() {
    let desk = Desk::new();
    let cases = cases();
    let listed: BTreeSet<&str> = desk.rules.rules.iter().map(|rule| rule.code.as_str()).collect();
    let broken_once: BTreeSet<&str> = cases.iter().map(|case| case.code.as_str()).collect();
    assert_eq!(listed, broken_once, "each rule stands in broken.csv, and nothing else");
    assert_eq!((listed.len(), cases.len()), (138, 138));
    let asks = |rule: &&Rule| matches!(rule.test, Test::In(_));
    let asking: BTreeSet<&str> =
        desk.rules.rules.iter().filter(asks).map(|rule| rule.code.as_str()).collect();
    assert_eq!(asking, HANGS.iter().map(|(code, ..)| *code).collect::<BTreeSet<_>>());
    let mut wrong = Vec::new();
    for case in &cases {
        let rule = desk.rules.rules.iter().find(|rule| rule.code == case.code).unwrap();
        assert_eq!(desk.rules.tables[rule.table].name, case.table, "{}", case.code);
        let found = desk.judge(&broken(case));
        let expected = case.expected();
        let codes: BTreeSet<String> = found.codes.keys().cloned().collect();
        let is_right = codes == expected && found.others.is_empty();
        if !is_right || found.codes.get(&case.code) != Some(&rule.severity) {
            let (codes, others) = (&found.codes, &found.others);
            wrong.push(format!("{} {}: {codes:?} {others:?}, expected {expected:?}", case.code, case.change));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// What has not the form of a version is not the version in force, and what has not the form of the id of
/// a concept is none: whatever breaks the first of two breaks the other.
const BESIDE: &[(&str, &str)] =
    &[("MHS00038", "MHS00003"), ("MHS01111", "MHS01109"), ("MHS20220", "MHS20231")];

/// Each published rule is held, and broken by a test, or stands among those that the rules' own file
/// names as not held, with the reason; and no mapping claims one that nothing breaks.
#[test]
fn every_published_rule_is_held_or_named() {
    let desk = Desk::new();
    let published = published();
    assert_eq!(published.len(), 472);
    let text = std::fs::read_to_string(
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("mappings/rules/trust/mhsds-6.csv"),
    );
    let text = text.unwrap();
    let named: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# unheld: "))
        .flat_map(|line| line.split_whitespace().skip(1))
        .collect();
    assert_eq!((named.len(), named.iter().collect::<BTreeSet<_>>().len()), (76, 76));
    let broken: BTreeSet<String> = cases().into_iter().map(|case| case.code).collect();
    for rule in &published {
        let ways = [rule.cell.is_some(), broken.contains(&rule.code), named.contains(&rule.code.as_str())];
        assert_eq!(ways.iter().filter(|way| **way).count(), 1, "{}: {ways:?}", rule.code);
    }
    let known: BTreeSet<&str> = published.iter().map(|rule| rule.code.as_str()).collect();
    assert_eq!(known.len(), published.len());
    let others = broken.iter().map(String::as_str).chain(named).filter(|code| !known.contains(code));
    assert_eq!(others.count(), 0, "what is held or named is published");
    let celled: BTreeSet<&str> =
        published.iter().filter(|rule| rule.cell.is_some()).map(|rule| rule.code.as_str()).collect();
    let mut claimed = BTreeSet::new();
    for mapping in &desk.mappings {
        for rule in mapping.blocks.iter().flat_map(|block| &block.rules) {
            let codes = [&rule.published.blank, &rule.published.format, &rule.published.code];
            claimed.extend(codes.into_iter().filter(|code| !code.is_empty()).map(String::as_str));
        }
    }
    assert_eq!(claimed, celled, "what the mappings claim is what a cell breaks");
}

/// Each rule of one element, broken by one cell, and by nothing else.
#[test]
fn every_rule_of_an_element_is_broken_by_a_cell() {
    let desk = Desk::new();
    let good = good();
    let mut wrong = Vec::new();
    for rule in published() {
        let Some(cell) = rule.cell else { continue };
        let table = desk.rules.table(&rule.table).unwrap();
        let mut row = good[&rule.table][0].clone();
        row.insert(rule.element.clone(), cell.clone());
        let mut found = Found::default();
        desk.read(table, &[row], None, &mut found);
        let (severity, outcome) = match rule.level.as_str() {
            _ if SET_ASIDE.contains(&rule.code.as_str()) => (Severity::Error, Outcome::Quarantined),
            "rejected" => (Severity::Error, Outcome::Rejected),
            _ => (Severity::Warning, Outcome::Records),
        };
        let is_own = |finding: &&Finding| finding.expected.starts_with(&format!("{}: ", rule.code));
        let is_said = found.all.iter().filter(is_own).any(|finding| finding.severity == severity);
        let is_of = |finding: &Finding| {
            BESIDE
                .iter()
                .any(|(own, other)| *own == rule.code && finding.expected.starts_with(&format!("{other}: ")))
        };
        let is_meant = |finding: &Finding| is_own(&finding) || is_of(finding);
        let is_alone =
            found.all.iter().all(|finding| finding.severity < Severity::Error || is_meant(finding));
        if !is_said || !is_alone || found.outcomes != [outcome] {
            let (code, kind, element) = (&rule.code, &rule.kind, &rule.element);
            wrong.push(format!("{code} {kind} {element}={cell}: {:?} {:?}", found.outcomes, found.all));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Whoever leaves a practice is expected at another on that day or the next.
#[test]
fn a_practice_that_is_left_is_followed_by_another() {
    let desk = Desk::new();
    for (practice, start, is_followed) in [
        ("C88998", "2025-03-10", true),
        ("C88998", "2025-03-11", true),
        ("C88998", "2025-03-12", false),
        ("C88998", "2025-03-09", false),
        ("C88999", "2025-03-11", false),
    ] {
        let mut tables = good();
        let rows = tables.get_mut("MHS002GP").unwrap();
        let mut next = rows[0].clone();
        rows[0].insert("EndDateGMPRegistration".into(), "2025-03-10".into());
        next.extend([
            ("GMPReg".to_owned(), practice.to_owned()),
            ("StartDateGMPRegistration".to_owned(), start.to_owned()),
        ]);
        rows.push(next);
        let found = desk.judge(&tables);
        assert_eq!(!found.codes.contains_key("MHS00223"), is_followed, "{practice} {start}");
        assert!(found.others.is_empty() && found.codes.len() < 2, "{:?}", found.codes);
    }
}

/// A score is held to the range of what is scored, both ends of it, and is not where none is known.
#[test]
fn a_score_is_held_to_the_range_of_its_tool() {
    let desk = Desk::new();
    // SWEMWBS goes from 7 to 35, ReQoL-10 from 0 to 40.
    for (tool, score, is_held) in [
        ("718466001", "7", true),
        ("718466001", "6.99", false),
        ("718466001", "35", true),
        ("718466001", "35.5", false),
        ("1091071000000100", "40", true),
        ("1091071000000100", "41", false),
        ("1091071000000100", "-1", false),
    ] {
        let table = desk.rules.table("MHS606CodedScoreAssessmentRefer").unwrap();
        let mut row = good()["MHS606CodedScoreAssessmentRefer"][0].clone();
        row.insert("CodedAssToolType".into(), tool.into());
        row.insert("PersScore".into(), score.into());
        let mut found = Found::default();
        desk.read(table, &[row], None, &mut found);
        assert_eq!(!found.codes.contains_key("MHS60607"), is_held, "{tool} {score}: {:?}", found.all);
        assert_eq!(found.outcomes, [Outcome::Records]);
    }
}

/// What looks at one row alone is said by whatever reads the row, and refuses it if it rejects.
#[test]
fn a_rule_of_one_row_is_said_wherever_the_row_is_read() {
    let desk = Desk::new();
    let alone: Vec<&str> =
        desk.rules.rules.iter().filter(|rule| rule.is_alone()).map(|rule| rule.code.as_str()).collect();
    assert_eq!(alone.len(), 30, "{alone:?}");
    for case in cases().iter().filter(|case| alone.contains(&case.code.as_str())) {
        let table = desk.rules.table(&case.table).unwrap();
        let mut found = Found::default();
        desk.read(table, &broken(case)[&case.table], None, &mut found);
        let severity = found.codes.get(&case.code);
        let is_rejected = found.outcomes.contains(&Outcome::Rejected);
        assert!(severity.is_some(), "{}: {:?}", case.code, found.codes);
        assert_eq!(is_rejected, severity == Some(&Severity::Error), "{}: {:?}", case.code, found.outcomes);
    }
}

/// A mapping that was kept with the version of a record reads as it did then, rules and all.
#[test]
fn a_mapping_that_is_kept_keeps_its_rules() {
    let shipped = Library::shipped();
    let name = "trust/mhs501-hospital-spell";
    let mapping = shipped.mapping(name).unwrap_or_else(|error| panic!("{error}"));
    let mut kept = Library::default();
    for (name, text) in &mapping.code_lists {
        kept.add_kept(name, text);
    }
    let again = kept.compile(shipped.source(name).unwrap_or_else(|error| panic!("{error}")));
    let again = again.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again.hash, mapping.hash);
    assert_eq!(again.rules.iter().flat_map(wayleave::mapping::submission::row::RowRules::iter).count(), 1);
    // Rules that are not at hand are a fault of the file, with its place.
    let text = shipped.text(name).unwrap().replace("rules = \"trust/mhsds-6\"", "rules = \"trust/mhsds-7\"");
    let source = wayleave::mapping::diagnostic::Source::new("own.toml", &text);
    let Err(error) = shipped.compile(&source) else { panic!("it compiles") };
    assert!(error.to_string().contains("there are no rules `trust/mhsds-7`"), "{error}");
    let other = shipped
        .text("council/costs")
        .unwrap()
        .replace("snapshot = \"full\"", "snapshot = \"full\"\nrules = \"trust/mhsds-6\"");
    let source = wayleave::mapping::diagnostic::Source::new("own.toml", &other);
    let Err(error) = shipped.compile(&source) else { panic!("it compiles") };
    assert!(error.to_string().contains("know no table of this mapping"), "{error}");
}
