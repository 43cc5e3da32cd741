//! The laws of a mapping, over every shipped one that can be written, through whole files:
//! reading what was written gives the same record, and writing what was read gives the same cells.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rust_decimal::Decimal;
use wayleave::base::day::Day;
use wayleave::base::edge::Instant;
use wayleave::base::finding::Code;
use wayleave::base::origin::Origin;
use wayleave::base::private::{Cases, Grant, Private};
use wayleave::format::source::MemorySpool;
use wayleave::format::{reader, writer};
use wayleave::mapping::code_list::CodeList;
use wayleave::mapping::compile::{Blank, Block, Part, Rule};
use wayleave::mapping::library::Library;
use wayleave::mapping::op::Op;
use wayleave::mapping::read::Bound;
use wayleave::mapping::write::{Keys, Row, Target};
use wayleave::mapping::{KEY_SEPARATOR, Made, Mapping, Outcome};
use wayleave::record::draft::Draft;
use wayleave::record::kind::Kind;
use wayleave::record::schema::Holds;
use wayleave::synth::seed::Seed;

/// Letters that formats trip over, and that Windows-1252 has, in bytes that could not be UTF-8:
/// a file that reads as UTF-8 is refused where Windows-1252 was declared.
const LETTERS: &[&str] =
    &["a", "b", "Q", "7", "é", "ß", "ö", "|", "^", "&", "~", "\\", "\"", "'", ",", ";", " ", "\t"];

fn text(seed: &mut Seed, length_max: usize) -> String {
    let mut text = String::from("x");
    for _ in 0..seed.place(length_max.min(12)) {
        text.push_str(seed.pick(LETTERS));
    }
    // Outer blanks are nobody's meaning.
    text.push('y');
    text
}

fn any_of<'l, T>(list: &'l [T], seed: &mut Seed) -> &'l T {
    &list[seed.place(list.len())]
}

fn id(seed: &mut Seed) -> String {
    format!("ID{:06}", seed.below(999_999))
}

fn day(seed: &mut Seed) -> Day {
    Day::new(
        1900 + i16::try_from(seed.below(140)).unwrap(),
        1 + i8::try_from(seed.below(12)).unwrap(),
        1 + i8::try_from(seed.below(28)).unwrap(),
    )
    .unwrap()
}

/// The canonical words that a code list can write: those it would lose are no part of the law.
fn words(list: &CodeList) -> Vec<String> {
    let lossy: Vec<&str> = list.lost().chain(list.widened()).collect();
    list.canonical().filter(|word| !lossy.contains(word)).map(str::to_owned).collect()
}

/// A canonical value that a rule could have read. `own` is what its column must hold, where the
/// column is part of the subject's key.
fn leaf(rule: &Rule, own: Option<&str>, seed: &mut Seed) -> Draft {
    if let Some(constant) = &rule.value {
        return constant.clone();
    }
    let hold = |text: String| {
        if rule.field.privacy.is_sealed() { Draft::Private(Private::new(text)) } else { Draft::Text(text) }
    };
    if let Some(codes) = &rule.codes {
        return match rule.field.holds {
            Holds::Texts => Draft::List(vec![Draft::Text(any_of(&words(codes), seed).clone())]),
            _ => hold(any_of(&words(codes), seed).clone()),
        };
    }
    if let (Some(Op::Words(words)), Holds::Word(_) | Holds::Text) = (rule.steps.last(), &rule.field.holds) {
        let words: Vec<&str> = words.0.canonical().collect();
        return hold((*any_of(&words, seed)).to_owned());
    }
    let last = rule.steps.last().map_or("", |op| op.doc().name);
    match &rule.field.holds {
        Holds::Word(words) => hold(any_of(words, seed).clone()),
        Holds::Day => hold(day(seed).to_string()),
        Holds::Integer => Draft::Number(Decimal::from(seed.between(1, 10))),
        // A score is written in five characters at most (MHSDS).
        Holds::Number if rule.field.name == "score" => {
            Draft::Number(Decimal::new(seed.between(0, 9_999), 2).normalize())
        }
        Holds::Number => Draft::Number(Decimal::new(seed.between(0, 999_999), 2).normalize()),
        Holds::Truth => Draft::Bool(seed.chance(500)),
        Holds::Texts => Draft::List(vec![Draft::Text("x".to_owned())]),
        Holds::Text => hold(match (own, last, rule.field.name) {
            (Some(own), ..) => own.to_owned(),
            (None, "nhs-number" | "nhs-integer", _) => {
                seed.pick(&["9990000018", "9990000026", "9990000034"]).to_string()
            }
            (None, "postcode" | "postcode-halves", _) => {
                seed.pick(&["S99 1AA", "SW1A 9ZZ", "M9 9XY"]).to_string()
            }
            (None, "id", _) => id(seed),
            (None, "lower", _) => id(seed).to_lowercase(),
            (None, "dd-format", _) => of_form(rule),
            (None, _, "form_version" | "sheet_version") => seed.pick(&["2", "2.1", "v3"]).to_string(),
            _ => text(seed, 12),
        }),
    }
}

/// The same, held to what the schema says of the field beside its type.
fn fitting(block: &Block, rule: &Rule, own: Option<&str>, seed: &mut Seed) -> Draft {
    let made = leaf(rule, own, seed);
    let of = |leaf: Draft| {
        let mut draft = Draft::empty();
        draft.set(rule.field.name, leaf);
        draft
    };
    let is_wrong = |draft: &Draft| {
        let faults = block.schema.faults(draft, &Origin::default());
        faults.iter().any(|(at, fault)| at == rule.field.name && fault.code != Code::SchemaRequired)
    };
    if own.is_some() || rule.codes.is_some() || !is_wrong(&of(made.clone())) {
        return made;
    }
    let hold = |text: String| {
        if rule.field.privacy.is_sealed() { Draft::Private(Private::new(text)) } else { Draft::Text(text) }
    };
    let number = id(seed).to_lowercase();
    let texts = [number.clone(), number[2..].to_owned()];
    let fits = texts.into_iter().map(hold).find(|leaf| !is_wrong(&of(leaf.clone())));
    fits.unwrap_or_else(|| panic!("no text fits {}", rule.field.name))
}

/// A text of the form that the data dictionary gives a rule.
fn of_form(rule: &Rule) -> String {
    let op = rule.steps.last().expect("the form is the last operation");
    let texts = (1..=20).flat_map(|length| [("A1".repeat(10), length), ("12".repeat(10), length)]);
    let mut texts = texts.map(|(text, length)| text[..length].to_owned());
    let fits = |text: &String| op.read(wayleave::mapping::op::value::Value::owned(text.clone())).is_ok();
    texts.find(fits).expect("some text has the form")
}

fn address(part: &Part) -> Option<&str> {
    match part {
        Part::Cell(address, _) => Some(address),
        Part::Field(_) => None,
    }
}

/// What the records of one row say, by column, and the ids in those that only keys read.
#[derive(Default)]
struct Said {
    leaves: BTreeMap<String, Option<Draft>>,
    ids: BTreeMap<String, String>,
}

/// A record that a block could have read, about this subject.
fn record(block: &Block, subject: &str, time: Instant, said: &mut Said, seed: &mut Seed) -> Made {
    let mut draft = Draft::empty();
    for rule in block.rules.iter().filter(|rule| !rule.one_way) {
        let is_needed =
            rule.blank != Blank::Absent || rule.field.is_required || rule.is_keyed || rule.value.is_some();
        let from = rule.from.first();
        let known = from.and_then(|from| said.leaves.get(from)).cloned();
        // Two records of one row that are read from one column say the same, or both nothing.
        let made = known.unwrap_or_else(|| {
            let is_own =
                from.is_some_and(|from| block.subject.iter().any(|part| address(part) == Some(from)));
            (is_needed || seed.chance(700)).then(|| fitting(block, rule, is_own.then_some(subject), seed))
        });
        if let Some(from) = from {
            said.leaves.insert(from.clone(), made.clone());
        }
        if let Some(made) = made {
            draft.set(rule.field.name, made);
        }
    }
    let draft = without_what_excludes(block, draft, said);
    let mut constants = Vec::new();
    if let Some(when) = &block.when {
        when.constants(&mut constants);
    }
    let constant =
        |cell: &String| constants.iter().find(|(address, _)| *address == cell).map(|(_, text)| *text);
    let key: Vec<String> = block
        .key
        .iter()
        .map(|part| match part {
            Part::Field(_) => String::new(),
            Part::Cell(cell, _) if block.subject.iter().any(|part| address(part) == Some(cell)) => {
                subject.to_owned()
            }
            Part::Cell(cell, _) if constant(cell).is_some() => constant(cell).unwrap_or_default().to_owned(),
            Part::Cell(cell, _) if block.rules.iter().any(|rule| rule.from.first() == Some(cell)) => {
                String::new()
            }
            Part::Cell(cell, ops) => {
                let plain = said.ids.entry(cell.clone()).or_insert_with(|| id(seed)).clone();
                match ops.first().map(|op| op.read(wayleave::mapping::op::value::Value::owned(plain.clone())))
                {
                    Some(read) => read.unwrap_or_else(|_| panic!("an id can be read")).plain().into_owned(),
                    None => plain,
                }
            }
        })
        .collect();
    let source_time = own_time(block, &draft, time);
    Made {
        kind: block.kind,
        subject: (block.kind != Kind::Setting).then(|| Private::new(subject.to_owned())),
        key: Private::new(key.join(&KEY_SEPARATOR.to_string())),
        draft,
        update: block.update,
        source_time,
        same: None,
    }
}

/// The source's own time: where it stands in a field's cell, a time of that day.
fn own_time(block: &Block, draft: &Draft, time: Instant) -> Option<Instant> {
    let (from, op) = block.source_time.as_ref()?;
    let mut rules = block.rules.iter().filter(|rule| !rule.is_check && rule.from.first() == Some(from));
    let Some(rule) = rules.next() else { return Some(time) };
    let noon = format!("{}T12:34:56", draft.find(rule.field.name).and_then(Draft::text)?);
    op.instant(wayleave::mapping::op::value::Value::owned(noon)).ok()
}

/// A record without the fields that others of it rule out: areas of another edition of the star.
fn without_what_excludes(block: &Block, draft: Draft, said: &mut Said) -> Draft {
    let faults = block.schema.faults(&draft, &Origin::default());
    let excluded: Vec<String> =
        faults.into_iter().filter(|(_, fault)| fault.code == Code::SchemaOther).map(|(at, _)| at).collect();
    let is_excluded = |name: &str| excluded.iter().any(|at| at == name);
    for rule in block.rules.iter().filter(|rule| is_excluded(rule.field.name)) {
        said.leaves.extend(rule.from.first().map(|from| (from.clone(), None)));
    }
    let kept = draft.fields().iter().filter(|(name, _)| !is_excluded(name));
    Draft::Fields(kept.cloned().collect())
}

/// False for blocks whose units say different things of themselves.
fn is_of_the_same_unit(block: &Block, driver: &Block) -> bool {
    let (mut own, mut others) = (Vec::new(), Vec::new());
    if let Some(when) = &block.when {
        when.constants(&mut own);
    }
    if let Some(when) = &driver.when {
        when.constants(&mut others);
    }
    own.iter().all(|(at, text)| others.iter().all(|(other, said)| at != other || text == said))
}

/// The records of one row: one that drives, and those that are joined to it.
fn records(mapping: &Mapping, seed: &mut Seed) -> Vec<Made> {
    let driving: Vec<&Arc<Block>> = mapping
        .blocks
        .iter()
        .filter(|block| block.drives && !block.one_way && !block.is_written_only)
        .collect();
    let driver = *any_of(&driving, seed);
    // By whichever block of the row the column of the subject is read.
    let is_number = driver.subject.iter().any(|part| {
        let rules = mapping.blocks.iter().flat_map(|block| &block.rules);
        let mut rules = rules.filter(|rule| rule.from.first().map(String::as_str) == address(part));
        rules.any(|rule| rule.steps.iter().any(|op| op.doc().name == "nhs-number"))
    });
    let subject = if is_number { "9990000018".to_owned() } else { id(seed) };
    let time = Instant::from_unix_ms(1_700_000_000_000 + seed.between(0, 40_000_000) * 1_000);
    let joined = mapping.blocks.iter().filter(|block| {
        !block.drives
            && !block.one_way
            && !block.is_written_only
            && block.sheet == driver.sheet
            && block.kind != driver.kind
            && is_of_the_same_unit(block, driver)
    });
    let blocks: Vec<&Arc<Block>> = std::iter::once(driver).chain(joined).collect();
    let mut said = Said::default();
    blocks.into_iter().map(|block| record(block, &subject, time, &mut said, seed)).collect()
}

/// Somewhere to write to that can be looked at afterwards.
#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn file_of(mapping: &Mapping, target: &Target, rows: &[Row]) -> Vec<u8> {
    let buffer = Buffer::default();
    let mut out = writer::Writer::new(Box::new(buffer.clone()), &mapping.layout()).unwrap();
    for row in rows {
        assert!(target.put(row, &mut out).unwrap().is_none());
    }
    out.finish().unwrap();

    buffer.0.lock().unwrap().clone()
}

fn read(mapping: &Mapping, bytes: &[u8]) -> Vec<Made> {
    let file = Origin::default();
    let source = Box::new(Cursor::new(bytes.to_vec()));
    let shown = || String::from_utf8_lossy(bytes).into_owned();
    let mut units = reader::open(source, &mapping.settings, &file, &MemorySpool)
        .unwrap_or_else(|_| panic!("what was written is refused: {}", shown()));
    let mut bound: BTreeMap<Option<Arc<str>>, Bound> = BTreeMap::new();
    for header in units.headers() {
        bound.insert(header.sheet.clone(), mapping.bind(Some(header), &file).unwrap());
    }
    if bound.is_empty() {
        bound.insert(None, mapping.bind(None, &file).unwrap());
    }
    let mut made = Vec::new();
    while let Some(arrival) = units.next().unwrap() {
        let reading = bound[&arrival.place.sheet].read(&arrival, &file);
        assert!(
            reading.outcome == Outcome::Records,
            "{:?} {:?}\n{}",
            reading.outcome,
            reading.findings,
            shown()
        );
        made.extend(reading.records);
    }
    made
}

/// A record, opened: kind, subject, key, fields, time.
type Shown = (&'static str, String, String, BTreeMap<String, serde_json::Value>, Option<Instant>);

fn shown(made: &Made, grant: &Grant<Cases>) -> Shown {
    let mut json = Vec::new();
    made.draft.write_opened(grant, &mut json);
    let subject = made.subject.as_ref().map(|subject| subject.open(grant).clone()).unwrap_or_default();
    let key = made.key.open(grant).replace(KEY_SEPARATOR, "|");
    (made.kind.as_str(), subject, key, serde_json::from_slice(&json).unwrap(), made.source_time)
}

fn sorted(records: &[Made], grant: &Grant<Cases>) -> Vec<Shown> {
    let mut all: Vec<Shown> = records.iter().map(|made| shown(made, grant)).collect();
    all.sort_by_key(|(kind, ..)| *kind);
    all
}

fn cells(rows: &[Row]) -> Vec<BTreeMap<String, String>> {
    let text = |out: &wayleave::mapping::write::Out| {
        wayleave::mapping::op::value::Value::of_cell(out.cell()).map(|value| value.plain().into_owned())
    };
    rows.iter()
        .map(|row| row.cells.iter().map(|(at, out)| (at.clone(), text(out).unwrap_or_default())).collect())
        .collect()
}

fn check(mapping: &Mapping, seed: u64) {
    let grant = Grant::<Cases>::begin("test");
    let target = mapping.target().expect("it can be written");
    let sent = records(mapping, &mut Seed::new(seed));
    let first = target.write(&sent, Keys::Own, &grant);
    assert!(first.findings.is_empty(), "{:?}", first.findings);
    assert_eq!(first.rows.len(), 1);
    let came = read(mapping, &file_of(mapping, &target, &first.rows));
    // The same record: all that was written, and beside it only what is worked out in reading.
    for (sent, came) in sorted(&sent, &grant).into_iter().zip(sorted(&came, &grant)) {
        assert_eq!((sent.0, &sent.1, sent.4), (came.0, &came.1, came.4));
        let of_kind = mapping.blocks.iter().filter(|block| block.kind.as_str() == sent.0 && !block.one_way);
        let read_only: Vec<&str> = of_kind
            .flat_map(|block| &block.rules)
            .filter(|rule| rule.one_way)
            .map(|rule| rule.field.name)
            .collect();
        let is_only_read = |name: &str| read_only.contains(&name);
        let written: BTreeMap<_, _> = came.3.into_iter().filter(|(name, _)| !is_only_read(name)).collect();
        assert_eq!(sent.3, written);
    }
    assert_eq!(sent.len(), came.len());
    // Once more: now the whole record, its key too, and the cells.
    let second = target.write(&came, Keys::Own, &grant);
    let is_said = |name: &str| name.contains("has no place");
    assert!(second.findings.iter().all(|finding| !is_said(&finding.expected)), "{:?}", second.findings);
    assert_eq!(cells(&first.rows), cells(&second.rows));
    let again = read(mapping, &file_of(mapping, &target, &second.rows));
    assert_eq!(sorted(&came, &grant), sorted(&again, &grant));
    let _receipt = grant.close();
}

/// A mapping without the rules of a data set: they hold of what is submitted, not of every record that
/// there can be, and each has a test of its own.
fn mapping(name: &str) -> Mapping {
    let shipped = Library::shipped().mapping(name).unwrap_or_else(|error| panic!("{error}"));
    Mapping { rules: None, ..shipped }
}

fn hold(name: &str) {
    let mapping = mapping(name);
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let held = runner.run(&any::<u64>(), |seed| {
        check(&mapping, seed);
        Ok(())
    });
    held.unwrap_or_else(|fault| panic!("{name}: {fault}"));
}

macro_rules! held {
    ($($test:ident, $name:literal;)*) => {
        /// Every mapping that is held to the laws, a test each.
        const HELD: &[&str] = &[$($name,)*];

        $(#[test]
        fn $test() {
            hold($name);
        })*
    };
}

held! {
    council_cld, "council/cld";
    council_cld_release_1, "council/cld-release-1";
    council_costs, "council/costs";
    council_las_open_work, "council/las-open-work";
    council_las_pathways, "council/las-pathways";
    council_las_pathways_xml, "council/las-pathways-xml";
    council_mosaic_persons, "council/mosaic-persons";
    housing_core_2023, "housing/core-2023";
    housing_core_2024, "housing/core-2024";
    housing_core_2025, "housing/core-2025";
    housing_core_2026, "housing/core-2026";
    housing_core_export, "housing/core-export";
    housing_events, "housing/events";
    housing_sheet_accommodation, "housing/sheet-accommodation";
    housing_sheet_clients, "housing/sheet-clients";
    housing_sheet_consents, "housing/sheet-consents";
    housing_sheet_goals, "housing/sheet-goals";
    housing_sheet_milestones, "housing/sheet-milestones";
    housing_sheet_settings, "housing/sheet-settings";
    housing_sheet_stars, "housing/sheet-stars";
    housing_tenures, "housing/tenures";
    housing_tracker, "housing/tracker";
    trust_adt, "trust/adt";
    trust_contacts, "trust/contacts";
    trust_fhir, "trust/fhir";
    trust_stays, "trust/stays";
    trust_mhs001_mpi, "trust/mhs001-mpi";
    trust_mhs002_gp, "trust/mhs002-gp";
    trust_mhs003_accommodation, "trust/mhs003-accommodation";
    trust_mhs004_employment, "trust/mhs004-employment";
    trust_mhs006_care_coordinator, "trust/mhs006-care-coordinator";
    trust_mhs008_care_plan, "trust/mhs008-care-plan";
    trust_mhs009_care_plan_agreement, "trust/mhs009-care-plan-agreement";
    trust_mhs011_circumstances, "trust/mhs011-circumstances";
    trust_mhs101_referral, "trust/mhs101-referral";
    trust_mhs106_discharge_plan_agreement, "trust/mhs106-discharge-plan-agreement";
    trust_mhs201_care_contact, "trust/mhs201-care-contact";
    trust_mhs202_care_activity, "trust/mhs202-care-activity";
    trust_mhs501_hospital_spell, "trust/mhs501-hospital-spell";
    trust_mhs502_ward_stay, "trust/mhs502-ward-stay";
    trust_mhs518_ready_for_discharge, "trust/mhs518-ready-for-discharge";
    trust_mhs604_primary_diagnosis, "trust/mhs604-primary-diagnosis";
    trust_mhs606_assessment_of_referral, "trust/mhs606-assessment-of-referral";
    trust_mhs607_assessment_of_activity, "trust/mhs607-assessment-of-activity";
    trust_mhs701_cpa_episode, "trust/mhs701-cpa-episode";
    trust_mhs702_cpa_review, "trust/mhs702-cpa-review";
    trust_mhs902_team, "trust/mhs902-team";
    trust_opt_out, "trust/opt-out";
}

#[test]
fn every_mapping_is_held_to_the_laws_or_says_that_it_is_only_read() {
    for name in Library::shipped().names() {
        assert!(HELD.contains(&name) != mapping(name).one_way, "{name}");
    }
}
