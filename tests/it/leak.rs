//! The search for anything that could name a person, in everything that is not theirs to be in.
//!
//! Names are looked for as whole words of three letters or more, in any case, so that *Ian* is
//! not found in *Asian*. Ids, birth dates and postcodes are looked for in every usual spelling.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What must not be found, by what it is.
#[derive(Default)]
pub(crate) struct Forbidden {
    words: BTreeSet<String>,
    spellings: BTreeMap<String, &'static str>,
}

impl Forbidden {
    /// Forbids each part of a name that has three letters or more.
    pub(crate) fn name(&mut self, name: &str) {
        for word in words(name) {
            if word.chars().count() >= 3 {
                self.words.insert(word);
            }
        }
    }

    /// Forbids an NHS number: `9995899604`, `999 589 9604`, `999-589-9604`.
    pub(crate) fn nhs_number(&mut self, digits: &str) {
        let (a, b, c) = (&digits[..3], &digits[3..6], &digits[6..]);
        for spelling in [digits.to_owned(), format!("{a} {b} {c}"), format!("{a}-{b}-{c}")] {
            self.spellings.insert(spelling, "an NHS number");
        }
    }

    /// Forbids an id as it stands.
    pub(crate) fn id(&mut self, id: &str) {
        self.spellings.insert(id.to_lowercase(), "an id");
    }

    /// Forbids a postcode with and without its blank.
    pub(crate) fn postcode(&mut self, postcode: &str) {
        self.spellings.insert(postcode.to_lowercase(), "a postcode");
        self.spellings.insert(postcode.to_lowercase().replace(' ', ""), "a postcode");
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
        let mut add = |text: String| self.spellings.insert(text, "a birth date");
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

    /// How many words and spellings are forbidden.
    pub(crate) fn count(&self) -> usize {
        self.words.len() + self.spellings.len()
    }

    /// What was found in a text, told without the whole text.
    pub(crate) fn find(&self, text: &str) -> Vec<String> {
        let lower = text.to_lowercase();
        let mut found: Vec<String> = words(&lower)
            .filter(|word| self.words.contains(word))
            .map(|word| format!("the name `{word}`"))
            .collect();
        // One pass for all spellings: each begins at a letter or digit that follows none.
        let starts = self.by_start();
        let mut before = ' ';
        for (at, letter) in lower.char_indices() {
            if !before.is_alphanumeric() {
                for spelling in starts.get(&letter).into_iter().flatten() {
                    let rest = &lower[at..];
                    if rest.starts_with(*spelling)
                        && !rest[spelling.len()..].starts_with(char::is_alphanumeric)
                    {
                        found.push(format!("{} `{spelling}`", self.spellings[*spelling]));
                    }
                }
            }
            before = letter;
        }
        found.sort();
        found.dedup();
        found
    }

    fn by_start(&self) -> BTreeMap<char, Vec<&String>> {
        let mut starts: BTreeMap<char, Vec<&String>> = BTreeMap::new();
        for spelling in self.spellings.keys() {
            if let Some(first) = spelling.chars().next() {
                starts.entry(first).or_default().push(spelling);
            }
        }
        starts
    }

    /// What was found in a file or below a folder, with the file.
    pub(crate) fn find_in_files(&self, path: &Path) -> Vec<String> {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).unwrap();
            return entries.flat_map(|entry| self.find_in_files(&entry.unwrap().path())).collect();
        }
        let bytes = std::fs::read(path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        self.find(&text).into_iter().map(|found| format!("{}: {found}", path.display())).collect()
    }
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
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
