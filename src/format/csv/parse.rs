//! Rows out of text, with the physical line each began on, and nothing allocated for a row.

use std::io::{self, BufRead};

use csv_core::ReadRecordResult;

use super::Row;
use crate::base::limit::COLUMNS_MAX;
use crate::format::charset::{Text, count};

/// Room for one row's text to begin with. It doubles where it is short.
const ROW_BYTES: usize = 256;

/// Takes rows from text.
pub(crate) struct Parser {
    core: csv_core::Reader,
    text: Text,
    lines_end_with_cr: bool,
    /// Carriage returns consumed, where they end lines.
    carriage_returns: u64,
    /// Bytes consumed.
    byte: u64,
    /// The last row ended with a carriage return whose line feed is still to come.
    is_feed_pending: bool,
    is_ended: bool,
    unit_bytes_max: usize,
    /// Where a row's text is put together: as large as the longest needed, and never cleared.
    room: Vec<u8>,
}

/// Where a row began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Began {
    pub(crate) line: u64,
    pub(crate) byte: u64,
    /// The file ended before the row's line did.
    pub(crate) is_unended: bool,
}

/// What was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// A row.
    Row(Began),
    /// A row that is longer or wider than the limits allow; it was passed over.
    TooLarge(Began),
    /// The text ended within quotes that opened in a row that began there.
    Unclosed(Began),
    /// Nothing more.
    End,
}

impl Parser {
    pub(crate) fn new(text: Text, separator: u8, lines_end_with_cr: bool, unit_bytes_max: usize) -> Self {
        Self {
            core: core_of(separator),
            text,
            lines_end_with_cr,
            carriage_returns: 0,
            byte: 0,
            is_feed_pending: false,
            is_ended: false,
            unit_bytes_max,
            room: vec![0; ROW_BYTES],
        }
    }

    /// The next row, into the same memory.
    pub(crate) fn read(&mut self, row: &mut Row) -> io::Result<Parsed> {
        let mut room = std::mem::take(&mut self.room);
        let taken = self.take(&mut room, &mut row.ends);
        self.room = room;
        let taken = taken?;
        let text = self.room.get(..taken.text_end).unwrap_or_default();
        let text =
            std::str::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        row.text.clear();
        row.text.push_str(text);
        row.cells = taken.ends_end;
        Ok(match taken.what {
            What::End => Parsed::End,
            What::Row => Parsed::Row(self.began(row.whole(), taken)),
            What::TooLarge => Parsed::TooLarge(Began {
                line: taken.line_before,
                byte: taken.byte_before,
                is_unended: false,
            }),
            What::Unclosed => Parsed::Unclosed(self.began(row.whole(), taken)),
        })
    }

    fn take(&mut self, text: &mut Vec<u8>, ends: &mut Vec<usize>) -> io::Result<Taken> {
        if ends.is_empty() {
            ends.resize(64, 0);
        }
        let mut taken = Taken {
            what: What::End,
            text_end: 0,
            ends_end: 0,
            last: b'\n',
            byte_before: self.byte,
            line_before: self.lines() + 1,
        };
        let mut is_too_large = false;
        while let Some(result) = self.step(text, ends, &mut taken)? {
            match result {
                ReadRecordResult::Record => {
                    self.is_feed_pending = taken.last == b'\r' && !self.lines_end_with_cr;
                    taken.what = if is_too_large { What::TooLarge } else { What::Row };
                    return Ok(taken);
                }
                ReadRecordResult::End => return Ok(taken),
                ReadRecordResult::InputEmpty if self.is_ended => {
                    if taken.text_end > 0 || taken.ends_end > 0 {
                        taken.what = What::Unclosed;
                    }
                    return Ok(taken);
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if text.len() < self.unit_bytes_max => {
                    text.resize(text.len().saturating_mul(2).min(self.unit_bytes_max), 0);
                }
                ReadRecordResult::OutputEndsFull if ends.len() < COLUMNS_MAX => {
                    ends.resize(ends.len().saturating_mul(2).min(COLUMNS_MAX), 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    // Passed over in the memory there is.
                    is_too_large = true;
                    taken.text_end = 0;
                    taken.ends_end = 0;
                }
            }
        }
        Ok(taken)
    }

    /// Hands over one piece of text, and at the end one line feed, which ends a last row that has
    /// none and is swallowed by quotes that are still open. `None` after that.
    fn step(
        &mut self,
        text: &mut [u8],
        ends: &mut [usize],
        taken: &mut Taken,
    ) -> io::Result<Option<ReadRecordResult>> {
        let ready = self.text.fill_buf()?;
        let input = match (ready, self.is_ended) {
            ([], true) => return Ok(None),
            ([], false) => b"\n".as_slice(),
            (ready, _) => ready,
        };
        let is_first = self.byte == taken.byte_before;
        if is_first && self.is_feed_pending && input.first() == Some(&b'\n') {
            taken.byte_before += 1;
            self.is_feed_pending = false;
        }
        let out = text.get_mut(taken.text_end..).unwrap_or_default();
        let out_ends = ends.get_mut(taken.ends_end..).unwrap_or_default();
        let (result, used, wrote, ended) = self.core.read_record(input, out, out_ends);
        let eaten = input.get(..used).unwrap_or_default();
        taken.last = eaten.last().copied().unwrap_or(taken.last);
        if self.lines_end_with_cr {
            self.carriage_returns += count(memchr::memchr_iter(b'\r', eaten).count());
        }
        self.is_ended = ready.is_empty();
        let used = if self.is_ended { 0 } else { used };
        self.text.consume(used);
        self.byte += count(used);
        taken.text_end += wrote;
        taken.ends_end += ended;
        Ok(Some(result))
    }

    /// Line ends consumed.
    fn lines(&self) -> u64 {
        if self.lines_end_with_cr { self.carriage_returns } else { self.core.line() - 1 }
    }

    /// Where the row began: from the line it ended on, less the line breaks within its cells.
    fn began(&self, text: &str, taken: Taken) -> Began {
        let line_end = if self.lines_end_with_cr { b'\r' } else { b'\n' };
        let is_ended = taken.last == line_end && taken.what != What::Unclosed;
        let ended = if is_ended { self.lines() } else { self.lines() + 1 };
        let within = count(memchr::memchr_iter(line_end, text.as_bytes()).count());
        Began { line: ended.saturating_sub(within), byte: taken.byte_before, is_unended: self.is_ended }
    }
}

#[derive(Clone, Copy)]
struct Taken {
    what: What,
    text_end: usize,
    ends_end: usize,
    last: u8,
    byte_before: u64,
    line_before: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Row,
    TooLarge,
    Unclosed,
    End,
}

/// The first rows of a sample, with one separator.
pub(crate) fn sample_rows(sample: &[u8], separator: u8, rows_max: usize) -> Vec<Row> {
    let mut core = core_of(separator);
    let mut rows = Vec::new();
    let mut rest = sample;
    let mut text = vec![0; rest.len() + 1];
    let mut ends = vec![0; COLUMNS_MAX];
    while rows.len() < rows_max {
        let (result, used, wrote, ended) = core.read_record(rest, &mut text, &mut ends);
        rest = rest.get(used..).unwrap_or_default();
        // A row that the sample cuts off says nothing about its width.
        if result != ReadRecordResult::Record {
            break;
        }
        let whole = text.get(..wrote).and_then(|text| std::str::from_utf8(text).ok());
        let Some(whole) = whole else { break };
        let ends = ends.get(..ended).unwrap_or_default().to_vec();
        rows.push(Row { text: whole.to_owned(), cells: ended, ends });
    }
    rows
}

fn core_of(separator: u8) -> csv_core::Reader {
    csv_core::ReaderBuilder::new().delimiter(separator).build()
}
