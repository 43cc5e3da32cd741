//! `wayleave mapping drift`: every sort of change carries an edit that can be pasted, or says why none
//! is needed; what is pasted compiles, and does what it is for.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use wayleave::mapping::library::Library;

const HEADER: &str = "LAS ID;NHS Number;Surname;Forename;Date of Birth;Service Description;Weekly Cost (GBP);Start Date;End Date;Provider";
const ROW: [&str; 10] =
    ["", "", "Quillfeather", "Ada", "04/07/1961", "Residential care", "320.65", "14/02/2012", "", "Home A"];

/// A cost report of so many rows, with columns changed by their names.
fn report(rows: usize, header: &str, changed: &[(&str, &str)]) -> String {
    let columns: Vec<&str> = HEADER.split(';').collect();
    let mut text = format!("{header}\r\n");
    for at in 0..rows {
        let mut cells: Vec<String> = ROW.iter().map(ToString::to_string).collect();
        cells[0] = format!("LL{at:07}");
        for (column, cell) in changed {
            let place = columns.iter().position(|known| known == column).unwrap();
            cells[place] = (*cell).to_owned();
        }
        let lacks = columns.iter().enumerate().filter(|(_, name)| !header.split(';').any(|of| of == **name));
        let is_renamed = header.split(';').count() == columns.len();
        let lacks: Vec<usize> = if is_renamed { Vec::new() } else { lacks.map(|(at, _)| at).collect() };
        let kept =
            cells.iter().enumerate().filter(|(at, _)| !lacks.contains(at)).map(|(_, cell)| cell.as_str());
        let mut kept: Vec<&str> = kept.collect();
        kept.resize(header.split(';').count(), "x");
        text.push_str(&(kept.join(";") + "\r\n"));
    }
    text
}

/// A folder with a site's own copy of the mapping and its code list.
struct Site {
    folder: tempfile::TempDir,
}

const MAPPING: &str = "mappings/council/costs.toml";
const CODES: &str = "mappings/codes/costs/service.csv";

impl Site {
    fn new(edit: impl Fn(&str) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::shipped();
        let mapping = edit(library.text("council/costs").unwrap());
        let codes = include_str!("../../mappings/codes/costs/service.csv");
        for (path, text) in [(MAPPING, mapping.as_str()), (CODES, codes)] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self { folder }
    }

    fn wayleave(&self, words: &[&str]) -> (i32, String, String) {
        let mut command = Command::cargo_bin("wayleave").unwrap();
        let output = command.current_dir(self.folder.path()).args(words).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// The change of this sort and column between the two files.
    fn change(&self, what: &str, column: Option<&str>) -> Option<Value> {
        let words = ["mapping", "drift", "old.csv", "new.csv", "--mapping", MAPPING, "--json"];
        let (code, out, err) = self.wayleave(&words);
        assert!(code < 2, "{err}");
        assert!(!out.contains("Quillfeather") && !out.contains("LL000"), "{out}");
        let told: Value = serde_json::from_str(&out).unwrap();
        let changes = told["changes"].as_array().unwrap().clone();
        changes.into_iter().find(|change| change["what"] == what && change["column"].as_str() == column)
    }

    fn files(&self, old: &str, new: &str) {
        std::fs::write(self.folder.path().join("old.csv"), old).unwrap();
        std::fs::write(self.folder.path().join("new.csv"), new).unwrap();
    }

    fn paste(&self, change: &Value) {
        paste(self.folder.path(), change);
    }

    /// How many rows of the new file are accepted.
    fn accepted(&self) -> u64 {
        let words = ["convert", "--json", "--mapping", MAPPING, "new.csv", "out.ndjson"];
        let (code, _, err) = self.wayleave(&words);
        if code == 2 {
            return 0;
        }
        let told: Value = serde_json::from_str(err.trim()).unwrap_or_else(|error| panic!("{error}: {err}"));
        told["accepted"].as_u64().unwrap()
    }
}

/// Takes lines out and puts others in, as a person with an editor would.
fn paste(folder: &Path, change: &Value) {
    let hunks = change["paste"].as_array().unwrap();
    let mut files: Vec<&str> = hunks.iter().map(|hunk| hunk["file"].as_str().unwrap()).collect();
    files.dedup();
    let lines_of = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
    };
    for file in files {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for hunk in hunks.iter().filter(|hunk| hunk["file"] == file).rev() {
            let at = usize::try_from(hunk["line"].as_u64().unwrap()).unwrap() - 1;
            let out = lines_of(&hunk["out"]);
            assert_eq!(lines[at..at + out.len()], out, "{file}:{}", at + 1);
            lines.splice(at..at + out.len(), lines_of(&hunk["in"]));
        }
        std::fs::write(folder.join(file), lines.join("\n") + "\n").unwrap();
    }
}

/// What has changed, and what is expected of the edit.
struct Case {
    what: &'static str,
    column: Option<&'static str>,
    header: String,
    cells: &'static [(&'static str, &'static str)],
    rows: usize,
    /// Rows that are accepted before the edit and after it.
    accepted: (u64, u64),
}

fn case(what: &'static str, column: &'static str, cells: &'static [(&'static str, &'static str)]) -> Case {
    Case { what, column: Some(column), header: HEADER.to_owned(), cells, rows: 40, accepted: (0, 40) }
}

fn same(text: &str) -> String {
    text.to_owned()
}

/// Pastes the edit: then the change is no longer one that the mapping does not stand, nothing is left
/// to paste, and the file is read.
fn mended(site: &Site, case: &Case) {
    let label = format!("{} {:?}", case.what, case.column);
    site.files(&report(40, HEADER, &[]), &report(case.rows, &case.header, case.cells));
    let change = site.change(case.what, case.column).unwrap_or_else(|| panic!("{label} is told"));
    assert!(change["paste"].is_array(), "{label}: {change}");
    assert_eq!(site.accepted(), case.accepted.0, "{label}");
    site.paste(&change);
    if let Some(left) = site.change(case.what, case.column) {
        assert!(left.get("paste").is_none(), "{label}: {left}");
        // An emptied column, and a word that nobody has decided on, are still for somebody to look at.
        let is_open = case.what == "fill" || left["edit"].as_str().unwrap().contains("decide what it means");
        assert!(left["breaks"] == false || is_open, "{label}: {left}");
    }
    assert_eq!(site.accepted(), case.accepted.1, "{label}");
}

#[test]
fn what_is_pasted_compiles_and_ends_what_it_is_for() {
    let renamed = |from: &str, to: &str| HEADER.replace(from, to);
    let gone = HEADER.replace(";Provider", "");
    let new = format!("{HEADER};Notes");
    for case in [
        Case {
            header: renamed("Weekly Cost (GBP)", "Weekly Cost GBP"),
            ..case("column-gone", "Weekly Cost (GBP)", &[])
        },
        Case { header: renamed("LAS ID", "LAS_ID"), ..case("column-gone", "LAS ID", &[]) },
        Case { header: gone, ..case("column-gone", "Provider", &[]) },
        Case { header: new, accepted: (40, 40), ..case("column-new", "Notes", &[]) },
        case("type", "Start Date", &[("Start Date", "2012-02-14")]),
        case("type", "Start Date", &[("Start Date", "14-Feb-2012")]),
        case("fill", "Start Date", &[("Start Date", "")]),
        case("code-new", "Service Description", &[("Service Description", "Res. care")]),
        case("code-new", "Service Description", &[("Service Description", "Residential Care")]),
    ] {
        mended(&Site::new(same), &case);
    }
    // A field that says nothing of days, and words in place of a code list.
    let in_place = |text: &str| {
        let list = "codes = \"costs/service\"";
        let words = "as = { words = { \"Residential care\" = \"long-term-residential-care\", \"Care and support at home\" = \"home-support-or-domiciliary-care\" } }";
        assert!(text.contains(list));
        text.replace(list, words)
    };
    let word = case("code-new", "Service Description", &[("Service Description", "Res. care")]);
    mended(&Site::new(in_place), &word);
    // Nobody knows what it means: the rows wait instead of going back, and none is lost.
    let strict = |text: &str| text.replace("other = \"quarantine\"", "other = \"reject\"");
    let unknown = case("code-new", "Service Description", &[("Service Description", "Zzz")]);
    let site = Site::new(strict);
    mended(&site, &Case { accepted: (0, 0), ..unknown });
    let text = std::fs::read_to_string(site.folder.path().join(MAPPING)).unwrap();
    assert!(text.contains("other = \"quarantine\""), "{text}");
}

/// A change that needs no edit, or that no edit can mend, says so.
#[test]
fn where_no_edit_is_needed_the_reason_is_given() {
    let without_key = HEADER.replace("LAS ID;", "");
    for (case, said, breaks) in [
        // The mapping takes any text.
        (case("type", "Provider", &[("Provider", "12")]), "the mapping reads these too", false),
        (
            case("type", "Weekly Cost (GBP)", &[("Weekly Cost (GBP)", "see the letter")]),
            "no edit makes",
            true,
        ),
        (case("fill", "Provider", &[("Provider", "")]), "a blank is nothing known", true),
        (case("fill", "End Date", &[("End Date", "14/02/2013")]), "nothing", false),
        (
            case("code-new", "Service Description", &[("Service Description", "Care and support at home")]),
            "the code list has it",
            false,
        ),
        (
            case("code-gone", "Service Description", &[("Service Description", "Care and support at home")]),
            "does no harm",
            false,
        ),
        (
            case("code-new", "Service Description", &[("Service Description", "Zzz")]),
            "decide what it means",
            true,
        ),
        (Case { header: without_key, ..case("column-gone", "LAS ID", &[]) }, "no edit can do without", true),
        (Case { column: None, rows: 100, ..case("size", "", &[]) }, "as many as there are", false),
    ] {
        let label = format!("{} {:?}", case.what, case.column);
        let site = Site::new(same);
        site.files(&report(40, HEADER, &[]), &report(case.rows, &case.header, case.cells));
        let change = site.change(case.what, case.column).unwrap_or_else(|| panic!("{label} is told"));
        assert!(change.get("paste").is_none(), "{label}: {change}");
        assert!(change["edit"].as_str().unwrap().contains(said), "{label}: {change}");
        assert_eq!(change["breaks"], breaks, "{label}: {change}");
    }
}

#[test]
fn an_edit_is_shown_as_lines_to_take_out_and_put_in() {
    let site = Site::new(same);
    site.files(&report(40, HEADER, &[]), &report(40, HEADER, &[("Start Date", "2012-02-14")]));
    let words = ["mapping", "drift", "old.csv", "new.csv", "--mapping", MAPPING];
    let (code, out, _) = site.wayleave(&words);
    assert_eq!(code, 1);
    insta::assert_snapshot!(out);
}
