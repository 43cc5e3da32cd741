//! Every shipped mapping: it compiles, its cases hold, and the list of what ships is the folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wayleave::base::private::{Cases, Grant};
use wayleave::mapping::library::Library;
use wayleave::mapping::shipped;

fn files_under(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_under(&path, out);
        } else {
            out.push(path);
        }
    }
}

#[test]
fn what_ships_is_the_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    let mut files = Vec::new();
    files_under(&root, &mut files);
    let there: BTreeSet<String> = files
        .iter()
        .map(|file| file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/"))
        .collect();
    let shipped: BTreeSet<String> = shipped::FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(shipped, there, "src/mapping/shipped.rs has to list every file under mappings/");
}

#[test]
fn every_shipped_mapping_compiles() {
    let library = Library::shipped();
    for name in library.names() {
        if let Err(error) = library.mapping(name) {
            panic!("{error}");
        }
    }
}

/// A crosswalk says where it comes from, and where its way back is lost. What is lost without a
/// word is lost for good.
#[test]
fn every_code_list_says_where_it_comes_from_and_what_it_loses() {
    let mut faults = Vec::new();
    for (path, text) in shipped::FILES.iter().filter(|(path, _)| path.starts_with("codes/")) {
        let name = path.trim_start_matches("codes/").trim_end_matches(".csv");
        let source = wayleave::mapping::diagnostic::Source::new(path, text);
        let list = wayleave::mapping::code_list::CodeList::parse(name, &source)
            .unwrap_or_else(|error| panic!("{error}"));
        let is_date = |date: &str| {
            let parts: Vec<&str> = date.split('-').collect();
            let digits =
                |part: &&str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
            (1..=3).contains(&parts.len())
                && digits(&parts[0], 4)
                && parts[1..].iter().all(|part| digits(part, 2))
        };
        if list.source.is_empty() || list.version.is_empty() || !is_date(&list.date) {
            faults.push(format!(
                "{path}: expected `source`, `version` and a `date` as YYYY-MM-DD, YYYY-MM or YYYY"
            ));
        }
        // A word is whole: one as long as a word may be is what its note says, letter for letter.
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let cells: Vec<&str> = line.splitn(4, ',').collect();
            if let [_, word, _, note] = cells[..]
                && word.len() == 64
            {
                let whole: Vec<String> = note
                    .to_lowercase()
                    .split(|letter: char| !letter.is_ascii_alphanumeric())
                    .filter(|part| !part.is_empty())
                    .map(str::to_owned)
                    .collect();
                if whole.join("-") != word {
                    faults.push(format!("{path}: `{word}` was cut short"));
                }
            }
        }
        let lossy: Vec<&str> = list.lost().collect();
        let is_marked =
            text.lines().any(|line| line.starts_with("# lossy") || line.starts_with("# read only"));
        if !lossy.is_empty() && !is_marked {
            faults.push(format!(
                "{path}: no way back from {lossy:?}, and no line `# lossy: ..` or `# read only: ..` says so"
            ));
        }
        // Both directions: what is written is read as the same word again.
        for canonical in list.canonical().filter(|word| !lossy.contains(word) && !list.is_widened(word)) {
            let value = |text: &str| wayleave::mapping::op::value::Value::owned(text.to_owned());
            let back = list.write(value(canonical)).and_then(|word| list.read(word));
            if !back.is_ok_and(|word| word.plain() == canonical) {
                faults.push(format!("{path}: `{canonical}` does not come back"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_case_holds() {
    let library = Library::shipped();
    let grant = Grant::<Cases>::begin("test");
    let mut differences = Vec::new();
    for name in library.names() {
        let mapping = library.mapping(name).unwrap_or_else(|error| panic!("{error}"));
        let cases = library.cases(name).unwrap_or_else(|error| panic!("{error}"));
        let cases = cases.unwrap_or_else(|| panic!("{name} has no cases"));
        for case in &cases.cases {
            for line in case.run(&mapping, &grant) {
                differences.push(format!("{}:{} {}: {line}", cases.source.name, case.line, case.name));
            }
        }
    }
    let _receipt = grant.close();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}
