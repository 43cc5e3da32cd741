//! Code lists: a source's words and the record's.
//!
//! `source,canonical,preferred,note` with comment lines that begin `#`, three of which say where
//! the list comes from: `# source: ..`, `# version: ..`, `# date: ..`. A line `# other: <list>`
//! names the list of another release of the same column, so that a value in that release's
//! spelling is told apart from a mistake. It is still no value of this list.
//!
//! A row whose `preferred` is `write` is for the way back alone: the canonical word has no source
//! word of its own and is written as a wider one, which is always said. It is never read.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::base::finding::Code;
use crate::mapping::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::mapping::op::Refusal;
use crate::mapping::op::value::Value;

/// One code list. Texts are compared trimmed and otherwise letter for letter.
#[derive(Debug, Clone)]
pub struct CodeList {
    /// Its name: `<family>/<name>`.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// Which version of its source it is, as its comment says.
    pub version: String,
    /// The day, month or year of that version.
    pub date: String,
    /// The lists of other releases of the same column, by name.
    pub others: Vec<String>,
    forward: HashMap<String, String>,
    back: BTreeMap<String, Back>,
    /// Spellings of other releases, and what is said of each.
    elsewhere: HashMap<String, String>,
}

/// The way back from one canonical word.
#[derive(Debug, Clone)]
struct Back {
    source: String,
    sources: usize,
    is_preferred: bool,
    /// The source's word stands for more than this one, and is never read as it.
    is_wider: bool,
}

impl CodeList {
    /// A list with nothing in it.
    #[must_use]
    pub fn empty(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            source: String::new(),
            version: String::new(),
            date: String::new(),
            others: Vec::new(),
            forward: HashMap::new(),
            back: BTreeMap::new(),
            elsewhere: HashMap::new(),
        }
    }

    /// Adds a pair; the first source of a word is the way back.
    pub fn add(&mut self, source: &str, canonical: &str) {
        self.forward.insert(source.to_owned(), canonical.to_owned());
        let first = Back { source: source.to_owned(), sources: 1, is_preferred: true, is_wider: false };
        self.back.entry(canonical.to_owned()).or_insert(first);
    }

    /// Reads a list.
    ///
    /// # Errors
    /// With every fault it has.
    pub fn parse(name: &str, source: &Source) -> Result<Self, Diagnostics> {
        let mut list = Self::empty(name);
        let said = |what| comments(source, what).next().unwrap_or_default().to_owned();
        list.source = said("source:");
        list.version = said("version:");
        list.date = said("date:");
        list.others = comments(source, "other:").map(str::to_owned).collect();
        let mut faults = Vec::new();
        let mut rows = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(source.text.as_bytes());
        let mut is_header = true;
        for row in rows.records() {
            let Ok(row) = row else {
                faults.push(source.fault(&(0..0), "not readable as comma-separated text"));
                break;
            };
            let start = row.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
            let start = line_start(&source.text, start);
            let span =
                start..source.text.get(start..).and_then(|rest| rest.find('\n')).map_or(start, |n| start + n);
            let cells: Vec<&str> = row.iter().collect();
            if std::mem::take(&mut is_header) {
                if cells != ["source", "canonical", "preferred", "note"] {
                    let fault = source.fault(&span, "expected the header `source,canonical,preferred,note`");
                    return Err(Diagnostics(vec![fault]));
                }
                continue;
            }
            if let Err(message) = list.take(&cells) {
                faults.push(source.fault(&span, message));
            }
        }
        if is_header {
            faults.push(source.fault(&(0..0), "expected the header `source,canonical,preferred,note`"));
        }
        faults.extend(missing_comments(source));
        if faults.is_empty() { Ok(list) } else { Err(Diagnostics(faults)) }
    }

    fn take(&mut self, cells: &[&str]) -> Result<(), String> {
        let (source, canonical, preferred) = match cells {
            [source, canonical] => (*source, *canonical, ""),
            [source, canonical, preferred] | [source, canonical, preferred, _] => {
                (*source, *canonical, *preferred)
            }
            _ => return Err(format!("expected 4 cells, found {}", cells.len())),
        };
        if source.is_empty() || canonical.is_empty() {
            return Err("expected both `source` and `canonical`".to_owned());
        }
        let (is_preferred, is_wider) = match preferred {
            "" | "no" => (false, false),
            "yes" => (true, false),
            "write" => (true, true),
            _ => return Err("expected `preferred` as `yes`, `write` or blank".to_owned()),
        };
        if !is_wider && self.forward.insert(source.to_owned(), canonical.to_owned()).is_some() {
            return Err(format!("`{source}` stands twice in the list"));
        }
        let back = Back { source: source.to_owned(), sources: 1, is_preferred, is_wider };
        match self.back.get_mut(canonical) {
            None => {
                self.back.insert(canonical.to_owned(), back);
            }
            Some(known) if known.is_wider || is_wider => {
                return Err(format!("`{canonical}` has a way back of its own, and one that loses something"));
            }
            Some(known) if known.is_preferred && is_preferred => {
                return Err(format!("`{canonical}` has two preferred sources"));
            }
            Some(known) => {
                known.sources += 1;
                if is_preferred {
                    *known = Back { sources: known.sources, ..back };
                }
            }
        }
        Ok(())
    }

    /// The canonical word of a cell. Number and truth cells are compared as they print.
    ///
    /// # Errors
    /// Where the list does not have it.
    pub fn read<'u>(&self, value: Value<'u>) -> Result<Value<'u>, Refusal> {
        let text = value.plain();
        match self.forward.get(text.as_ref()) {
            Some(canonical) => Ok(Value::Text(Cow::Owned(canonical.clone()))),
            None => Err(Refusal::new(Code::MapUnknownCode, self.advice(&text))),
        }
    }

    /// What is said of a value that the list does not have: whether it is one in another
    /// release's spelling, or in other capitals. Code words alone are named, never a cell.
    fn advice(&self, text: &str) -> String {
        let expected = format!("expected a value of the list `{}`", self.name);
        if let Some(said) = self.elsewhere.get(text) {
            return format!("{expected}: this is {said}");
        }
        match self.forward.keys().find(|word| word.eq_ignore_ascii_case(text)) {
            Some(word) => format!("{expected}: it is `{word}` but for its capitals"),
            None => expected,
        }
    }

    /// Takes note of the spellings of another release of the same column.
    pub fn note_other(&mut self, other: &Self) {
        for word in other.sources() {
            let Some(canonical) = other.forward.get(word).filter(|_| !self.forward.contains_key(word)) else {
                continue;
            };
            let said = match self.back.get(canonical) {
                Some(here) if here.sources == 1 || here.is_preferred => {
                    format!("the {} spelling of `{}`", other.version, here.source)
                }
                _ => format!("a value of {} alone", other.version),
            };
            self.elsewhere.insert(word.to_owned(), said);
        }
    }

    /// The source's word for a canonical one.
    ///
    /// # Errors
    /// Where there is none, or more than one and none is preferred.
    pub fn write<'u>(&self, value: Value<'u>) -> Result<Value<'u>, Refusal> {
        let text = value.plain();
        match self.back.get(text.as_ref()) {
            Some(back) if back.is_preferred || back.sources == 1 => Ok(Value::owned(back.source.clone())),
            Some(_) => Err(Refusal::new(
                Code::MapLossyCode,
                format!("expected one preferred source in the list `{}` for this value", self.name),
            )),
            None => Err(Refusal::new(
                Code::MapUnknownCode,
                format!("expected a value of the list `{}`", self.name),
            )),
        }
    }

    /// The source word that is written back for this one, where that is another; blank where none is,
    /// because several stand for the same word and none is preferred.
    #[must_use]
    pub fn comes_back(&self, source: &str) -> Option<&str> {
        match self.back.get(self.forward.get(source)?) {
            Some(back) if back.is_preferred || back.sources == 1 => {
                Some(back.source.as_str()).filter(|back| *back != source)
            }
            _ => Some(""),
        }
    }

    /// Whether it has this source word.
    #[must_use]
    pub fn holds(&self, source: &str) -> bool {
        self.forward.contains_key(source)
    }

    /// Canonical words that several sources share with none preferred: their way back is lost.
    pub fn lost(&self) -> impl Iterator<Item = &str> {
        self.back
            .iter()
            .filter(|(_, back)| back.sources > 1 && !back.is_preferred)
            .map(|(canonical, _)| canonical.as_str())
    }

    /// Canonical words that are written as a source word which stands for more than they do
    /// (`preferred` is `write`): written, and never read back as they were.
    pub fn widened(&self) -> impl Iterator<Item = &str> {
        self.back.iter().filter(|(_, back)| back.is_wider).map(|(canonical, _)| canonical.as_str())
    }

    /// True for a word whose way back loses something.
    #[must_use]
    pub fn is_widened(&self, canonical: &str) -> bool {
        self.back.get(canonical).is_some_and(|back| back.is_wider)
    }

    /// How many source words a canonical one has.
    #[must_use]
    pub fn sources_of(&self, canonical: &str) -> usize {
        self.back.get(canonical).map_or(0, |back| back.sources)
    }

    /// The canonical word of a source word.
    #[must_use]
    pub fn canonical_of(&self, source: &str) -> Option<&str> {
        self.forward.get(source).map(String::as_str)
    }

    /// Every canonical word.
    pub fn canonical(&self) -> impl Iterator<Item = &str> {
        self.back.keys().map(String::as_str)
    }

    /// One source word for each canonical one, in order: what is written, or the first there is.
    #[must_use]
    pub fn choices(&self) -> Vec<String> {
        let mut words: Vec<String> = self.back.values().map(|back| back.source.clone()).collect();
        words.sort_unstable();
        words
    }

    /// Every source word, in order.
    #[must_use]
    pub fn sources(&self) -> Vec<&str> {
        let mut sources: Vec<&str> = self.forward.keys().map(String::as_str).collect();
        sources.sort_unstable();
        sources
    }
}

fn line_start(text: &str, from: usize) -> usize {
    // The reader's position may stand before comment lines that it skipped.
    let mut start = from;
    for line in text.get(from..).unwrap_or_default().split_inclusive('\n') {
        if !line.starts_with('#') && !line.trim().is_empty() {
            return start;
        }
        start += line.len();
    }
    from
}

/// What the comment lines of one name say.
fn comments<'s>(source: &'s Source, name: &'s str) -> impl Iterator<Item = &'s str> {
    let lines = source.text.lines().filter_map(|line| line.strip_prefix('#'));
    lines.filter_map(move |line| line.trim_start().strip_prefix(name)).map(str::trim)
}

fn missing_comments(source: &Source) -> Vec<Diagnostic> {
    ["source:", "version:", "date:"]
        .into_iter()
        .filter(|what| comments(source, what).next().is_none())
        .map(|what| source.fault(&(0..0), format!("expected a comment line `# {what} ..`")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::CodeList;
    use crate::mapping::diagnostic::Source;
    use crate::mapping::op::value::Value;

    const HEAD: &str = "# source: here\n# version: 1\n# date: 2025\nsource,canonical,preferred,note\n";

    fn check(rows: &str, word: &str, read: Option<&str>, written: Option<&str>) {
        let list = CodeList::parse("t/x", &Source::new("x.csv", &format!("{HEAD}{rows}"))).unwrap();
        let value = list.read(Value::owned(word.to_owned()));
        assert_eq!(value.clone().ok().map(|value| value.plain().into_owned()).as_deref(), read);
        if let Ok(value) = value {
            let back = list.write(value).ok().map(|value| value.plain().into_owned());
            assert_eq!(back.as_deref(), written);
        }
    }

    #[test]
    fn there_and_back() {
        check("Male,male,,\n", "Male", Some("male"), Some("Male"));
        check("Male,male,,\n", "male", None, None);
        check("M,male,,\nMale,male,yes,\n", "M", Some("male"), Some("Male"));
        check("M,male,,\nMale,male,,\n", "M", Some("male"), None);
    }

    #[test]
    fn a_wider_word_is_written_and_never_read() {
        let text = format!("{HEAD}C,white-other,,\nC,white-roma,write,\n");
        let list = CodeList::parse("t/x", &Source::new("x.csv", &text)).unwrap();
        let read = list.read(Value::owned("C".to_owned())).ok().map(|value| value.plain().into_owned());
        assert_eq!(read.as_deref(), Some("white-other"));
        let written = list.write(Value::owned("white-roma".to_owned())).ok();
        assert_eq!(written.map(|value| value.plain().into_owned()).as_deref(), Some("C"));
        assert!(list.is_widened("white-roma") && !list.is_widened("white-other"));
    }

    #[test]
    fn a_value_of_another_release_is_told_from_a_mistake() {
        let list = |release: &str, rows: &str| {
            let text = format!(
                "# source: here\n# version: {release}\n# date: 2025\nsource,canonical,preferred,note\n{rows}"
            );
            CodeList::parse("t/x", &Source::new("x.csv", &text)).unwrap()
        };
        let mut two = list("Release 2", "Service user,service-user,,\nUnpaid carer,unpaid-carer,,\n");
        two.note_other(&list("Release 1", "Service User,service-user,,\nCarer,unpaid-carer,,\nOld,old,,\n"));
        let said = |word: &str| two.read(Value::owned(word.to_owned())).map(|_| ()).unwrap_err().expected;
        insta::assert_snapshot!(
            ["Carer", "Old", "SERVICE USER", "Somebody"].map(said).join("\n"),
            @r"
        expected a value of the list `t/x`: this is the Release 1 spelling of `Unpaid carer`
        expected a value of the list `t/x`: this is a value of Release 1 alone
        expected a value of the list `t/x`: it is `Service user` but for its capitals
        expected a value of the list `t/x`
        "
        );
    }

    #[test]
    fn faults_are_shown_at_their_place() {
        let text = format!("{HEAD}Male,male,maybe,\nMale,,,\n");
        let faults = CodeList::parse("t/x", &Source::new("x.csv", &text)).unwrap_err();
        insta::assert_snapshot!(faults, @r"
        x.csv:5:1: expected `preferred` as `yes`, `write` or blank
          |
        5 | Male,male,maybe,
          | ^^^^^^^^^^^^^^^^

        x.csv:6:1: expected both `source` and `canonical`
          |
        6 | Male,,,
          | ^^^^^^^
        ");
    }
}
