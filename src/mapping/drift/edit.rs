//! The edit of a mapping file that a change asks for, as lines to take out and to put in.
//!
//! Every edit is tried before it is suggested: what does not compile, or does not do what it is for,
//! is not shown.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Change, Remedy};
use crate::mapping::Mapping;
use crate::mapping::code_list::CodeList;
use crate::mapping::compile::CodeLists as _;
use crate::mapping::diagnostic::Source;
use crate::mapping::file::node::quoted;
use crate::mapping::file::{self, RawField, RawMapping};
use crate::mapping::library::Library;
use crate::mapping::profile::bare;

/// Lines of a file that others are to stand for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Hunk {
    /// The file.
    pub file: String,
    /// The number of its first line, from 1. The numbers of several hunks are those of the file as it is.
    pub line: usize,
    /// Lines to take out, as they are.
    pub out: Vec<String>,
    /// Lines to put in their place.
    #[serde(rename = "in")]
    pub put: Vec<String>,
}

/// The files of a mapping, open for suggestions.
pub struct Desk<'l> {
    library: &'l Library,
    source: &'l Source,
    raw: RawMapping,
}

/// Edits of one file, by its path in the library; the mapping's own has none.
type Edits = BTreeMap<Option<String>, Vec<Hunk>>;

impl<'l> Desk<'l> {
    /// Opens a mapping's file; `None` where it is none.
    #[must_use]
    pub fn open(library: &'l Library, source: &'l Source) -> Option<Self> {
        let raw = file::parse(&source.text, &source.name).ok()?;
        Some(Self { library, source, raw })
    }

    /// Gives each change the edit that it asks for, where there is one that holds.
    pub fn suggest(&self, changes: &mut [Change]) {
        for change in changes {
            let Some(edits) = self.edits(change) else { continue };
            let Some(mapping) = self.tried(&edits) else { continue };
            if is_done(change, &mapping) {
                change.paste = edits.into_values().flatten().collect();
            } else if change.remedy == Remedy::TakeOut {
                "ask the sender for it: a key or a condition reads it, and no edit can do without"
                    .clone_into(&mut change.edit);
            }
        }
    }

    /// The mapping as it would be.
    fn tried(&self, edits: &Edits) -> Option<Mapping> {
        let mut library = self.library.clone();
        let mut source = self.source.clone();
        for (path, hunks) in edits {
            match path {
                None => source = Source::new(&source.name, &applied(&source.text, hunks)),
                Some(name) => {
                    let list = self.library.find(name)?;
                    library.add(&format!("codes/{name}.csv"), &list.name, &applied(&list.text, hunks));
                }
            }
        }
        library.compile(&source).ok()
    }

    fn edits(&self, change: &Change) -> Option<Edits> {
        let column = change.column.as_deref()?;
        let sheet = change.sheet.as_deref();
        let own = |hunks: Vec<Hunk>| (!hunks.is_empty()).then(|| Edits::from([(None, hunks)]));
        match &change.remedy {
            Remedy::None => None,
            Remedy::Rename(to) => own(self.renamed(column, to)),
            Remedy::TakeOut => own(self.without(sheet, column)),
            Remedy::Day(pattern) => own(self.each_field(sheet, column, |text| with_days(text, pattern))),
            Remedy::Blank => own(self.each_field(sheet, column, without_blank_rule)),
            Remedy::Wait => own(self.each_field(sheet, column, waiting)),
            Remedy::Column => own(self.with_column(sheet, column).into_iter().collect()),
            Remedy::Word { list: None, word, near, canonical } => {
                own(self.each_field(sheet, column, |text| with_word(text, word, near, canonical)))
            }
            Remedy::Word { list: Some(name), word, near, canonical } => {
                let list = self.library.find(name)?;
                Some(Edits::from([(Some(name.clone()), with_row(&list, name, word, near, canonical)?)]))
            }
        }
    }

    fn hunk(&self, line: usize, out: &str, put: String) -> Hunk {
        Hunk { file: self.source.name.to_string(), line, out: vec![out.to_owned()], put: vec![put] }
    }

    /// Every line that names a column, with the new name.
    fn renamed(&self, from: &str, to: &str) -> Vec<Hunk> {
        let (from, to) = (quoted(from), quoted(to));
        let lines = (1..).zip(self.source.text.lines());
        lines
            .filter(|(_, text)| !text.trim_start().starts_with('#'))
            .filter_map(|(line, text)| {
                let put = replaced(text, &from, &to);
                (put != text).then(|| self.hunk(line, text, put))
            })
            .collect()
    }

    fn fields(&self, sheet: Option<&str>, column: &str) -> impl Iterator<Item = &RawField> {
        let sheet = sheet.map(str::to_owned);
        let column = column.to_owned();
        let records = self.raw.records.iter().filter(move |record| {
            record.sheet.as_ref().map(|sheet| sheet.value.trim().to_lowercase())
                == sheet.as_ref().map(|sheet| sheet.trim().to_lowercase())
        });
        records
            .flat_map(|record| record.fields.iter().chain(&record.checks))
            .filter(move |field| field.from.iter().any(|from| bare(&from.value) == column))
    }

    /// The numbers of the lines on which something stands.
    fn lines_of(&self, span: &Range<usize>) -> Range<usize> {
        let number = |at: usize| self.source.text.get(..at).unwrap_or_default().matches('\n').count();
        number(span.start)..number(span.end.max(span.start + 1) - 1) + 1
    }

    /// The fields that read a column, each on a line of its own, edited.
    fn each_field(
        &self,
        sheet: Option<&str>,
        column: &str,
        edit: impl Fn(&str) -> Option<String>,
    ) -> Vec<Hunk> {
        let lines: Vec<&str> = self.source.text.lines().collect();
        let hunks = self.fields(sheet, column).filter_map(|field| {
            let at = self.lines_of(&field.span);
            let [text] = lines.get(at.clone())? else { return None };
            Some(self.hunk(at.start + 1, text, edit(text)?))
        });
        hunks.collect()
    }

    /// The lines of the fields that read a column and nothing else, taken out.
    fn without(&self, sheet: Option<&str>, column: &str) -> Vec<Hunk> {
        let lines: Vec<&str> = self.source.text.lines().collect();
        let hunks = self.fields(sheet, column).filter_map(|field| {
            let at = self.lines_of(&field.span);
            let texts = lines.get(at.clone())?;
            let is_whole = texts.first()?.trim_start().starts_with('{')
                && texts.last()?.trim_end().trim_end_matches(',').ends_with('}');
            (is_whole && field.from.len() == 1).then(|| Hunk {
                file: self.source.name.to_string(),
                line: at.start + 1,
                out: texts.iter().map(|text| (*text).to_owned()).collect(),
                put: Vec::new(),
            })
        });
        hunks.collect()
    }

    /// The list of columns with one more, where the mapping lists them.
    fn with_column(&self, sheet: Option<&str>, column: &str) -> Option<Hunk> {
        let is_of = |text: &str| match sheet {
            None => text.starts_with("columns = ["),
            Some(sheet) => {
                text.starts_with(&format!("{} = [", quoted(sheet)))
                    || text.starts_with(&format!("{sheet} = ["))
            }
        };
        let lines: Vec<&str> = self.source.text.lines().collect();
        let start = lines.iter().position(|text| is_of(text))?;
        let end = start + lines.get(start..)?.iter().position(|text| text.trim_end().ends_with(']'))?;
        let last = lines.get(end)?;
        let inner = last.trim_end().strip_suffix(']')?;
        let comma = if inner.trim_end().ends_with([',', '[']) || inner.trim().is_empty() { "" } else { "," };
        let new = quoted(column);
        Some(if inner.trim().is_empty() {
            let put = vec![format!("  {new},"), (*last).to_owned()];
            Hunk { file: self.source.name.to_string(), line: end + 1, out: vec![(*last).to_owned()], put }
        } else {
            self.hunk(end + 1, last, format!("{inner}{comma} {new}]"))
        })
    }
}

/// A text with lines taken out and put in.
#[must_use]
pub fn applied(text: &str, hunks: &[Hunk]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut in_order: Vec<&Hunk> = hunks.iter().collect();
    in_order.sort_by_key(|hunk| std::cmp::Reverse(hunk.line));
    for hunk in in_order {
        let start = (hunk.line.saturating_sub(1)).min(lines.len());
        let end = (start + hunk.out.len()).min(lines.len());
        lines.splice(start..end, hunk.put.iter().cloned());
    }
    lines.join("\n") + "\n"
}

/// Whether the edited mapping does what the edit is for.
fn is_done(change: &Change, mapping: &Mapping) -> bool {
    let (Some(column), sheet) = (change.column.as_deref(), change.sheet.as_deref()) else { return false };
    match &change.remedy {
        Remedy::None => false,
        Remedy::Rename(to) => mapping.is_read(sheet, to) && !mapping.is_read(sheet, column),
        Remedy::TakeOut => !mapping.is_read(sheet, column),
        Remedy::Day(pattern) => {
            mapping.takes(sheet, column, crate::mapping::profile::Shape::Day(pattern)) == Some(true)
        }
        Remedy::Blank => !mapping.refuses_blank(sheet, column),
        Remedy::Column => mapping.lists(sheet, column),
        Remedy::Word { word, .. } => mapping.list_of(sheet, column).is_some_and(|list| list.holds(word)),
        Remedy::Wait => true,
    }
}

/// Keys whose text is a value and never the name of a column.
const VALUES: [&str; 6] = ["value", "is", "default", "to", "codes", "title"];

/// A line in which every name of a column is replaced, and no value.
fn replaced(text: &str, from: &str, to: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(from) {
        out.push_str(before);
        let key = before.trim_end().strip_suffix('=').map(str::trim_end);
        let is_value = key.is_some_and(|key| {
            let word = key.rsplit(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
            VALUES.contains(&word)
        });
        out.push_str(if is_value { from } else { to });
        rest = after;
    }
    out + rest
}

/// A field that reads days written another way.
fn with_days(text: &str, pattern: &str) -> Option<String> {
    let op = match pattern {
        "%Y-%m-%d" => "\"date\"".to_owned(),
        pattern => format!("{{ date = {} }}", quoted(pattern)),
    };
    let Some((before, after)) = text.split_once("as = ") else {
        let (before, after) = text.split_once("from = \"")?;
        let (name, after) = after.split_once('"')?;
        return Some(format!("{before}from = \"{name}\", as = {op}{after}"));
    };
    let rest = match after.strip_prefix("{ date = \"") {
        Some(after) => after.split_once("\" }")?.1,
        None => after.strip_prefix("\"date\"")?,
    };
    Some(format!("{before}as = {op}{rest}"))
}

/// A field that takes a blank, and says so.
fn without_blank_rule(text: &str) -> Option<String> {
    ["reject", "quarantine"].iter().find_map(|rule| {
        let rule = format!("blank = \"{rule}\"");
        text.contains(&rule).then(|| text.replace(&rule, "blank = \"warn\""))
    })
}

/// A field that sets a unit aside whose word is not on its list.
fn waiting(text: &str) -> Option<String> {
    if text.contains("other = \"reject\"") {
        return Some(text.replace("other = \"reject\"", "other = \"quarantine\""));
    }
    let closing = text.rfind('}')?;
    let (before, after) = text.split_at_checked(closing)?;
    (!before.contains("other = ")).then(|| format!("{}, other = \"quarantine\" {after}", before.trim_end()))
}

/// A field whose words in place have one more.
fn with_word(text: &str, word: &str, near: &str, canonical: &str) -> Option<String> {
    let pair = |name: &str| format!("{name} = {}", quoted(canonical));
    let known = [pair(&quoted(near)), pair(near)].into_iter().find(|pair| text.contains(pair.as_str()))?;
    Some(text.replacen(&known, &format!("{known}, {}", pair(&quoted(word))), 1))
}

/// A code list with a row for a word that means what a known one does. The known one stays the way
/// back.
fn with_row(list: &Source, name: &str, word: &str, near: &str, canonical: &str) -> Option<Vec<Hunk>> {
    let file = list.name.to_string();
    let lines: Vec<&str> = list.text.lines().collect();
    let parsed = CodeList::parse(name, list).ok()?;
    let row = |cells: [&str; 4]| {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(cells).ok()?;
        let text = String::from_utf8(writer.into_inner().ok()?).ok()?;
        Some(text.trim_end().to_owned())
    };
    let mut hunks = Vec::new();
    if parsed.sources_of(canonical) == 1 {
        let known = [format!("{near},{canonical},,"), row([near, canonical, "", ""])?];
        let at = lines.iter().position(|line| known.iter().any(|known| line.starts_with(known.as_str())));
        if let Some((at, line)) = at.and_then(|at| Some((at, *lines.get(at)?))) {
            let put = line.replacen(&format!("{canonical},,"), &format!("{canonical},yes,"), 1);
            hunks.push(Hunk { file: file.clone(), line: at + 1, out: vec![line.to_owned()], put: vec![put] });
        }
    }
    hunks.push(Hunk {
        file,
        line: lines.len() + 1,
        out: Vec::new(),
        put: vec![row([word, canonical, "", ""])?],
    });
    Some(hunks)
}
