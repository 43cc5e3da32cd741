//! The guides and the README tell the truth about the command line.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const PAGES: [&str; 9] = [
    "README.md",
    "src/README.md",
    "src/cli/guide/council.md",
    "src/cli/guide/housing.md",
    "src/cli/guide/trust.md",
    "src/cli/guide/evaluator.md",
    "src/cli/guide/governance.md",
    "src/cli/guide/partners.md",
    "src/cli/guide/trust-files.md",
];

/// Verbs that have verbs of their own.
const FAMILIES: [&str; 11] = [
    "agreement",
    "exchange",
    "mapping",
    "run",
    "quarantine",
    "consent",
    "study",
    "extract",
    "person",
    "tracker",
    "post",
];

/// Every `wayleave verb [verb] [--option]…` that a page names.
fn commands(page: &str) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    for (at, _) in page.match_indices("wayleave ") {
        let before = page.get(..at).and_then(|text| text.chars().next_back());
        if !matches!(before, Some('`' | ' ')) {
            continue;
        }
        let line = page.get(at..).and_then(|rest| rest.split(['\n', '`']).next()).unwrap_or_default();
        let mut words = line.split_whitespace().skip(1);
        let Some(verb) = words.next().filter(|verb| verb.chars().all(|c| c.is_ascii_lowercase())) else {
            continue;
        };
        let mut command = vec![verb.to_owned()];
        if FAMILIES.contains(&verb) {
            command.extend(words.next().map(|word| word.trim_end_matches(['.', ',', ';', ')']).to_owned()));
        }
        command.extend(words.filter(|word| word.starts_with("--")).map(str::to_owned));
        found.insert(command);
    }
    found
}

#[test]
fn every_command_that_a_page_names_is_there_with_its_options() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for page in PAGES {
        let text = fs::read_to_string(root.join(page)).unwrap();
        for command in commands(&text) {
            let (options, verbs): (Vec<&String>, Vec<&String>) =
                command.iter().partition(|word| word.starts_with("--"));
            let help =
                Command::new(env!("CARGO_BIN_EXE_wayleave")).args(&verbs).arg("--help").output().unwrap();
            assert!(help.status.success(), "{page}: no command `{}`", command.join(" "));
            let help = String::from_utf8(help.stdout).unwrap();
            for option in options {
                assert!(help.contains(option.as_str()), "{page}: `{}` has no {option}", command.join(" "));
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} commands found: is the search still right?");
}

#[test]
fn a_guide_is_printed_as_it_stands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for reader in ["council", "housing", "trust", "evaluator", "governance"] {
        let printed = Command::new(env!("CARGO_BIN_EXE_wayleave")).args(["guide", reader]).output().unwrap();
        assert!(printed.status.success());
        let text = fs::read_to_string(root.join(format!("src/cli/guide/{reader}.md"))).unwrap();
        assert_eq!(String::from_utf8(printed.stdout).unwrap(), text);
    }
}

/// Two printed pages: what a busy person reads to the end.
#[test]
fn a_guide_is_two_pages_from_day_one_to_the_first_incident() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for reader in ["council", "housing", "trust", "evaluator", "governance"] {
        let text = fs::read_to_string(root.join(format!("src/cli/guide/{reader}.md"))).unwrap();
        let lines: usize = text.lines().map(|line| line.chars().count().div_ceil(110).max(1)).sum();
        assert!((70..=132).contains(&lines), "{reader}: {lines} lines of print");
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
        for part in ["day one", "week one", "first incident"] {
            assert!(
                headings.iter().any(|heading| heading.to_lowercase().contains(part)),
                "{reader}: no {part} among {headings:?}"
            );
        }
    }
}

/// A folder's name may hold a blank, and what `init` says to run next is typed as it stands.
#[cfg(unix)]
#[test]
fn what_init_says_to_run_next_can_be_pasted() {
    let folder = crate::support::folder();
    let program = env!("CARGO_BIN_EXE_wayleave");
    let site = folder.path().join("our site");
    let said = Command::new(program).arg("init").arg(&site).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let (_, next) = said.split_once("run `wayleave ").unwrap();
    let next = next.split('`').next().unwrap();
    let pasted = Command::new("sh").arg("-c").arg(format!("'{program}' {next}")).output().unwrap();
    let told = String::from_utf8(pasted.stdout).unwrap();
    // All is well but that nobody sends anything yet.
    assert_eq!(told.matches("TO DO").count(), 1, "{told}");
    assert!(told.contains("TO DO  sources"), "{told}");
}
