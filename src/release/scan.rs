//! The exit scan: does anything about to leave hold one of the person's own identifiers?
//!
//! Words of a closed list, pseudonyms and truth values are exempt by their type: *Ian* in
//! *Asian* is no hit, and neither is anything in a code's label. All else is looked through.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use zeroize::Zeroize;

use crate::base::day::Day;
use crate::base::private::{Grant, Private, Release};
use crate::record::draft::Draft;

/// Letters that a word must have to be looked for.
const WORD_LETTERS_MIN: usize = 3;
/// Characters that an id, address or number must have to be looked for inside other text.
const INSIDE_MIN: usize = 5;

/// Fields of a person record that are names.
const NAMES: [&str; 4] = ["family_name", "given_name", "other_names", "previous_family_name"];
/// Fields that identify by the whole of them.
const WHOLE: [&str; 9] = [
    "nhs_number",
    "council_id",
    "tracker_ref",
    "trust_id",
    "postcode",
    "phone",
    "email",
    "address_line_1",
    "address_line_2",
];

/// One person's own identifiers, from every source, hidden.
pub struct Own(Private<Parts>);

#[derive(Default)]
struct Parts {
    words: Vec<String>,
    whole: Vec<String>,
    births: Vec<String>,
}

impl Zeroize for Parts {
    fn zeroize(&mut self) {
        self.words.zeroize();
        self.whole.zeroize();
        self.births.zeroize();
    }
}

/// What was hit, without the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hit {
    /// A name.
    Name,
    /// A birth date.
    BirthDate,
    /// A number, id, address or postcode.
    Id,
}

impl Hit {
    /// The word in a finding.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::BirthDate => "birth date",
            Self::Id => "number, id or address",
        }
    }
}

impl Own {
    /// The identifiers in every source's person record of one person.
    #[must_use]
    pub fn of<'d>(people: impl IntoIterator<Item = &'d Draft>, grant: &Grant<Release>) -> Self {
        let mut parts = Parts::default();
        for draft in people {
            let text = |name: &str| draft.find(name).and_then(Draft::private).map(|text| text.open(grant));
            for name in NAMES.iter().filter_map(|name| text(name)) {
                parts.words.extend(words(name).filter(|word| word.chars().count() >= WORD_LETTERS_MIN));
            }
            parts.whole.extend(
                WHOLE
                    .iter()
                    .filter_map(|name| text(name))
                    .map(|value| squeezed(value))
                    .filter(|value| value.chars().count() >= INSIDE_MIN),
            );
            if let Some(birth) = text("birth_date").and_then(|birth| birth.parse::<Day>().ok()) {
                parts.births.extend(spellings(birth));
            }
        }
        Self(Private::new(parts))
    }

    /// The first thing of theirs in a text.
    #[must_use]
    pub fn find(&self, text: &str, grant: &Grant<Release>) -> Option<Hit> {
        let parts = self.0.open(grant);
        let lower = folded(text);
        if parts.births.iter().any(|birth| holds_apart(&lower, birth)) {
            return Some(Hit::BirthDate);
        }
        let squeezed = squeezed(text);
        if parts.whole.iter().any(|whole| squeezed.contains(whole.as_str())) {
            return Some(Hit::Id);
        }
        let is_name = words(text).any(|word| parts.words.contains(&word));
        is_name.then_some(Hit::Name)
    }
}

/// Case folded, marks stripped.
fn folded(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// Runs of letters and digits.
fn words(text: &str) -> impl Iterator<Item = String> {
    let words: Vec<String> = folded(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.into_iter()
}

/// Letters and digits alone.
fn squeezed(text: &str) -> String {
    folded(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// True if the text holds the part with no letter or digit right before or after it.
fn holds_apart(text: &str, part: &str) -> bool {
    text.match_indices(part).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + part.len()..).and_then(|after| after.chars().next());
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// A day in the spellings that systems use.
fn spellings(day: Day) -> Vec<String> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let (year, month, date) = day.parts();
    let short = year.rem_euclid(100);
    let mut all = Vec::new();
    for mark in ["-", "/", ".", " "] {
        all.push(format!("{year:04}{mark}{month:02}{mark}{date:02}"));
        all.push(format!("{date:02}{mark}{month:02}{mark}{year:04}"));
        all.push(format!("{date}{mark}{month}{mark}{year:04}"));
        all.push(format!("{month:02}{mark}{date:02}{mark}{year:04}"));
        all.push(format!("{date:02}{mark}{month:02}{mark}{short:02}"));
    }
    all.push(format!("{year:04}{month:02}{date:02}"));
    all.push(format!("{date:02}{month:02}{year:04}"));
    let name = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or_default();
    let brief: String = name.chars().take(3).collect();
    for name in [name, &brief] {
        for mark in [" ", "-"] {
            all.push(format!("{date}{mark}{name}{mark}{year:04}"));
            all.push(format!("{date:02}{mark}{name}{mark}{year:04}"));
        }
        all.push(format!("{name} {date}, {year:04}"));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{Hit, Own};
    use crate::base::private::{Grant, Private, Release};
    use crate::record::draft::Draft;

    fn own() -> Draft {
        let mut person = Draft::empty();
        for (name, value) in [
            ("family_name", "O'Brien-Cañary"),
            ("given_name", "Ian"),
            ("nhs_number", "9995899604"),
            ("birth_date", "1963-02-05"),
            ("postcode", "LE1 3AB"),
            ("tracker_ref", "PI001"),
        ] {
            person.set(name, Draft::Private(Private::new(value.to_owned())));
        }
        person
    }

    fn check(text: &str, expected: Option<Hit>) {
        let grant = Grant::<Release>::begin("test");
        let own = Own::of([&own()], &grant);
        let got = own.find(text, &grant);
        let _receipt = grant.close();
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn names_as_whole_words_only() {
        check("moved with ian", Some(Hit::Name));
        check("CANARY", Some(Hit::Name));
        check("can\u{303}ary", Some(Hit::Name));
        check("asian", None);
        check("librarian-services", None);
    }

    #[test]
    fn numbers_and_dates_in_any_spelling() {
        for text in ["9995899604", "999 589 9604", "ref:pi001", "PI-001", "le13ab", "at LE1 3AB."] {
            check(text, Some(Hit::Id));
        }
        for text in
            ["1963-02-05", "05/02/1963", "5.2.1963", "5 Feb 1963", "5 February 1963", "19630205", "05/02/63"]
        {
            check(text, Some(Hit::BirthDate));
        }
        check("1963-02-06", None);
        check("2163-02-05", None);
    }
}
