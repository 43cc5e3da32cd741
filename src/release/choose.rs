//! Which source is right: one record of a person out of what several sources say.
//!
//! Each attribute has a declared order. Birth date and sex: the NHS where the number was traced,
//! then the sources as the protocol orders them. Ethnic group: what the person said of themself,
//! most recently; then a finer group over a coarser. *Not known* never stands over a value. Every
//! source's value is kept in the store; the choice is explained, and a disagreement is a finding.

use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;
use crate::base::private::{Grant, Release};
use crate::record::draft::Draft;

/// What one source says of a person.
pub struct Said<'d> {
    /// The source.
    pub source: &'d str,
    /// How far down the protocol's order it stands.
    pub rank: usize,
    /// Its person record.
    pub draft: &'d Draft,
}

/// A value, and who said it.
pub struct Chosen<'d> {
    /// The value.
    pub value: &'d Draft,
    /// The source.
    pub source: &'d str,
    /// Why that source, in words.
    pub because: &'static str,
}

/// NHS NUMBER STATUS INDICATOR CODE 01: number present and verified (NHS Data Dictionary).
const TRACED: &str = "01";

/// The value of a field that stands, and a finding where the sources disagree.
#[must_use]
pub fn choose<'d>(
    field: &str,
    said: &[Said<'d>],
    place: &Origin,
    grant: &Grant<Release>,
) -> (Option<Chosen<'d>>, Option<Finding>) {
    let mut values: Vec<(&Said<'d>, &'d Draft)> = said
        .iter()
        .filter_map(|one| Some((one, one.draft.find(field).filter(|value| !matches!(value, Draft::Null))?)))
        .collect();
    let because = match field {
        "ethnicity" => {
            // The best last in each part of the key, so the greatest key stands.
            values.sort_by_key(|(one, value)| std::cmp::Reverse(ethnicity_key(one, value)));
            "known, said by the person, most recent, finer, order of sources"
        }
        _ => {
            values.sort_by_key(|(one, value)| (is_unknown(value), !is_traced(one), one.rank));
            "known, NHS number traced, order of sources"
        }
    };
    let Some((first, value)) = values.first() else { return (None, None) };
    let against: Vec<&str> = values
        .iter()
        .skip(1)
        .filter(|(_, other)| !is_unknown(other) && !is_unknown(value) && !is_same(value, other, grant))
        .map(|(one, _)| one.source)
        .collect();
    let finding = (!against.is_empty()).then(|| {
        let told = format!(
            "`{field}` as `{}` has it stands; {} has another value",
            first.source,
            against.iter().map(|source| format!("`{source}`")).collect::<Vec<_>>().join(", ")
        );
        Finding::new(Code::ReleaseSourcesDisagree, place.clone(), told)
    });
    (Some(Chosen { value, source: first.source, because }), finding)
}

/// Known, said by the person, when, how fine, and the order of sources.
type EthnicityKey<'d> = (bool, bool, Option<&'d str>, bool, std::cmp::Reverse<usize>);

fn ethnicity_key<'d>(one: &Said<'d>, value: &'d Draft) -> EthnicityKey<'d> {
    let text = |field: &str| one.draft.find(field).and_then(Draft::text);
    let is_coarse = value.text().is_some_and(|word| word == "other" || word.ends_with("-other"));
    let is_self = text("ethnicity_stated_by") == Some("self");
    let when = if is_self { text("ethnicity_recorded_on") } else { None };
    (!is_unknown(value), is_self, when, !is_coarse, std::cmp::Reverse(one.rank))
}

fn is_unknown(value: &Draft) -> bool {
    matches!(value.text(), Some("not-known" | "refused"))
}

fn is_traced(one: &Said<'_>) -> bool {
    one.draft.find("nhs_number_status").and_then(Draft::text) == Some(TRACED)
}

fn is_same(a: &Draft, b: &Draft, grant: &Grant<Release>) -> bool {
    match (a.private(), b.private()) {
        (Some(a), Some(b)) => a.open(grant) == b.open(grant),
        _ => a.to_shown() == b.to_shown(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Said, choose};
    use crate::base::origin::Origin;
    use crate::base::private::{Grant, Private, Release};
    use crate::record::draft::Draft;

    fn draft(fields: &[(&'static str, &str)]) -> Draft {
        let mut draft = Draft::empty();
        for (name, value) in fields {
            let leaf = match *name {
                "birth_date" => Draft::Private(Private::new((*value).to_owned())),
                _ => Draft::Text((*value).to_owned()),
            };
            draft.set(name, leaf);
        }
        draft
    }

    fn check(field: &str, said: &[(&str, Draft)], expected: Option<&str>, disagree: bool) {
        let said: Vec<Said<'_>> =
            said.iter().enumerate().map(|(rank, (source, draft))| Said { source, rank, draft }).collect();
        let grant = Grant::<Release>::begin("test");
        let (chosen, finding) = choose(field, &said, &Origin::default(), &grant);
        let _receipt = grant.close();
        assert_eq!(chosen.map(|chosen| chosen.source), expected);
        assert_eq!(finding.is_some(), disagree);
        if let Some(finding) = finding {
            assert_eq!(finding.code.as_str(), "release/sources-disagree");
            assert!(!finding.to_string().contains("19"), "no value in a finding");
        }
    }

    #[test]
    fn a_traced_number_comes_first_then_the_order() {
        let council = || ("council", draft(&[("birth_date", "1960-01-02")]));
        let trust = |status| ("trust", draft(&[("birth_date", "1960-02-01"), ("nhs_number_status", status)]));
        check("birth_date", &[council(), trust("01")], Some("trust"), true);
        check("birth_date", &[council(), trust("03")], Some("council"), true);
        check("birth_date", &[council(), council()], Some("council"), false);
        check("sex", &[council()], None, false);
    }

    #[test]
    fn not_known_never_stands_over_a_value() {
        let trust = ("trust", draft(&[("sex", "not-known"), ("nhs_number_status", "01")]));
        let housing = ("housing", draft(&[("sex", "female")]));
        check("sex", &[trust, housing], Some("housing"), false);
    }

    #[test]
    fn what_the_person_said_last_then_the_finer() {
        let told = |source, word, on| {
            let stated =
                [("ethnicity", word), ("ethnicity_stated_by", "self"), ("ethnicity_recorded_on", on)];
            (source, draft(&stated))
        };
        let old = told("trust", "white-irish", "2019-01-01");
        let new = told("housing", "other-arab", "2021-01-01");
        check("ethnicity", &[old, new], Some("housing"), true);
        let coarse = ("trust", draft(&[("ethnicity", "white-other")]));
        let fine = ("council", draft(&[("ethnicity", "white-irish")]));
        check("ethnicity", &[coarse, fine], Some("council"), true);
    }
}
