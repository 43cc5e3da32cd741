//! What a workbook's styles say that matters here: which numbers are dates, which cells have a
//! colour.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use super::markup::{Broken, Markup, Token, attribute, is_end, name_of};
use crate::base::limit::STYLES_MAX;

/// What the numbers of a style are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Shown {
    /// Numbers.
    #[default]
    Number,
    /// Days or times of day.
    Moment,
    /// Lengths of time.
    Duration,
}

/// The styles of a workbook.
#[derive(Debug, Default)]
pub(super) struct Styles {
    shown: Vec<Shown>,
    /// Those whose cells have a colour of their own.
    pub(super) coloured: BTreeSet<u32>,
}

impl Styles {
    /// What the numbers of a style are.
    pub(super) fn shown(&self, style: u32) -> Shown {
        let index = usize::try_from(style).unwrap_or(usize::MAX);
        self.shown.get(index).copied().unwrap_or_default()
    }

    /// Reads them from their part (ECMA-376 part 1, section 18.8).
    pub(super) fn read(part: impl Read) -> Result<Self, Broken> {
        let mut styles = Self::default();
        let mut formats: BTreeMap<u32, Shown> = BTreeMap::new();
        let mut fill = Fill::default();
        // The first two fills are none and grey dots (section 18.8.20).
        let mut plain = BTreeSet::from([0, 1]);
        let (mut fills, mut is_in_cells) = (0, false);
        let mut markup = Markup::new(part);
        while let Some(token) = markup.next()? {
            let Token::Tag(tag) = token else { continue };
            if formats.len().max(plain.len()).max(styles.shown.len()) > STYLES_MAX {
                return Err(Broken::TooMany("styles", STYLES_MAX));
            }
            match (name_of(tag), is_end(tag)) {
                (b"numFmt", false) => {
                    if let (Some(id), Some(code)) = (number(tag, "numFmtId"), attribute(tag, "formatCode")) {
                        formats.insert(id, shown_by(&code));
                    }
                }
                (b"fill", false) => fill = Fill::default(),
                (b"fill", true) => {
                    if !fill.is_solid || fill.is_white {
                        plain.insert(fills);
                    }
                    fills += 1;
                }
                (b"cellXfs", is_end) => is_in_cells = !is_end,
                (b"xf", false) if is_in_cells => {
                    let id = number(tag, "numFmtId").unwrap_or_default();
                    if number(tag, "fillId").is_some_and(|fill| !plain.contains(&fill)) {
                        styles.coloured.insert(u32::try_from(styles.shown.len()).unwrap_or(u32::MAX));
                    }
                    styles.shown.push(formats.get(&id).copied().unwrap_or_else(|| built_in(id)));
                }
                (_, false) => fill.tag(tag),
                _ => {}
            }
        }
        Ok(styles)
    }
}

/// What is known of a fill so far.
#[derive(Default)]
struct Fill {
    is_solid: bool,
    is_white: bool,
}

impl Fill {
    fn tag(&mut self, tag: &[u8]) {
        match name_of(tag) {
            b"patternFill" => {
                self.is_solid = attribute(tag, "patternType").is_some_and(|kind| kind != "none");
            }
            b"gradientFill" => self.is_solid = true,
            b"fgColor" => {
                let rgb = attribute(tag, "rgb").is_some_and(|rgb| rgb.eq_ignore_ascii_case("FFFFFFFF"));
                self.is_white = rgb || attribute(tag, "theme").is_some_and(|theme| theme == "0");
            }
            _ => {}
        }
    }
}

fn number(tag: &[u8], name: &str) -> Option<u32> {
    attribute(tag, name)?.trim().parse().ok()
}

/// The formats that every workbook has (section 18.8.30), those of East Asia too.
const fn built_in(id: u32) -> Shown {
    match id {
        14..=22 | 27..=36 | 45 | 47 | 50..=58 => Shown::Moment,
        46 => Shown::Duration,
        _ => Shown::Number,
    }
}

/// What a format of the sender's own shows (section 18.8.31): its first section, without what is
/// quoted, escaped, or said in brackets.
fn shown_by(code: &str) -> Shown {
    let mut letters = code.chars();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let letter = letter.to_ascii_lowercase();
        match letter {
            ';' => break,
            '"' => drop(letters.by_ref().find(|letter| *letter == '"')),
            // The next one stands for itself, or for a width.
            '\\' | '_' | '*' => drop(letters.next()),
            '[' => {
                let inner: String = letters.by_ref().take_while(|letter| *letter != ']').collect();
                if matches!(inner.to_ascii_lowercase().as_str(), "h" | "hh" | "m" | "mm" | "s" | "ss") {
                    return Shown::Duration;
                }
            }
            'd' | 'm' | 'y' | 'h' | 's' => return Shown::Moment,
            // `AM/PM` and `A/P`.
            '/' if before == 'a' => return Shown::Moment,
            _ => {}
        }
        before = letter;
    }
    Shown::Number
}

#[cfg(test)]
mod tests {
    use super::{Shown, shown_by};

    #[test]
    fn which_formats_show_dates() {
        for code in ["dd/mm/yyyy", "yyyy\\-mm\\-dd", "[$-809]d mmmm yyyy;@", "hh:mm AM/PM", "A/P", "mmm-yy"] {
            assert_eq!(shown_by(code), Shown::Moment, "{code}");
        }
        for code in ["[h]:mm:ss", "[mm]:ss", "[Red][s].00"] {
            assert_eq!(shown_by(code), Shown::Duration, "{code}");
        }
        for code in [
            "General",
            "0.00",
            "#,##0_ ;[Red]-#,##0",
            "0\" days\"",
            "\\d0",
            "0_d",
            "[$£-809]#,##0",
            "0.0E+00",
            "0;dd",
        ] {
            assert_eq!(shown_by(code), Shown::Number, "{code}");
        }
    }
}
