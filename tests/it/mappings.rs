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
