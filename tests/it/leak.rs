//! The search for anything that could name a person, in everything that is not theirs to be in.
//!
//! Names are looked for as whole words of three letters or more, in any case, so that *Ian* is
//! not found in *Asian*. Ids, birth dates and postcodes are looked for in every usual spelling.

use std::collections::HashMap;

/// What must not be found, by what it is.
#[derive(Default)]
pub(crate) struct Forbidden {
    /// By its first run of letters and digits: each spelling whole, and what it is.
    spellings: HashMap<String, Vec<(String, &'static str)>>,
    count: usize,
    first_bytes_max: usize,
}

impl Forbidden {
    fn add(&mut self, spelling: &str, what: &'static str) {
        let spelling = spelling.to_lowercase();
        let Some(first) = runs(&spelling).next().map(|(_, run)| run.to_owned()) else { return };
        // What stands before the first letter or digit is no part of what identifies.
        let start = spelling.find(&first).unwrap_or_default();
        let spelling = spelling[start..].to_owned();
        self.first_bytes_max = self.first_bytes_max.max(first.len());
        let known = self.spellings.entry(first).or_default();
        if known.iter().all(|(there, _)| *there != spelling) {
            known.push((spelling, what));
            self.count += 1;
        }
    }

    /// Forbids each part of a name that has three letters or more.
    pub(crate) fn name(&mut self, name: &str) {
        for word in words(name) {
            if word.chars().count() >= 3 {
                self.add(&word, "the name");
            }
        }
    }

    /// Forbids an NHS number: `9995899604`, `999 589 9604`, `999-589-9604`.
    pub(crate) fn nhs_number(&mut self, digits: &str) {
        let (a, b, c) = (&digits[..3], &digits[3..6], &digits[6..]);
        for spelling in [digits.to_owned(), format!("{a} {b} {c}"), format!("{a}-{b}-{c}")] {
            self.add(&spelling, "an NHS number");
        }
    }

    /// Forbids an id as it stands.
    pub(crate) fn id(&mut self, id: &str) {
        self.add(id, "an id");
    }

    /// Forbids a postcode with and without its blank.
    pub(crate) fn postcode(&mut self, postcode: &str) {
        self.add(postcode, "a postcode");
        self.add(&postcode.replace(' ', ""), "a postcode");
    }

    /// Forbids a day of birth, given as `1963-02-25`.
    pub(crate) fn birth_date(&mut self, iso: &str) {
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
        let (y, m, d) = (&iso[..4], &iso[5..7], &iso[8..]);
        let month = MONTHS[m.parse::<usize>().unwrap() - 1];
        let day = d.trim_start_matches('0');
        let mut add = |text: String| self.add(&text, "a birth date");
        for separator in ["/", "-", ".", " "] {
            add(format!("{d}{separator}{m}{separator}{y}"));
            add(format!("{m}{separator}{d}{separator}{y}"));
            add(format!("{y}{separator}{m}{separator}{d}"));
            add(format!("{day}{separator}{}{separator}{y}", m.trim_start_matches('0')));
        }
        add(format!("{y}{m}{d}"));
        for name in [month, &month[..3]] {
            for number in [d, day] {
                add(format!("{number} {name} {y}"));
                add(format!("{number}-{name}-{y}"));
                add(format!("{name} {number}, {y}"));
            }
        }
    }

    /// Forbids a spelling as it stands: a word of letters as a name, anything else as an id.
    pub(crate) fn token(&mut self, text: &str) {
        if text.chars().all(char::is_alphabetic) {
            self.name(text);
        } else {
            self.id(text);
        }
    }

    /// How many spellings are forbidden.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// What was found in a text, told without the whole text.
    pub(crate) fn find(&self, text: &str) -> Vec<String> {
        let lower = text.to_lowercase();
        let mut found = Vec::new();
        for (at, run) in runs(&lower) {
            if run.len() > self.first_bytes_max {
                continue;
            }
            for (spelling, what) in self.spellings.get(run).into_iter().flatten() {
                let rest = &lower[at..];
                if rest.starts_with(spelling.as_str())
                    && !rest[spelling.len()..].starts_with(char::is_alphanumeric)
                {
                    found.push(format!("{what} `{spelling}`"));
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

/// Each run of letters and digits, and where it begins.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphanumeric)?;
        let end =
            text[start..].find(|c: char| !c.is_alphanumeric()).map_or(text.len(), |length| start + length);
        at = end;
        Some((start, &text[start..end]))
    })
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    runs(text).map(|(_, word)| word.to_lowercase())
}

/// The text in bytes that are not all text: runs of at least `letters_min` printable letters, a
/// line each. In bytes that are drawn at random every short name stands sooner or later.
pub(crate) fn printable(bytes: &[u8], letters_min: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let is_text = |c: char| !c.is_control() && c != char::REPLACEMENT_CHARACTER;
    text.split(|c| !is_text(c)).filter(|run| run.len() >= letters_min).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_whole_word_is_found_and_a_part_of_one_is_not() {
    let mut forbidden = Forbidden::default();
    forbidden.name("Ian O'Dowd");
    forbidden.nhs_number("9995899604");
    forbidden.birth_date("1963-02-25");
    forbidden.postcode("S10 2TN");
    forbidden.id("PI001");
    assert!(forbidden.find("Asian, median, x7ian3, PI0011, 19995899604").is_empty());
    for text in ["x,IAN,y", "999 589 9604", "25/02/1963", "25 Feb 1963", "\"s102tn\"", "pi001", "key=dowd"] {
        assert_eq!(forbidden.find(text).len(), 1, "{text}");
    }
}
