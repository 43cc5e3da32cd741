//! What reading a unit finds, code by code, and what a file with faults says of itself.

use wayleave::base::origin::Origin;
use wayleave::base::private::{Cases, Grant};
use wayleave::format::csv::Row;
use wayleave::format::xlsx::SheetRow;
use wayleave::format::{Arrival, Cell, Header, Place, Unit};
use wayleave::mapping::Mapping;
use wayleave::mapping::diagnostic::Source;
use wayleave::mapping::library::Library;
use wayleave::mapping::op::REFERENCE;
use wayleave::mapping::write::Keys;
use wayleave::record::draft::Draft;
use wayleave::record::kind::Kind;
use wayleave::record::schema;

const HEAD: &str = "name = \"t/x\"\nversion = 1\nformat = \"csv\"\n[subject]\nkey = [\"Id\"]\n";

fn library() -> Library {
    let mut library = Library::shipped();
    let list = "# source: here\n# version: 1\n# date: 2025\nsource,canonical,preferred,note\nA,male,,\nB,male,,\nC,female,,\n";
    library.add("codes/t/sex.csv", "codes/t/sex.csv", list);
    library
}

fn compile(text: &str) -> Result<Mapping, String> {
    library().compile(&Source::new("mappings/t/x.toml", text)).map_err(|error| error.to_string())
}

fn mapping(records: &str) -> Mapping {
    compile(&format!("{HEAD}{records}")).unwrap_or_else(|error| panic!("{error}"))
}

/// One row of cells under `Id` and `A`, `B`: the codes found and how many records came out.
fn check(records: &str, cells: [&str; 3], codes: &[&str], count: usize) {
    let mapping = mapping(records);
    let bound = mapping.bind(Some(&Header::of(["Id", "A", "B"])), &Origin::default()).unwrap();
    let row = Row::of(cells);
    let place = Place { line: 2, ..Place::default() };
    let reading = bound.read(&Arrival { place, unit: Ok(Unit::Row(&row)) }, &Origin::file("x.csv"));
    let found: Vec<&str> = reading.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!((found.as_slice(), reading.records.len()), (codes, count), "{records}");
    for finding in &reading.findings {
        assert_eq!(finding.origin.line, Some(2));
        for cell in cells.iter().filter(|cell| cell.len() > 2) {
            assert!(!finding.to_string().contains(cell), "{finding} quotes a cell");
        }
    }
}

fn person(field: &str) -> String {
    format!("[[record]]\nkind = \"person\"\n[[record.field]]\n{field}\n")
}

#[test]
fn a_blank_does_what_it_is_told() {
    check(&person("to = \"given_name\"\nfrom = \"A\"\nblank = \"reject\""), ["1", "", ""], &["map/blank"], 0);
    check(
        &person("to = \"given_name\"\nfrom = \"A\"\nblank = \"quarantine\""),
        ["1", "", ""],
        &["map/blank"],
        0,
    );
    check(&person("to = \"given_name\"\nfrom = \"A\""), ["1", "", ""], &[], 0);
    check(&person("to = \"given_name\"\nfrom = \"A\"\ndefault = \"Ada\""), ["1", "", ""], &[], 0);
}

#[test]
fn a_value_outside_a_list_does_what_it_is_told() {
    let list = "to = \"given_name\"\nfrom = \"A\"\nas = { words = { x = \"y\" } }\n";
    check(&person(list), ["1", "Canary", ""], &["map/unknown-code"], 0);
    check(&person(&format!("{list}other = \"quarantine\"")), ["1", "Canary", ""], &["map/unknown-code"], 0);
    let kept = "to = \"gp_practice_name\"\nfrom = \"A\"\ncodes = \"t/sex\"\nother = \"keep-as-text\"\none_way = true";
    check(&person(kept), ["1", "Canary", ""], &["map/code-kept"], 1);
}

#[test]
fn whom_and_which_has_to_be_said() {
    check(&person("to = \"given_name\"\nfrom = \"A\""), ["", "Canary", ""], &["map/subject-missing"], 0);
    let keyed =
        "[[record]]\nkind = \"person\"\nkey = [\"B\"]\n[[record.field]]\nto = \"given_name\"\nfrom = \"A\"\n";
    check(keyed, ["1", "Canary", ""], &["map/key-missing"], 0);
}

#[test]
fn a_record_keeps_to_its_schema() {
    check(&person("to = \"sex\"\nfrom = \"A\""), ["1", "Canary", ""], &["schema/enum"], 0);
    let star = "[[record]]\nkind = \"star\"\n[[record.field]]\nto = \"work\"\nfrom = \"A\"\n[[record.field]]\nto = \"completed_on\"\nfrom = \"B\"\n";
    check(star, ["1", "11", "2024-01-01"], &["schema/required", "schema/range"], 0);
    let patch = star.replace("kind", "update = \"patch\"\nkind");
    check(&patch, ["1", "10", ""], &[], 1);
}

#[test]
fn a_schema_says_how_a_record_breaks_it() {
    check(&person("to = \"postcode\"\nfrom = \"A\""), ["1", "Canary", ""], &["schema/pattern"], 0);
    // No mapping can make these; a record of another maker could.
    for (field, leaf, code) in [
        ("sex", Draft::Bool(true), "schema/type"),
        ("shoe_size", Draft::Text("Canary".to_owned()), "schema/invalid"),
    ] {
        let mut draft = Draft::empty();
        draft.set(field, leaf);
        let faults = schema::of(Kind::Person).faults(&draft, &Origin::default());
        assert_eq!(faults[0].1.code.as_str(), code);
        assert!(!faults[0].1.to_string().contains("Canary"));
    }
}

#[test]
fn a_cell_of_another_type_is_refused() {
    let mapping = mapping(&person("to = \"given_name\"\nfrom = \"A\""));
    let bound = mapping.bind(Some(&Header::of(["Id", "A"])), &Origin::default()).unwrap();
    for (cell, code) in [(Cell::Number(12.0), "map/number-for-text"), (Cell::Bool(true), "map/type")] {
        let row = SheetRow::of([Cell::Text("1"), cell]);
        let reading =
            bound.read(&Arrival { place: Place::default(), unit: Ok(Unit::Sheet(&row)) }, &Origin::default());
        assert_eq!(reading.findings[0].code.as_str(), code);
    }
}

#[test]
fn a_column_that_is_not_there_is_named_with_its_neighbour() {
    let mapping = mapping(&person("to = \"given_name\"\nfrom = \"First Name\""));
    let header = Header { line: 1, ..Header::of(["Id", "Firstname"]) };
    let findings = mapping.bind(Some(&header), &Origin::file("x.csv")).err().unwrap();
    let finding = &findings.kept()[0];
    insta::assert_snapshot!(
        format!("{finding}\n{}", finding.advice()),
        @r"
    x.csv, line 1, column `First Name`: expected the column `First Name`: there is no column `First Name` [map/column-missing]
    the nearest there is `Firstname`
    "
    );
}

#[test]
fn what_cannot_be_written_is_said() {
    let from = mapping(&person("to = \"sex\"\nfrom = \"A\""));
    let bound = from.bind(Some(&Header::of(["Id", "A"])), &Origin::default()).unwrap();
    let row = Row::of(["1", "male"]);
    let reading =
        bound.read(&Arrival { place: Place::default(), unit: Ok(Unit::Row(&row)) }, &Origin::default());
    let grant = Grant::<Cases>::begin("test");
    for (to, code) in [
        (person("to = \"sex\"\nfrom = \"A\"\ncodes = \"t/sex\""), "map/lossy-code"),
        (person("to = \"given_name\"\nfrom = \"A\""), "map/not-written"),
    ] {
        let written = mapping(&to).target().unwrap().write(&reading.records, Keys::Foreign, &grant);
        assert_eq!(written.findings[0].code.as_str(), code);
    }
    let _receipt = grant.close();
}

/// The faults of a mapping file, all at once, each at its place.
#[test]
fn faults_of_a_file_are_shown_at_their_place() {
    let shape =
        "nam = \"t/x\"\nversion = 0\nformat = \"cvs\"\n[[record]]\nkind = \"person\"\ndrives = \"yes\"\n";
    insta::assert_snapshot!("mapping_faults_of_shape", compile(shape).err().unwrap());
    let meaning = format!(
        "{HEAD}{}",
        "[[record]]\nkind = \"persn\"\n\n[[record]]\nkind = \"person\"\nwhen = { column = \"A\", in = [\"x\"] }\nfield = [\n\
         { to = \"nhs_numbr\", from = \"A\" },\n\
         { to = \"sex\", value = \"man\" },\n\
         { to = \"gender\", from = \"A\", codes = \"t/sx\" },\n\
         { to = \"given_name\", from = \"A\", as = \"uper\" },\n\
         { to = \"birth_date\", from = \"B\", as = \"text\" },\n\
         { to = \"family_name\", from = [\"A\", \"B\"], as = \"upper\" },\n\
         { to = \"death_date\", from = \"C\", as = { date = \"%d/%m/%y\" } },\n\
         { to = \"postcode_district\", from = \"D\", as = \"postcode-district\" },\n\
         { to = \"section_117\", from = \"E\", as = { words = { x = \"maybe\" } } },\n]\n"
    );
    insta::assert_snapshot!("mapping_faults_of_meaning", compile(&meaning).err().unwrap());
    insta::assert_snapshot!(compile("name = \n").err().unwrap(), @r"
    the mapping has faults
    mappings/t/x.toml:1:8: not TOML: string values must be quoted, expected literal string
      |
    1 | name = 
      |        ^
    ");
}

const SHEETS: &str = "name = \"t/x\"\nversion = 1\n[format.xlsx.columns]\nOne = [\"Id\", \"A\"]\nTwo = [\"Id\", \"A\", \"B\"]\n\
[subject]\nkey = [\"Id\"]\n[[record]]\nkind = \"milestone\"\ndrives = true\nkey = [\"Id\", { field = \"activity\" }]\nfield = [\n\
{ to = \"outcome\", from = \"A\" },\n{ to = \"barrier\", from = \"B\" },\n]\n[record.sheets]\n\
One = { activity = \"action-plan\" }\nTwo = { activity = \"utilities\" }\n";

/// A block for several sheets: each says which activity it is, and is written where it says so.
#[test]
fn several_sheets_are_read_and_written_by_one_block() {
    let mapping = compile(SHEETS).unwrap_or_else(|error| panic!("{error}"));
    let grant = Grant::<Cases>::begin("test");
    for (sheet, columns, cells, fields) in [
        ("One", vec!["Id", "A"], vec!["1", "done"], vec!["activity", "outcome"]),
        ("Two", vec!["Id", "A", "B"], vec!["1", "done", "debt"], vec!["activity", "barrier", "outcome"]),
    ] {
        let mut header = Header::of(columns);
        header.sheet = Some(sheet.into());
        let bound = mapping.bind(Some(&header), &Origin::default()).unwrap();
        let row = SheetRow::of(cells.iter().map(|text| Cell::Text(text)));
        let reading =
            bound.read(&Arrival { place: Place::default(), unit: Ok(Unit::Sheet(&row)) }, &Origin::default());
        let [made] = reading.records.as_slice() else { panic!("{:?}", reading.findings) };
        let mut set: Vec<&str> = made.draft.fields().iter().map(|(name, _)| *name).collect();
        set.sort_unstable();
        assert_eq!(set, fields);
        let written = mapping.target().unwrap().write(&reading.records, Keys::Own, &grant);
        let [row] = written.rows.as_slice() else { panic!("{:?}", written.findings) };
        assert_eq!(row.sheet.as_deref(), Some(sheet));
        assert_eq!(row.cells.len(), cells.len());
    }
    let _receipt = grant.close();
}

#[test]
fn faults_of_several_sheets_are_shown_at_their_place() {
    let faulty = SHEETS
        .replace("kind = \"milestone\"", "kind = \"milestone\"\nsheet = \"One\"")
        .replace("One = { activity = \"action-plan\" }", "One = 3");
    insta::assert_snapshot!("mapping_faults_of_sheets", compile(&faulty).err().unwrap());
    let lost = SHEETS.replace("from = \"B\"", "from = \"C\"").replace("One = { activity", "One = { activty");
    insta::assert_snapshot!("mapping_faults_on_sheets", compile(&lost).err().unwrap());
    let none = SHEETS.split("One = { act").next().unwrap().to_owned();
    insta::assert_snapshot!("mapping_no_sheets", compile(&none).err().unwrap());
}

/// A record for each of the people in a unit who lead in it.
const EACH: &str = r#"
name = "t/x"
version = 1
format = "json"
[subject]
key = ["people[leads=true].id"]
[[record]]
kind = "person"
each = "people[leads=true]"
field = [
  { to = "given_name", from = "people[leads=true].name" },
  { to = "birth_date", from = "people[leads=true].born", as = "date" },
  { to = "title", from = "form" },
]
"#;

#[test]
fn each_item_of_a_unit_is_a_record() {
    let bound = compile(EACH).unwrap().bind(None, &Origin::default()).unwrap();
    let read = |unit: &serde_json::Value| {
        bound.read(&Arrival { place: Place::default(), unit: Ok(Unit::Tree(unit)) }, &Origin::default())
    };
    let person =
        |id: usize, leads: bool| serde_json::json!({"id": format!("P{id}"), "leads": leads, "name": "Ada"});
    let several = [person(1, true), person(2, false), person(3, true)];
    let mut unit = serde_json::json!({"form": "Mx", "people": several});
    let reading = read(&unit);
    assert_eq!((reading.records.len(), reading.findings.len()), (2, 0), "{:?}", reading.findings);
    let shared =
        |made: &wayleave::mapping::Made| made.draft.find("title").and_then(Draft::text).map(str::to_owned);
    assert!(reading.records.iter().all(|made| shared(made).as_deref() == Some("Mx")));
    // What is wrong with one of them is said of that one, and sends the unit back.
    unit["people"][2]["born"] = "1961-02-31".into();
    let reading = read(&unit);
    assert_eq!(reading.records.len(), 0);
    let told: Vec<String> = reading.findings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @"line 0, at people[2].born: expected a day that exists, as `YYYY-MM-DD` [map/date]");
    // None is missing what it needs; too many are no list of a few.
    for (people, code) in
        [(vec![person(1, false)], "map/subject-missing"), (vec![person(1, true); 101], "map/shape")]
    {
        let reading = read(&serde_json::json!({"form": "Mx", "people": people}));
        assert_eq!((reading.records.len(), reading.findings[0].code.as_str()), (0, code));
    }
    assert_eq!(
        read(&serde_json::json!({"form": "Mx", "people": vec![person(1, true); 100]})).records.len(),
        100
    );
}

#[test]
fn an_each_that_cannot_be_is_shown_at_its_place() {
    let faulty = [
        EACH.replace("each = \"people[leads=true]\"", "each = \"people\""),
        EACH.replace("each = \"people[leads=true]\"", "each = \"[\""),
        EACH.replace("[[record]]", "[[record]]\nkey = [\"form\"]"),
        EACH.replace("\"json\"", "\"csv\""),
    ];
    let told: Vec<String> = faulty.iter().map(|text| compile(text).err().unwrap()).collect();
    insta::assert_snapshot!("mapping_faults_of_each", told.join("\n"));
}

/// The reference of operations, with every example as it is run by the tests beside them.
#[test]
fn the_reference_of_operations() {
    let mut text = String::new();
    for doc in REFERENCE {
        text.push_str(&format!("{}: {}\n", doc.name, doc.about));
        if !doc.argument.is_empty() {
            text.push_str(&format!("  argument: {}\n", doc.argument));
        }
        for example in doc.examples {
            let argument =
                if example.argument.is_empty() { String::new() } else { format!("{} ", example.argument) };
            let read = match example.read {
                Ok(read) => format!("{read:?}, written {:?}", example.written),
                Err(code) => code.as_str().to_owned(),
            };
            text.push_str(&format!("  {argument}{:?} -> {read}\n", example.cells));
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_field_says_where_it_comes_from() {
    let cld = Library::shipped().mapping("council/cld").unwrap();
    let lineage = cld.explain(Some(Kind::Service), "type");
    assert_eq!(lineage.len(), 1);
    assert_eq!(lineage[0].from, ["Service Type"]);
    let list = lineage[0].codes.as_ref().unwrap();
    assert_eq!((list.name.as_str(), list.version.as_str()), ("cld/service-type", "Release 2"));
    let events = cld.explain(Some(Kind::Event), "type");
    assert!(events.iter().all(|event| event.is_constant));
    let bound = cld.bind(Some(&cld.header(None)), &Origin::default()).unwrap();
    let row = Row::of(
        cld.header(None).columns.iter().map(|name| if &**name == "Event Type" { "Review" } else { "" }),
    );
    let arrival = Arrival { place: Place::default(), unit: Ok(Unit::Row(&row)) };
    let (explained, _) = cld.explain_unit(&bound, &arrival, &Origin::default(), Some(Kind::Event), "type");
    assert_eq!(explained.len(), 1);
}
