//! Column names as words that can be compared: abbreviations written out, one word for one thing.

use std::collections::BTreeMap;

use crate::mapping::profile::bare;

/// Words that say nothing.
const EMPTY: &[&str] = &["of", "the", "a", "an", "for", "and", "in", "on", "by", "per", "is", "s", "this"];

/// Words that stand together for one thing, longest first where one holds another.
const PHRASES: &[(&[&str], &[&str])] = &[
    (&["d", "o", "b"], &["birth", "date"]),
    (&["post", "code"], &["postcode"]),
    (&["postal", "code"], &["postcode"]),
    (&["last", "name"], &["surname"]),
    (&["family", "name"], &["surname"]),
    (&["second", "name"], &["surname"]),
    (&["first", "name"], &["forename"]),
    (&["given", "name"], &["forename"]),
    (&["christian", "name"], &["forename"]),
    (&["service", "user"], &["person"]),
    (&["local", "authority"], &["council"]),
    (&["ethnic", "group"], &["ethnicity"]),
    (&["ethnic", "origin"], &["ethnicity"]),
    (&["ethnic", "category"], &["ethnicity"]),
    (&["general", "practice"], &["gp", "practice"]),
    (&["unit", "type"], &["frequency"]),
    (&["sight", "loss"], &["visual", "impairment"]),
    (&["hearing", "loss"], &["hearing", "impairment"]),
    (&["mental", "health"], &["mental"]),
    (&["moved", "in"], &["start"]),
    (&["moved", "out"], &["end"]),
];

/// One word for another, or for several.
const WORDS: &[(&str, &[&str])] = &[
    ("no", &["number"]),
    ("num", &["number"]),
    ("nbr", &["number"]),
    ("nr", &["number"]),
    ("nhsno", &["nhs", "number"]),
    ("nhsnumber", &["nhs", "number"]),
    ("dob", &["birth", "date"]),
    ("dod", &["death", "date"]),
    ("born", &["birth", "date"]),
    ("died", &["death", "date"]),
    ("deceased", &["death"]),
    ("dt", &["date"]),
    ("day", &["date"]),
    ("pcode", &["postcode"]),
    ("identifier", &["id"]),
    ("ref", &["id"]),
    ("reference", &["id"]),
    ("uid", &["id"]),
    ("unique", &["id"]),
    ("lastname", &["surname"]),
    ("firstname", &["forename"]),
    ("client", &["person"]),
    ("customer", &["person"]),
    ("citizen", &["person"]),
    ("patient", &["person"]),
    ("resident", &["person"]),
    ("user", &["person"]),
    ("la", &["council"]),
    ("las", &["council"]),
    ("cassr", &["council"]),
    ("authority", &["council"]),
    ("sex", &["gender"]),
    ("begin", &["start"]),
    ("began", &["start"]),
    ("started", &["start"]),
    ("commenced", &["start"]),
    ("commencement", &["start"]),
    ("from", &["start"]),
    ("begins", &["start"]),
    ("ended", &["end"]),
    ("finish", &["end"]),
    ("finished", &["end"]),
    ("ceased", &["end"]),
    ("closed", &["end"]),
    ("to", &["end"]),
    ("until", &["end"]),
    ("ends", &["end"]),
    ("price", &["cost"]),
    ("rate", &["cost"]),
    ("amount", &["cost"]),
    ("charge", &["cost"]),
    ("freq", &["frequency"]),
    ("desc", &["description"]),
    ("descr", &["description"]),
    ("details", &["description"]),
    ("comment", &["description"]),
    ("comments", &["description"]),
    ("notes", &["description"]),
    ("svc", &["service"]),
    ("srv", &["service"]),
    ("comp", &["component"]),
    ("mech", &["mechanism"]),
    ("del", &["delivery"]),
    ("supplier", &["provider"]),
    ("agency", &["provider"]),
    ("prov", &["provider"]),
    ("loc", &["location"]),
    ("site", &["location"]),
    ("result", &["outcome"]),
    ("results", &["outcome"]),
    ("outcomes", &["outcome"]),
    ("rev", &["review"]),
    ("assmt", &["assessment"]),
    ("assess", &["assessment"]),
    ("req", &["request"]),
    ("psr", &["primary", "support", "reason"]),
    ("need", &["support", "reason"]),
    ("main", &["primary"]),
    ("accom", &["accommodation"]),
    ("housing", &["accommodation"]),
    ("tenure", &["accommodation"]),
    ("empl", &["employment"]),
    ("job", &["employment"]),
    ("work", &["employment"]),
    ("state", &["status"]),
    ("situation", &["status"]),
    ("fund", &["funding"]),
    ("funded", &["funding"]),
    ("asd", &["autism"]),
    ("autistic", &["autism"]),
    ("blind", &["visual", "impairment"]),
    ("deaf", &["hearing", "impairment"]),
    ("vision", &["visual"]),
    ("impaired", &["impairment"]),
    ("wk", &["week"]),
    ("weekly", &["week"]),
    ("pw", &["week"]),
    ("hrs", &["hours"]),
    ("hr", &["hours"]),
    ("unit", &["units"]),
    ("qty", &["units"]),
    ("quantity", &["units"]),
    ("plan", &["planned"]),
    ("means", &["method"]),
    ("how", &["method"]),
    ("category", &["type"]),
    ("cat", &["type"]),
    ("kind", &["type"]),
    ("class", &["type"]),
    ("surgery", &["gp", "practice"]),
    ("doctor", &["gp"]),
    ("addr", &["address"]),
    ("tel", &["phone"]),
    ("telephone", &["phone"]),
    ("mobile", &["phone"]),
    ("mail", &["email"]),
    ("carers", &["carer"]),
    ("informal", &["unpaid"]),
    ("adults", &["adult"]),
    ("achieved", &["met"]),
    ("eligibility", &["eligible"]),
    ("org", &["provider"]),
    ("organisation", &["provider"]),
];

/// The words of a name.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut plain: Vec<String> = Vec::new();
    let mut last = ' ';
    for letter in name.chars() {
        let is_word = letter.is_alphanumeric();
        let begins = !last.is_alphanumeric()
            || (last.is_lowercase() && letter.is_uppercase())
            || (last.is_alphabetic() != letter.is_alphabetic());
        if is_word {
            if begins || plain.is_empty() {
                plain.push(String::new());
            }
            if let Some(word) = plain.last_mut() {
                word.extend(letter.to_lowercase());
            }
        }
        last = letter;
    }
    let mut out: Vec<String> = Vec::new();
    let mut rest = plain.as_slice();
    while let Some((first, after)) = rest.split_first() {
        let phrase = PHRASES.iter().find(|(phrase, _)| {
            rest.get(..phrase.len()).is_some_and(|words| words.iter().zip(*phrase).all(|(a, b)| a == b))
        });
        if let Some((phrase, stand)) = phrase {
            out.extend(stand.iter().map(|word| (*word).to_owned()));
            rest = rest.get(phrase.len()..).unwrap_or_default();
            continue;
        }
        rest = after;
        if EMPTY.contains(&first.as_str()) {
            continue;
        }
        match WORDS.iter().find(|(word, _)| word == first) {
            Some((_, stand)) => out.extend(stand.iter().map(|word| (*word).to_owned())),
            None => out.push(first.clone()),
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// The ways in which a name can be read: as a whole, and, of an address, its last part alone.
pub(super) fn readings(name: &str) -> Vec<Vec<String>> {
    let name = bare(name);
    let whole = words(&name);
    match name.rsplit_once('.') {
        Some((_, last)) => vec![whole, words(last)],
        None => vec![whole],
    }
}

/// What the last part of an address counts for beside the whole of it.
pub(super) const LAST_PART: f64 = 0.92;

/// How much each word says: one that stands in many names says little.
pub(super) struct Weights {
    names: f64,
    counts: BTreeMap<String, f64>,
}

impl Weights {
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n [String]>) -> Self {
        let mut weights = Self { names: 0.0, counts: BTreeMap::new() };
        for words in names {
            weights.names += 1.0;
            for word in words {
                *weights.counts.entry(word.clone()).or_default() += 1.0;
            }
        }
        weights
    }

    fn of_word(&self, word: &str) -> f64 {
        let count = self.counts.get(word).copied().unwrap_or_default();
        (1.0 + self.names / (1.0 + count)).ln()
    }

    /// How alike two names are, from 0 to 1.
    pub(super) fn likeness(&self, one: &[String], other: &[String]) -> f64 {
        let all: f64 = one.iter().chain(other).map(|word| self.of_word(word)).sum();
        if all <= 0.0 {
            return 0.0;
        }
        let mut shared = 0.0;
        for word in one {
            let best = other
                .iter()
                .map(|theirs| (alike(word, theirs), self.of_word(theirs)))
                .max_by(|(a, _), (b, _)| a.total_cmp(b));
            if let Some((likeness, weight)) = best {
                shared += likeness * f64::midpoint(self.of_word(word), weight);
            }
        }
        (2.0 * shared / all).min(1.0)
    }
}

/// How alike two words are: the same, shortened, or mistyped.
fn alike(one: &str, other: &str) -> f64 {
    if one == other {
        return 1.0;
    }
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    if short.len() >= 3 && long.starts_with(short) {
        return 0.8;
    }
    let near = crate::format::address::nearest(short, std::iter::once(long));
    // `nearest` lets half the letters differ; a mistyped word has most of them.
    let has_most = short.len() >= 5 && long.len() - short.len() <= 1;
    if has_most && !near.is_empty() && same_letters(short, long) { 0.75 } else { 0.0 }
}

/// Whether all but one of the letters of a word stand in the other.
fn same_letters(short: &str, long: &str) -> bool {
    let mut left: Vec<char> = long.chars().collect();
    let mut missing = 0;
    for letter in short.chars() {
        match left.iter().position(|other| *other == letter) {
            Some(at) => drop(left.swap_remove(at)),
            None => missing += 1,
        }
    }
    missing <= 1
}

#[cfg(test)]
mod tests {
    use super::{Weights, words};

    #[test]
    fn names_are_taken_apart() {
        for (name, expected) in [
            ("NHS No.", "nhs number"),
            ("DOB", "birth date"),
            ("Service User Surname", "person surname"),
            ("svcStartDt", "date service start"),
            ("Cost Frequency (Unit Type)", "cost frequency"),
            ("post_code", "postcode"),
        ] {
            let mut expected: Vec<&str> = expected.split(' ').collect();
            expected.sort_unstable();
            assert_eq!(words(name), expected, "{name}");
        }
    }

    #[test]
    fn likeness_is_of_words_that_say_something() {
        let all: Vec<Vec<String>> =
            ["Event Start Date", "Event End Date", "Date of Birth", "Event Type"].map(words).to_vec();
        let weights = Weights::of(all.iter().map(Vec::as_slice));
        let like = |one: &str, other: &str| weights.likeness(&words(one), &words(other));
        assert!(like("Start Dt", "Event Start Date") > like("Start Dt", "Event End Date"));
        assert!(like("DOB", "Date of Birth") > 0.99);
        assert!(like("Evnt Type", "Event Type") < 1.0);
        assert!(like("Postcode", "Event Type") < 0.01);
    }
}
