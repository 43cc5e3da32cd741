//! The decision what may go to a partner, held to its laws; and agreement files that are wrong.

use proptest::prelude::*;
use wayleave::base::day::Day;
use wayleave::base::private::Private;
use wayleave::exchange::agreement::Agreement;
use wayleave::exchange::decide::{Record, Refusal, Standing, decide};
use wayleave::exchange::objection::Objection;
use wayleave::exchange::restricted::is_withheld;
use wayleave::record::draft::Draft;
use wayleave::record::kind::Kind;
use wayleave::record::schema::{self, Field, Privacy};

use crate::partners::{KINDS, agreement};

/// A record with every field of its kind.
fn full(kind: Kind) -> Draft {
    let mut draft = Draft::empty();
    for field in &schema::of(kind).fields {
        let text = "2025-03-03".to_owned();
        let leaf =
            if field.privacy.is_sealed() { Draft::Private(Private::new(text)) } else { Draft::Text(text) };
        draft.set(field.name, leaf);
    }
    draft
}

fn listable(kind: Kind) -> Vec<&'static Field> {
    schema::of(kind).fields.iter().filter(|field| field.privacy != Privacy::FreeText).collect()
}

fn day(offset: i16) -> Day {
    Day::new(2025 + offset / 12, i8::try_from(offset % 12 + 1).unwrap(), 1).unwrap()
}

proptest! {
    /// Never a field that the agreement does not list, never before its start or after its end, never
    /// what is withheld of a restricted person, nothing of whoever objected or is in doubt.
    #[test]
    fn nothing_goes_but_what_is_listed_in_time_of_who_may_be_told(
        kind in 0..Kind::ALL.len(),
        listed in proptest::collection::vec(any::<prop::sample::Index>(), 1..8),
        of_person in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        (starts, length, at) in (0_i16..24, 0_i16..24, 0_i16..60),
        (is_known, is_in_doubt, is_restricted, objects) in any::<(bool, bool, bool, bool)>(),
        is_of_listed_source in any::<bool>(),
    ) {
        let kind = Kind::ALL[kind];
        prop_assume!(!matches!(kind, Kind::Consent | Kind::Setting | Kind::Person));
        let names = |kind: Kind, chosen: &[prop::sample::Index]| {
            let all = listable(kind);
            let mut names: Vec<&str> = chosen.iter().map(|index| index.get(&all).name).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let fields = names(kind, &listed);
        let mut person = names(Kind::Person, &of_person);
        if !person.contains(&"council_id") {
            person.push("council_id");
        }
        let (first, last) = (day(starts), day(starts + length));
        let kinds = format!(
            "[[kind]]\nkind = \"person\"\nfields = {person:?}\n[[kind]]\nkind = \"{kind}\"\nfields = {fields:?}"
        );
        let text = agreement("a", "council", &last.to_string(), &kinds).replace("2020-01-01", &first.to_string());
        let read = Agreement::parse(&text, "a.toml").unwrap_or_else(|faults| panic!("{faults}"));
        let objections = if objects {
            vec![Objection { agreement: "a".to_owned(), is_lifted: false, decided_on: day(0) }]
        } else {
            Vec::new()
        };
        let standing = Standing { is_known, is_in_doubt, is_restricted, objections };
        let source = if is_of_listed_source { "housing" } else { "trust" };
        let (draft, about) = (full(kind), full(Kind::Person));
        let record = Record { kind, source, source_time: None, draft: &draft };
        let people = [Record { kind: Kind::Person, source: "housing", source_time: None, draft: &about }];
        let decided = decide(Some(&read), &standing, &record, &people, [fields[0]], day(at));
        let may = is_known && !is_in_doubt && !objects && is_of_listed_source
            && (first..=last).contains(&day(at));
        match decided {
            Err(refusal) => {
                let all_withheld = is_restricted && fields.iter().all(|name| is_withheld(name));
                prop_assert!(!may || (all_withheld && refusal == Refusal::NothingListed), "{refusal:?}");
            }
            Ok(cleared) => {
                prop_assert!(may);
                for (of, field) in cleared.fields() {
                    let list = if of == Kind::Person { &person } else { &fields };
                    prop_assert!(of == kind || of == Kind::Person);
                    prop_assert!(list.contains(&field), "{of}.{field}");
                    prop_assert!(!(is_restricted && is_withheld(field)), "{of}.{field}");
                }
            }
        }
    }
}

#[test]
fn without_an_agreement_nothing_goes() {
    let draft = full(Kind::Star);
    let record = Record { kind: Kind::Star, source: "housing", source_time: None, draft: &draft };
    let refused = decide(None, &Standing::default(), &record, &[], [], day(0)).err();
    assert_eq!(refused, Some(Refusal::NoAgreement));
}

#[test]
fn an_agreement_that_is_wrong_says_where_and_what_to_do() {
    let right = agreement("tenancies", "council", "2099-12-31", KINDS);
    assert!(Agreement::parse(&right, "a.toml").is_ok());
    let wrong = [
        right.replace("version = 3", "verison = 3"),
        right.replace("\"landlord\"", "\"landlady\"").replace("\"tracker_ref\"", "\"sex\""),
        right.replace("2099-12-31", "2019-12-31").replace("[\"housing\"]", "[\"housing\", \"council\"]"),
        right.replace("\"accommodation\"", "\"acommodation\"").replace("2020-01-01", "2020-02-31"),
        right.replace("kind = \"accommodation\"", "kind = \"goal\"").replace("\"type\", ", "\"wording\", "),
        right.split("[[signatory]]").next().unwrap().to_owned(),
    ];
    let told: Vec<String> = wrong
        .iter()
        .map(|text| {
            Agreement::parse(text, "a.toml").err().map_or_else(String::new, |faults| format!("{faults}"))
        })
        .collect();
    insta::assert_snapshot!(told.join("\n\n----\n\n"));
}

/// A file that is wrong where it says who signed, or anywhere before that can be told: nobody is named.
#[test]
fn the_faults_of_an_agreement_name_nobody_who_signed() {
    let right = agreement("tenancies", "council", "2099-12-31", KINDS);
    let wrong = [
        ("a quote is missing", "\"Signatory Canary\"", "\"Signatory Canary"),
        ("no quotes", "\"Signatory Canary\"", "Signatory Canary"),
        ("a list", "\"Signatory Canary\"", "[\"Signatory Canary\"]"),
        ("a key of their name", "name = \"Signatory Canary\"", "\"Signatory Canary\" = 1"),
        ("a word too many", "office = \"Director of Housing\"", "office = \"Director\" \"Other Canary\""),
        ("the section is misspelt", "[[signatory]]\nname = \"Other", "[[signatry]]\nname = Other"),
        ("the section is missing", "[[signatory]]\nname = \"Sig", "name = \"Sig"),
        ("a table where a list belongs", "[[signatory]]\nname = \"Sig", "[signatory]\nname = \"Sig"),
        ("one line for two keys", "version = 3", "version = 3 name = \"Canary\""),
        ("names alone", "version = 3", "version = 3\nsignatory = [\"Signatory Canary\"]"),
        ("an office is missing", "office = \"Director of Housing\"", ""),
        ("a name is blank", "\"Other Canary\"", "\" \""),
        ("a line that names nobody", "starts = \"2020-01-01\"", "starts = 2020-01-01"),
    ];
    let told: Vec<String> = wrong
        .iter()
        .map(|(what, from, to)| {
            assert!(right.contains(from), "{what}");
            let faults = Agreement::parse(&right.replacen(from, to, 1), "a.toml").err();
            format!("--- {what}\n{}", faults.unwrap_or_else(|| panic!("{what} is taken")))
        })
        .collect();
    let told = told.join("\n\n");
    assert!(!told.contains("Canary"), "{told}");
    insta::assert_snapshot!(told);
}
