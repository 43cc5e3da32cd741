//! What a workbook holds besides its values, looked at in passing while its size is checked:
//! merged cells, copies of data behind pivot tables, formulas never calculated, colours.
//!
//! Nothing here is built: the markup of each part is walked through tag by tag.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::limit::{
    COLUMNS_MAX, HEADER_SEARCH_ROWS_MAX, TAG_BYTES_MAX, UNCALCULATED_MAX, WORKBOOK_PART_BYTES_MAX,
};
use crate::format::charset::count;

/// What was seen of a workbook's parts.
#[derive(Default)]
pub(crate) struct Looks {
    sheets: BTreeMap<String, SheetLook>,
    /// Small parts, whole: which sheet is in which part, and which styles have a colour.
    small: BTreeMap<&'static str, Vec<u8>>,
    /// True where a pivot table brings its own copy of the data it was made from.
    pub(super) has_pivot: bool,
}

/// What was seen of one sheet.
#[derive(Default)]
pub(super) struct SheetLook {
    tags: Tags,
    cell: Option<OpenCell>,
    /// Bytes of text passed since a value was opened.
    value_from: Option<u64>,
    /// Merged areas, and the lowest row of any.
    pub(super) merged: u64,
    pub(super) merged_to: u32,
    /// The first merged area, as the sheet writes it.
    pub(super) merged_first: String,
    /// Cells, from 0, whose formula has no result; the first of them.
    pub(super) uncalculated: BTreeSet<(u32, u32)>,
    pub(super) uncalculated_count: u64,
    /// Of each column, how many cells have which style.
    columns: Vec<Vec<StyleUse>>,
}

/// A style in one column.
#[derive(Clone, Default)]
struct StyleUse {
    style: u32,
    /// Rows from 0 among those in which the header may stand.
    early: Vec<u32>,
    /// How many cells further down, and the first row of them.
    late: u64,
    late_first: u32,
}

#[derive(Clone, Copy)]
struct OpenCell {
    row: u32,
    column: u32,
    has_formula: bool,
    has_value: bool,
}

/// Walks through markup, a piece at a time.
#[derive(Default)]
struct Tags {
    tag: Vec<u8>,
    is_in_tag: bool,
    text_bytes: u64,
}

const SMALL: [&str; 3] = ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"];

impl Looks {
    /// Takes a piece of a part.
    pub(crate) fn piece(&mut self, part: &str, piece: &[u8]) {
        if part.starts_with("xl/pivotCache/") {
            self.has_pivot = true;
        } else if let Some(name) = part.strip_prefix("xl/worksheets/").filter(|name| !name.contains('/')) {
            if !self.sheets.contains_key(name) {
                self.sheets.insert(name.to_owned(), SheetLook::default());
            }
            if let Some(sheet) = self.sheets.get_mut(name) {
                sheet.piece(piece);
            }
        } else if let Some(name) = SMALL.iter().find(|name| **name == part) {
            let held = self.small.entry(name).or_default();
            let room = WORKBOOK_PART_BYTES_MAX.saturating_sub(held.len());
            held.extend(piece.iter().take(room));
        }
    }

    /// What was seen of the sheet of that name.
    pub(super) fn sheet(&self, name: &str) -> Option<&SheetLook> {
        let id = tags_of(self.small("xl/workbook.xml"))
            .find(|tag| is_named(tag, "sheet") && value_of(tag, "name").is_some_and(|found| found == name))
            .and_then(|tag| value_of(&tag, "r:id"))?;
        let target = tags_of(self.small("xl/_rels/workbook.xml.rels"))
            .find(|tag| is_named(tag, "Relationship") && value_of(tag, "Id").as_ref() == Some(&id))
            .and_then(|tag| value_of(&tag, "Target"))?;
        self.sheets.get(target.rsplit('/').next()?)
    }

    /// The styles whose cells have a colour of their own (Office Open XML, part 1, section
    /// 18.8.20: the first two fills are none and grey dots).
    pub(super) fn coloured(&self) -> BTreeSet<u32> {
        let mut is_in_styles = false;
        let mut styles = BTreeSet::new();
        let mut number = 0;
        let white: BTreeSet<u32> = self.plain_fills();
        for tag in tags_of(self.small("xl/styles.xml")) {
            match () {
                () if is_named(&tag, "cellXfs") => is_in_styles = true,
                () if tag.starts_with("/cellXfs") => is_in_styles = false,
                () if is_in_styles && is_named(&tag, "xf") => {
                    let fill = value_of(&tag, "fillId").and_then(|fill| fill.parse().ok()).unwrap_or(0);
                    if !white.contains(&fill) {
                        styles.insert(number);
                    }
                    number += 1;
                }
                () => {}
            }
        }
        styles
    }

    /// Fills that show nothing: none, or white.
    fn plain_fills(&self) -> BTreeSet<u32> {
        let mut plain = BTreeSet::from([0, 1]);
        let (mut number, mut is_solid, mut is_white) = (0, false, false);
        for tag in tags_of(self.small("xl/styles.xml")) {
            match () {
                () if is_named(&tag, "fill") => (is_solid, is_white) = (false, false),
                () if is_named(&tag, "patternFill") => {
                    is_solid = value_of(&tag, "patternType").is_some_and(|kind| kind != "none");
                }
                () if is_named(&tag, "gradientFill") => is_solid = true,
                () if is_named(&tag, "fgColor") => {
                    let rgb = value_of(&tag, "rgb").is_some_and(|rgb| rgb.eq_ignore_ascii_case("FFFFFFFF"));
                    is_white = rgb || value_of(&tag, "theme").is_some_and(|theme| theme == "0");
                }
                () if tag.starts_with("/fill") && !tag.starts_with("/fills") => {
                    if !is_solid || is_white {
                        plain.insert(number);
                    }
                    number += 1;
                }
                () => {}
            }
        }
        plain
    }

    fn small(&self, part: &str) -> &[u8] {
        self.small.get(part).map(Vec::as_slice).unwrap_or_default()
    }
}

impl SheetLook {
    fn piece(&mut self, piece: &[u8]) {
        let mut tags = std::mem::take(&mut self.tags);
        tags.piece(piece, |tag, text_bytes| self.tag(tag, text_bytes));
        self.tags = tags;
    }

    fn tag(&mut self, tag: &[u8], text_bytes: u64) {
        match tag {
            [b'c', b' ' | b'/', ..] | b"c" => self.open(tag),
            [b'f', b' ' | b'/', ..] | b"f" => {
                if let Some(cell) = &mut self.cell {
                    cell.has_formula = true;
                }
            }
            b"v" | b"is" | [b'v', b' ', ..] => self.value_from = Some(text_bytes),
            b"/v" | b"/is" => {
                let is_filled = self.value_from.take().is_some_and(|from| text_bytes > from);
                if let Some(cell) = &mut self.cell {
                    cell.has_value |= is_filled;
                }
            }
            b"/c" => self.close(),
            _ if tag.starts_with(b"mergeCell ") => self.merge(tag),
            _ => {}
        }
    }

    fn open(&mut self, tag: &[u8]) {
        let Some((row, column)) = raw_value_of(tag, b" r=").and_then(place_of) else { return };
        let style = raw_value_of(tag, b" s=").and_then(number_of).unwrap_or(0);
        self.note_style(row, column, style);
        let is_empty = tag.ends_with(b"/");
        self.cell = (!is_empty).then_some(OpenCell { row, column, has_formula: false, has_value: false });
    }

    fn close(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        if cell.has_formula && !cell.has_value {
            self.uncalculated_count += 1;
            if self.uncalculated.len() < UNCALCULATED_MAX {
                self.uncalculated.insert((cell.row, cell.column));
            }
        }
    }

    fn merge(&mut self, tag: &[u8]) {
        let Some(area) = raw_value_of(tag, b" ref=") else { return };
        let last = area.split(|byte| *byte == b':').next_back().and_then(place_of);
        self.merged += 1;
        self.merged_to = self.merged_to.max(last.map_or(0, |(row, _)| row));
        if self.merged_first.is_empty() {
            self.merged_first = String::from_utf8_lossy(area).into_owned();
        }
    }

    fn note_style(&mut self, row: u32, column: u32, style: u32) {
        let Ok(column) = usize::try_from(column) else { return };
        if column >= COLUMNS_MAX {
            return;
        }
        if self.columns.len() <= column {
            self.columns.resize(column + 1, Vec::new());
        }
        let Some(uses) = self.columns.get_mut(column) else { return };
        let at = match uses.iter().position(|known| known.style == style) {
            Some(at) => at,
            None if uses.len() >= STYLES_A_COLUMN_MAX => return,
            None => {
                uses.push(StyleUse { style, late_first: u32::MAX, ..StyleUse::default() });
                uses.len() - 1
            }
        };
        let Some(known) = uses.get_mut(at) else { return };
        if usize::try_from(row).is_ok_and(|row| row < HEADER_SEARCH_ROWS_MAX) {
            known.early.push(row);
        } else {
            known.late += 1;
            known.late_first = known.late_first.min(row);
        }
    }

    /// Where below the header, in the columns that have a name, some cells of a column have a
    /// colour and others have not: how many, and the first, as row from 0 and column.
    pub(super) fn coloured(
        &self,
        styles: &BTreeSet<u32>,
        header: u32,
        columns: usize,
    ) -> Option<(u64, u32, usize)> {
        let (mut total, mut first) = (0, None::<(u32, usize)>);
        for (column, uses) in self.columns.iter().take(columns).enumerate() {
            let below = |known: &StyleUse| {
                let early = known.early.iter().filter(|row| **row >= header);
                (count(early.clone().count()) + known.late, early.copied().min().unwrap_or(known.late_first))
            };
            let sum = |is_coloured: bool| -> u64 {
                let wanted = uses.iter().filter(|known| styles.contains(&known.style) == is_coloured);
                wanted.map(|known| below(known).0).sum()
            };
            let (with, without) = (sum(true), sum(false));
            if with == 0 || without == 0 {
                continue;
            }
            total += with;
            let rows = uses.iter().filter(|known| styles.contains(&known.style) && below(known).0 > 0);
            let row = rows.map(|known| below(known).1).min().unwrap_or_default();
            first = first.into_iter().chain([(row, column)]).min();
        }
        first.map(|(row, column)| (total, row, column))
    }
}

/// Styles of one column that are told apart; people use a handful.
const STYLES_A_COLUMN_MAX: usize = 64;

impl Tags {
    /// Gives each tag without its brackets, and how many bytes of text came before it.
    fn piece(&mut self, mut piece: &[u8], mut give: impl FnMut(&[u8], u64)) {
        while !piece.is_empty() {
            let mark = if self.is_in_tag { b'>' } else { b'<' };
            let found = memchr::memchr(mark, piece);
            let (before, after) = match found {
                Some(at) => (piece.get(..at).unwrap_or_default(), piece.get(at + 1..).unwrap_or_default()),
                None => (piece, [].as_slice()),
            };
            if !self.is_in_tag {
                self.text_bytes += count(before.len());
            } else if found.is_some() && self.tag.is_empty() {
                give(before, self.text_bytes);
            } else {
                if self.tag.len() < TAG_BYTES_MAX {
                    self.tag.extend_from_slice(before);
                }
                if found.is_some() {
                    give(&self.tag, self.text_bytes);
                    self.tag.clear();
                }
            }
            if found.is_some() {
                self.is_in_tag = !self.is_in_tag;
            }
            piece = after;
        }
    }
}

/// The tags of a part that is held whole, without their brackets.
fn tags_of(part: &[u8]) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    Tags::default().piece(part, |tag, _| found.push(String::from_utf8_lossy(tag).into_owned()));
    found.into_iter()
}

/// True for a start tag of that name, whatever its prefix.
fn is_named(tag: &str, name: &str) -> bool {
    let end = tag.find([' ', '/', '\n', '\r', '\t']).unwrap_or(tag.len());
    let (full, _) = tag.split_at(end);
    full.rsplit(':').next() == Some(name)
}

/// The text of an attribute, unescaped.
fn value_of(tag: &str, name: &str) -> Option<String> {
    let (_, after) = tag.split_once(&format!(" {name}="))?;
    let quote = after.chars().next()?;
    let text = after.strip_prefix(quote)?.split(quote).next()?;
    quick_xml::escape::unescape(text).ok().map(std::borrow::Cow::into_owned)
}

/// The bytes of an attribute: `begins` is a blank, its name and the equals sign.
fn raw_value_of<'t>(tag: &'t [u8], begins: &[u8]) -> Option<&'t [u8]> {
    let at = memchr::memmem::find(tag, begins)? + begins.len();
    let (quote, rest) = tag.get(at..)?.split_first()?;
    rest.split(|byte| byte == quote).next()
}

fn number_of(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// `B12` as row and column from 0.
fn place_of(reference: &[u8]) -> Option<(u32, u32)> {
    let letters = reference.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let column = reference.get(..letters)?.iter().try_fold(0_u32, |column, letter| {
        column.checked_mul(26)?.checked_add(u32::from(letter.to_ascii_uppercase() - b'A') + 1)
    })?;
    let row = number_of(reference.get(letters..)?)?;
    Some((row.checked_sub(1)?, column.checked_sub(1)?))
}
