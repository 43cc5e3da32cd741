//! The cells of a sheet, one after another, and after them which are merged (ECMA-376 part 1,
//! section 18.3).

use std::io::Read;

use super::markup::{Broken, Markup, Token, attributes, is_empty, is_end, name_of};
use super::moment;
use super::run::{Run, append, cut, unescape};
use super::style::{Shown, Styles};
use super::texts::Texts;
use crate::base::day::Day;
use crate::format::Cell;

/// Reads the cells of a sheet.
pub(super) struct Cells<'b, 's, R> {
    markup: Markup<R>,
    texts: &'b mut Texts<'s>,
    styles: &'b Styles,
    is_1904: bool,
    /// Where the next cell stands that does not say so itself; from 0.
    row: u32,
    column: u32,
    is_begun: bool,
    /// The value as it is written.
    raw: Vec<u8>,
    run: Run,
    text: String,
}

/// One cell.
pub(super) struct Seen<'c> {
    pub(super) place: Spot,
    pub(super) style: u32,
    /// True for an Excel error.
    pub(super) is_error: bool,
    /// True for a formula that has no result.
    pub(super) is_uncalculated: bool,
    pub(super) cell: Cell<'c>,
}

/// Row and column, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) row: u32,
    pub(super) column: u32,
}

/// What a cell's tag says of it.
struct Opened {
    place: Spot,
    style: u32,
    kind: Kind,
}

/// What a cell holds (section 18.18.11).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A number, unless it cannot be: not said.
    Any,
    Number,
    Shared,
    Text,
    Inline,
    Bool,
    Error,
    Iso,
}

impl<'b, 's, R: Read> Cells<'b, 's, R> {
    pub(super) fn new(part: R, texts: &'b mut Texts<'s>, styles: &'b Styles, is_1904: bool) -> Self {
        Self {
            markup: Markup::new(part),
            texts,
            styles,
            is_1904,
            row: 0,
            column: 0,
            is_begun: false,
            raw: Vec::new(),
            run: Run::default(),
            text: String::new(),
        }
    }

    /// The next cell; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<Seen<'_>>, Broken> {
        let (opened, is_whole) = loop {
            let Some(token) = self.markup.next()? else { return Err(Broken::Damaged) };
            let Token::Tag(tag) = token else { continue };
            match (name_of(tag), is_end(tag)) {
                (b"c", false) if self.is_begun => {
                    let opened = opened(tag, Spot { row: self.row, column: self.column })?;
                    break (opened, is_empty(tag));
                }
                (b"row", false) if self.is_begun => {
                    let said = attributes(tag).find(|(name, _)| *name == b"r");
                    if let Some((_, number)) = said {
                        self.row = row_of(number).ok_or(Broken::Damaged)?;
                    }
                    self.column = 0;
                    self.row += u32::from(is_empty(tag));
                }
                (b"row", true) => {
                    self.row = self.row.saturating_add(1);
                    self.column = 0;
                }
                (b"sheetData", false) if !is_empty(tag) => self.is_begun = true,
                (b"sheetData", _) => return Ok(None),
                _ => {}
            }
        };
        (self.row, self.column) = (opened.place.row, opened.place.column.saturating_add(1));
        let has_formula = !is_whole && self.fill()?;
        let kind = if is_whole { Kind::Any } else { opened.kind };
        let is_blank = is_whole || (kind != Kind::Inline && self.raw.is_empty());
        let cell = if is_blank { Cell::Absent } else { self.value(kind, opened.style)? };
        Ok(Some(Seen {
            place: opened.place,
            style: opened.style,
            is_error: kind == Kind::Error,
            // A formula whose result is an empty text says that it is a text.
            is_uncalculated: has_formula && is_blank && kind != Kind::Text,
            cell,
        }))
    }

    /// Reads to the end of a cell; true if it holds a formula.
    fn fill(&mut self) -> Result<bool, Broken> {
        self.raw.clear();
        self.run.clear();
        let (mut has_formula, mut is_value, mut is_text) = (false, false, false);
        while let Some(token) = self.markup.next()? {
            match token {
                Token::Tag(tag) => match (name_of(tag), is_end(tag)) {
                    (b"c", true) => return Ok(has_formula),
                    (b"v", is_end) => is_value = !is_end && !is_empty(tag),
                    (b"is", is_end) => is_text = !is_end && !is_empty(tag),
                    (b"f", false) => has_formula = true,
                    _ if is_text => self.run.tag(tag)?,
                    (b"c" | b"row" | b"sheetData", _) => return Err(Broken::Damaged),
                    _ => {}
                },
                Token::Text(piece) if is_value => append(&mut self.raw, piece, false),
                Token::Plain(piece) if is_value => append(&mut self.raw, piece, true),
                Token::Text(piece) => self.run.piece(piece, false),
                Token::Plain(piece) => self.run.piece(piece, true),
            }
        }
        Err(Broken::Damaged)
    }

    /// What was read, as what it is.
    fn value(&mut self, kind: Kind, style: u32) -> Result<Cell<'_>, Broken> {
        let raw = self.raw.as_slice();
        Ok(match kind {
            Kind::Inline => Cell::Text(self.run.text()),
            Kind::Shared => {
                let number = digits(raw.trim_ascii()).ok_or(Broken::Damaged)?;
                let number = usize::try_from(number).map_err(|_large| Broken::Damaged)?;
                Cell::Text(self.texts.get(number)?.ok_or(Broken::Damaged)?)
            }
            Kind::Error => Cell::Absent,
            Kind::Bool => match raw.trim_ascii() {
                b"1" | b"true" => Cell::Bool(true),
                b"0" | b"false" => Cell::Bool(false),
                _ => return Err(Broken::Damaged),
            },
            Kind::Any | Kind::Number => match (number_of(raw.trim_ascii()), self.styles.shown(style)) {
                (Some(number), Shown::Number | Shown::Duration) => Cell::Number(number),
                (Some(number), Shown::Moment) => moment::cell_of(number, self.is_1904, &mut self.text),
                (None, _) if kind == Kind::Number => return Err(Broken::Damaged),
                (None, _) => Cell::Text(self.unescaped()?),
            },
            Kind::Iso => {
                let text = self.unescaped()?;
                let day = text.trim_end_matches("T00:00:00").parse::<Day>();
                day.map_or(Cell::Text(text), Cell::Day)
            }
            Kind::Text => Cell::Text(self.unescaped()?),
        })
    }

    fn unescaped(&mut self) -> Result<&str, Broken> {
        self.text.clear();
        unescape(&self.raw, &mut self.text)?;
        Ok(cut(&self.text))
    }

    /// Goes on to the end of the sheet, and gives each area of merged cells.
    pub(super) fn merged(mut self, mut give: impl FnMut(&[u8])) -> Result<(), Broken> {
        while let Some(token) = self.markup.next()? {
            let Token::Tag(tag) = token else { continue };
            if name_of(tag) == b"mergeCell"
                && let Some((_, area)) = attributes(tag).find(|(name, _)| *name == b"ref")
            {
                give(area);
            }
        }
        Ok(())
    }
}

fn opened(tag: &[u8], usual: Spot) -> Result<Opened, Broken> {
    let mut opened = Opened { place: usual, style: 0, kind: Kind::Any };
    for (name, value) in attributes(tag) {
        match name {
            b"r" => opened.place = place_of(value).ok_or(Broken::Damaged)?,
            b"s" => opened.style = digits(value).unwrap_or_default(),
            b"t" => {
                opened.kind = match value {
                    b"n" => Kind::Number,
                    b"s" => Kind::Shared,
                    b"str" => Kind::Text,
                    b"inlineStr" | b"is" => Kind::Inline,
                    b"b" => Kind::Bool,
                    b"e" => Kind::Error,
                    b"d" => Kind::Iso,
                    _ => return Err(Broken::Damaged),
                }
            }
            _ => {}
        }
    }
    Ok(opened)
}

/// A number as XML writes one: neither infinite nor a word.
fn number_of(raw: &[u8]) -> Option<f64> {
    if !matches!(raw.first(), Some(b'0'..=b'9' | b'-' | b'+' | b'.')) {
        return None;
    }
    std::str::from_utf8(raw).ok()?.parse().ok().filter(|number: &f64| number.is_finite())
}

fn digits(raw: &[u8]) -> Option<u32> {
    if raw.is_empty() {
        return None;
    }
    raw.iter().try_fold(0_u32, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

fn row_of(raw: &[u8]) -> Option<u32> {
    digits(raw)?.checked_sub(1)
}

/// `B12` as row and column from 0.
pub(super) fn place_of(reference: &[u8]) -> Option<Spot> {
    let letters = reference.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (letters, number) = reference.split_at_checked(letters)?;
    let column = letters.iter().try_fold(0_u32, |column, letter| {
        column.checked_mul(26)?.checked_add(u32::from(letter.to_ascii_uppercase() - b'A') + 1)
    })?;
    Some(Spot { row: row_of(number)?, column: column.checked_sub(1)? })
}
