//! Cuts JSON text into values by brackets and quotes alone, within bounds, before any is built.

use std::io::{self, BufRead};

use crate::base::limit::{TREE_DEPTH_MAX, UNIT_ELEMENTS_MAX};
use crate::format::charset::{Text, count};

/// Why a value was not cut out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The text ended within it.
    Truncated,
    /// It is no JSON, at the framer's byte.
    Syntax,
    /// It is longer than a unit may be; it was passed over.
    TooLarge,
    /// It is nested deeper than a tree may be; it was passed over.
    TooDeep,
    /// It holds more values than a unit may; it was passed over.
    TooMany,
}

/// Walks through JSON text.
pub(crate) struct Framer {
    text: Text,
    byte: u64,
    line: u64,
}

/// The outcome of a step: the machine may fail, and the text may be at fault.
pub(crate) type Step<T> = io::Result<Result<T, Fault>>;

impl Framer {
    pub(crate) fn new(text: Text) -> Self {
        Self { text, byte: 0, line: 1 }
    }

    /// Where it stands: line and byte.
    pub(crate) fn at(&self) -> (u64, u64) {
        (self.line, self.byte)
    }

    /// Goes back to the start.
    pub(crate) fn rewind(&mut self) -> io::Result<()> {
        (self.byte, self.line) = (0, 1);
        self.text.rewind()
    }

    /// The next byte that is not blank, left where it is; `None` at the end.
    pub(crate) fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            let ready = self.text.fill_buf()?;
            if ready.is_empty() {
                return Ok(None);
            }
            let blank = ready.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let next = ready.get(blank).copied();
            let lines = memchr::memchr_iter(b'\n', ready.get(..blank).unwrap_or_default()).count();
            self.pass(blank, lines);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// Passes the byte that was peeked.
    pub(crate) fn skip_byte(&mut self) {
        self.pass(1, 0);
    }

    /// Passes the next byte, which must be this one.
    pub(crate) fn expect(&mut self, byte: u8) -> Step<()> {
        Ok(match self.peek()? {
            Some(found) if found == byte => {
                self.skip_byte();
                Ok(())
            }
            Some(_) => Err(Fault::Syntax),
            None => Err(Fault::Truncated),
        })
    }

    /// The text of the next value, whatever it is.
    pub(crate) fn take(&mut self, into: &mut Vec<u8>, bytes_max: usize) -> Step<()> {
        into.clear();
        let Some(first) = self.peek()? else { return Ok(Err(Fault::Truncated)) };
        if matches!(first, b',' | b':' | b']' | b'}') {
            return Ok(Err(Fault::Syntax));
        }
        let mut cut = Cut::default();
        let mut fault = None;
        loop {
            let ready = self.text.fill_buf()?;
            if ready.is_empty() {
                let is_whole = cut.is_scalar && !cut.is_quoted;
                return Ok(if is_whole { Ok(()) } else { Err(Fault::Truncated) });
            }
            let (length, is_done) = cut.over(ready);
            let piece = ready.get(..length).unwrap_or_default();
            let lines = memchr::memchr_iter(b'\n', piece).count();
            if into.len() + length > bytes_max {
                fault = Some(Fault::TooLarge);
            }
            fault = cut.excess().or(fault);
            if fault.is_none() {
                into.extend_from_slice(piece);
            }
            self.pass(length, lines);
            if is_done {
                return Ok(fault.map_or(Ok(()), Err));
            }
        }
    }

    /// The rest of this line: a line that is broken does not break the next.
    pub(crate) fn take_line(&mut self, into: &mut Vec<u8>, bytes_max: usize) -> Step<()> {
        into.clear();
        let mut is_too_large = false;
        loop {
            let ready = self.text.fill_buf()?;
            if ready.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', ready);
            let length = end.map_or(ready.len(), |at| at + 1);
            is_too_large |= into.len() + length > bytes_max;
            if !is_too_large {
                into.extend_from_slice(ready.get(..length).unwrap_or_default());
            }
            self.pass(length, usize::from(end.is_some()));
            if end.is_some() {
                break;
            }
        }
        let mut cut = Cut::default();
        let (_, is_done) = cut.over(into);
        Ok(match (is_too_large, cut.excess(), is_done || cut.is_scalar) {
            (true, _, _) => Err(Fault::TooLarge),
            (_, Some(fault), _) => Err(fault),
            (_, _, false) if into.last() != Some(&b'\n') => Err(Fault::Truncated),
            _ => Ok(()),
        })
    }

    /// The name of the next member of the object that was entered; none, and past its end, where there
    /// is no other.
    pub(crate) fn member(&mut self) -> Step<Option<String>> {
        match self.peek()? {
            Some(b'}') => {
                self.skip_byte();
                return Ok(Ok(None));
            }
            Some(b',') => self.skip_byte(),
            Some(_) => {}
            None => return Ok(Err(Fault::Truncated)),
        }
        Ok(self.name()?.map(Some))
    }

    /// The name of the next member and its colon.
    pub(crate) fn name(&mut self) -> Step<String> {
        if !matches!(self.peek()?, Some(b'"') | None) {
            return Ok(Err(Fault::Syntax));
        }
        let mut text = Vec::new();
        if let Err(fault) = self.take(&mut text, NAME_BYTES_MAX)? {
            return Ok(Err(fault));
        }
        let Ok(name) = serde_json::from_slice(&text) else { return Ok(Err(Fault::Syntax)) };
        Ok(self.expect(b':')?.map(|()| name))
    }

    /// Passes the next value.
    pub(crate) fn skip(&mut self) -> Step<()> {
        let mut nothing = Vec::new();
        match self.take(&mut nothing, 0)? {
            Err(Fault::TooLarge | Fault::TooDeep | Fault::TooMany) => Ok(Ok(())),
            other => Ok(other),
        }
    }

    fn pass(&mut self, bytes: usize, lines: usize) {
        self.text.consume(bytes);
        self.byte += count(bytes);
        self.line += count(lines);
    }
}

/// Bytes of a member's name on the way to the units.
const NAME_BYTES_MAX: usize = 1024;

/// How far into a value the cut is.
#[expect(clippy::struct_excessive_bools, reason = "each is one independent claim about the last byte seen")]
#[derive(Default)]
pub(super) struct Cut {
    depth: usize,
    /// How deep it was nested at most.
    pub(super) deepest: usize,
    /// Commas and brackets that open: at least as many as there are values within, less one.
    marks: usize,
    is_begun: bool,
    is_scalar: bool,
    is_quoted: bool,
    is_escaped: bool,
}

impl Cut {
    /// What it has too much of so far.
    fn excess(&self) -> Option<Fault> {
        match () {
            () if self.deepest > TREE_DEPTH_MAX => Some(Fault::TooDeep),
            () if self.marks > UNIT_ELEMENTS_MAX => Some(Fault::TooMany),
            () => None,
        }
    }

    /// How many of these bytes belong to the value, and whether it ends there.
    pub(super) fn over(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, byte) in bytes.iter().enumerate() {
            if self.is_quoted {
                match (self.is_escaped, byte) {
                    (true, _) => self.is_escaped = false,
                    (false, b'\\') => self.is_escaped = true,
                    (false, b'"') => {
                        self.is_quoted = false;
                        if self.depth == 0 {
                            return (at + 1, true);
                        }
                    }
                    (false, _) => {}
                }
                continue;
            }
            match byte {
                b'"' if self.is_scalar => return (at, true),
                b',' | b':' | b'}' | b']' if self.depth == 0 => return (at, true),
                b'"' => self.is_quoted = true,
                b',' => self.marks += 1,
                b'{' | b'[' => {
                    self.marks += 1;
                    self.depth += 1;
                    self.deepest = self.deepest.max(self.depth);
                }
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                _ if byte.is_ascii_whitespace() && self.depth == 0 && self.is_begun => return (at, true),
                _ if !self.is_begun => self.is_scalar = true,
                _ => {}
            }
            self.is_begun = true;
        }
        (bytes.len(), false)
    }
}

/// What the value in this text has too much of.
pub(crate) fn excess(text: &[u8]) -> Option<Fault> {
    let mut cut = Cut::default();
    let _ = cut.over(text.trim_ascii_start());
    cut.excess()
}
