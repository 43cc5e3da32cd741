//! The crosswalks: what each system calls one thing, from every list into every other. A pair that
//! loses something is marked, and said of every value that is written through it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use wayleave::mapping::code_list::CodeList;
use wayleave::mapping::diagnostic::Source;
use wayleave::mapping::library::Library;
use wayleave::mapping::op::value::Value;
use wayleave::mapping::shipped;

/// What the lists are of: the lists of each system, and the fields that they may fill.
const SUBJECTS: [(&str, &[&str], &[&str]); 8] = [
    (
        "accommodation",
        &[
            "cld/accommodation",
            "cld-1/accommodation",
            "tracker/accommodation",
            "mhsds/accommodation",
            "core/previous-tenure",
        ],
        &["person.accommodation_status", "accommodation.type", "accommodation.previous_type"],
    ),
    (
        "ethnicity",
        &[
            "cld/ethnicity",
            "tracker/ethnicity",
            "nhs/ethnic-category",
            "core/ethnicity",
            "core/ethnicity-2023",
        ],
        &["person.ethnicity"],
    ),
    ("gender", &["cld/gender", "mosaic/gender", "nhs/gender-identity", "core/gender"], &["person.gender"]),
    (
        "sex",
        &["tracker/sex", "nhs/person-stated-gender", "hl7/sex", "fhir/administrative-gender"],
        &["person.sex"],
    ),
    ("sex at birth", &["core/sex-at-birth"], &["person.sex_at_birth"]),
    (
        "employment",
        &["cld/employment", "cld-1/employment", "nhs/employment", "core/employment"],
        &["person.employment"],
    ),
    (
        "source of referral",
        &["nhs/referral-source", "core/referral-org"],
        &["contact.referral_source", "accommodation.referral_source", "episode.referral_source"],
    ),
    (
        "discharge destination",
        &["nhs/discharge-destination"],
        &["contact.discharge_destination", "contact.planned_destination"],
    ),
];

fn list(name: &str) -> CodeList {
    let path = format!("codes/{name}.csv");
    let (_, text) = shipped::FILES.iter().find(|(file, _)| *file == path).unwrap_or_else(|| panic!("{name}"));
    CodeList::parse(name, &Source::new(&path, text)).unwrap_or_else(|error| panic!("{error}"))
}

/// Each word of one system as another's: how many come through whole, and which do not.
#[test]
fn each_pair_of_lists_is_a_crosswalk_and_what_it_loses_is_told() {
    let mut told = String::new();
    for (subject, names, _) in SUBJECTS {
        let lists: Vec<CodeList> = names.iter().map(|name| list(name)).collect();
        // What is only read need be no way out, but each is a way in for some other.
        let is_way = |from: &CodeList, to: &CodeList| {
            from.name != to.name
                && from.canonical().any(|word| to.write(Value::owned(word.to_owned())).is_ok())
        };
        for from in lists.iter().filter(|_| lists.len() > 1) {
            assert!(lists.iter().any(|to| is_way(from, to)), "{subject}: {} leads nowhere", from.name);
            assert!(lists.iter().any(|to| is_way(to, from)), "{subject}: nothing leads to {}", from.name);
        }
        for (from, to) in lists.iter().flat_map(|from| lists.iter().map(move |to| (from, to))) {
            if from.name == to.name {
                continue;
            }
            let (mut whole, mut wider, mut none) = (0, Vec::new(), Vec::new());
            let words: BTreeSet<&str> =
                from.sources().into_iter().filter_map(|word| from.canonical_of(word)).collect();
            for word in words {
                match to.write(Value::owned(word.to_owned())) {
                    Ok(back) if to.is_widened(word) => {
                        let back = back.plain().into_owned();
                        // Marked, so that nobody takes it for the word that it is written as.
                        assert_ne!(to.canonical_of(&back), Some(word), "{} {word}", to.name);
                        wider.push(format!("{word} as {back}"));
                    }
                    Ok(back) => {
                        assert_eq!(to.canonical_of(&back.plain()), Some(word), "{}", to.name);
                        whole += 1;
                    }
                    Err(_refusal) => none.push(word.to_owned()),
                }
            }
            let _ = writeln!(told, "{subject}: {} -> {}: {whole} whole", from.name, to.name);
            for (what, words) in [("wider", wider), ("no word", none)] {
                if !words.is_empty() {
                    let _ = writeln!(told, "    {what}: {}", words.join(", "));
                }
            }
        }
    }
    insta::assert_snapshot!(told);
}

/// Sex, gender and sex at birth are three things: no list of one fills the field of another, and no
/// list of a subject stands at the field of another subject.
#[test]
fn the_lists_of_one_subject_fill_its_fields_alone() {
    let library = Library::shipped();
    let mut faults = Vec::new();
    let mut filled: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for name in library.names() {
        let mapping = library.mapping(name).unwrap_or_else(|error| panic!("{error}"));
        for block in &mapping.blocks {
            // What is only looked at fills nothing.
            for rule in block.rules.iter().filter(|rule| !rule.is_check) {
                let Some(codes) = &rule.codes else { continue };
                let field = format!("{}.{}", block.kind, rule.field.name);
                for (subject, lists, fields) in SUBJECTS {
                    let (is_its_list, is_its_field) =
                        (lists.contains(&codes.name.as_str()), fields.contains(&field.as_str()));
                    if is_its_list && is_its_field {
                        filled.entry(subject).or_default().insert(codes.name.clone());
                    }
                    if is_its_list && !is_its_field {
                        faults.push(format!("{name}: {} is of {subject}, and fills {field}", codes.name));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    for (subject, lists, _) in SUBJECTS {
        let unused: Vec<&&str> = lists.iter().filter(|list| !filled[subject].contains(**list)).collect();
        assert!(unused.is_empty(), "{subject}: no mapping reads {unused:?}");
    }
}

/// Fields whose words depend on the edition of a code list say which edition the record was read in.
#[test]
fn whatever_is_read_in_one_of_several_editions_says_which() {
    let library = Library::shipped();
    let mut faults = Vec::new();
    for name in library.names() {
        let mapping = library.mapping(name).unwrap();
        for block in mapping.blocks.iter().filter(|block| !block.is_written_only) {
            let Some(field) = block.schema.field("release") else { continue };
            // Lists that there are several editions of: a local report reads the words of either.
            let of_editions = |codes: &CodeList| {
                ["cld-1/", "core/", "mhsds/"].iter().any(|family| codes.name.starts_with(family))
                    || !codes.others.is_empty()
            };
            let is_of_edition =
                block.rules.iter().filter_map(|rule| rule.codes.as_ref()).any(|codes| of_editions(codes));
            let says = block.rules.iter().any(|rule| rule.field.name == field.name);
            if is_of_edition && !says {
                faults.push(format!("{name}: {} does not say its release", block.kind));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
