//! A row as it is put aside in a private file, and back.

use std::io::{self, Read, Write};

use super::row::SheetRow;
use crate::base::day::Day;
use crate::format::Cell;
use crate::format::charset::count;

/// Why a row has no value that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A cell, from 0, holds an Excel error.
    Error(usize),
    /// A cell, from 0, holds a formula that was never calculated.
    Uncalculated(usize),
    /// It is longer than any row can be.
    TooLarge,
}

/// Where a row stands, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) sheet: usize,
    pub(super) line: u64,
    pub(super) wrong: Option<Wrong>,
}

/// Puts rows aside, and takes them back.
#[derive(Default)]
pub(super) struct Shelf {
    bytes: Vec<u8>,
}

impl Shelf {
    /// The row's length; sheet, line, what is wrong and where; and its cells.
    pub(super) fn write(&mut self, kept: Kept, row: &SheetRow, target: &mut impl Write) -> io::Result<()> {
        let (wrong, column) = match kept.wrong {
            None => (0, 0),
            Some(Wrong::Error(column)) => (1, column),
            Some(Wrong::Uncalculated(column)) => (2, column),
            Some(Wrong::TooLarge) => (3, 0),
        };
        let bytes = &mut self.bytes;
        bytes.clear();
        bytes.extend([0; 8]);
        bytes.push(wrong);
        for number in [count(kept.sheet), kept.line, count(column)] {
            bytes.extend(number.to_le_bytes());
        }
        for column in 0..row.len() {
            match row.cell(column) {
                Cell::Absent | Cell::Delete => bytes.push(0),
                Cell::Text(text) => {
                    bytes.push(1);
                    // A row's text is far below four gigabytes.
                    bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
                    bytes.extend_from_slice(text.as_bytes());
                }
                Cell::Number(number) => {
                    bytes.push(2);
                    bytes.extend(number.to_le_bytes());
                }
                Cell::Day(day) => {
                    let (year, month, day) = day.parts();
                    bytes.push(3);
                    bytes.extend(year.to_le_bytes());
                    bytes.extend(month.to_le_bytes());
                    bytes.extend(day.to_le_bytes());
                }
                Cell::Bool(truth) => bytes.extend([4, u8::from(truth)]),
            }
        }
        let length = count(bytes.len() - 8).to_le_bytes();
        bytes.iter_mut().zip(length).for_each(|(place, byte)| *place = byte);
        target.write_all(bytes)
    }

    /// The next row; `None` after the last.
    pub(super) fn read(&mut self, kept: &mut impl Read, row: &mut SheetRow) -> io::Result<Option<Kept>> {
        row.clear();
        self.bytes.clear();
        kept.by_ref().take(8).read_to_end(&mut self.bytes)?;
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let length = number(&mut self.bytes.as_slice()).ok_or_else(changed)?;
        self.bytes.clear();
        kept.by_ref().take(length).read_to_end(&mut self.bytes)?;
        self.parse(row).ok_or_else(changed).map(Some)
    }

    fn parse(&self, row: &mut SheetRow) -> Option<Kept> {
        let mut rest = self.bytes.as_slice();
        let [wrong] = some(&mut rest)?;
        let sheet = usize::try_from(number(&mut rest)?).ok()?;
        let line = number(&mut rest)?;
        let column = usize::try_from(number(&mut rest)?).ok()?;
        let wrong = match wrong {
            0 => None,
            1 => Some(Wrong::Error(column)),
            2 => Some(Wrong::Uncalculated(column)),
            _ => Some(Wrong::TooLarge),
        };
        while let Some([kind]) = some(&mut rest) {
            match kind {
                1 => {
                    let length = usize::try_from(u32::from_le_bytes(some(&mut rest)?)).ok()?;
                    let text = rest.split_off(..length)?;
                    row.push(Cell::Text(std::str::from_utf8(text).ok()?));
                }
                2 => row.push(Cell::Number(f64::from_le_bytes(some(&mut rest)?))),
                3 => {
                    let year = i16::from_le_bytes(some(&mut rest)?);
                    let month = i8::from_le_bytes(some(&mut rest)?);
                    row.push(Cell::Day(Day::new(year, month, i8::from_le_bytes(some(&mut rest)?))?));
                }
                4 => row.push(Cell::Bool(some(&mut rest)? == [1])),
                _ => row.push(Cell::Absent),
            }
        }
        Some(Kept { sheet, line, wrong })
    }
}

fn some<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    rest.split_off(..N)?.try_into().ok()
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    some(rest).map(u64::from_le_bytes)
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the temporary file was changed")
}

#[cfg(test)]
mod tests {
    use super::{Kept, Shelf, Wrong};
    use crate::base::day::Day;
    use crate::format::Cell;
    use crate::format::xlsx::SheetRow;

    #[test]
    fn rows_come_back_as_they_were() {
        let rows = [
            SheetRow::of([
                Cell::Text("é"),
                Cell::Absent,
                Cell::Number(-1.5),
                Cell::Bool(true),
                Cell::Bool(false),
            ]),
            SheetRow::of([Cell::Day(Day::new(1899, 12, 31).unwrap()), Cell::Text("x")]),
            SheetRow::default(),
        ];
        let wrongs = [None, Some(Wrong::Error(3)), Some(Wrong::Uncalculated(0)), Some(Wrong::TooLarge)];
        let mut shelf = Shelf::default();
        let mut file = Vec::new();
        let all: Vec<(Kept, &SheetRow)> = wrongs
            .iter()
            .zip(rows.iter().cycle())
            .map(|(wrong, row)| (Kept { sheet: 2, line: 1 << 40, wrong: *wrong }, row))
            .collect();
        all.iter().for_each(|(kept, row)| shelf.write(*kept, row, &mut file).unwrap());
        let (mut from, mut row) = (file.as_slice(), SheetRow::default());
        for (kept, expected) in all {
            assert_eq!(shelf.read(&mut from, &mut row).unwrap(), Some(kept));
            assert_eq!(&row, expected);
        }
        assert_eq!(shelf.read(&mut from, &mut row).unwrap(), None);
    }
}
