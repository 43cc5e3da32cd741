//! The texts that a workbook's cells share: as many as there are, in a fixed amount of memory.
//!
//! They are kept in blocks of a few. What does not fit in memory goes into a private file; programs
//! number texts in the order in which cells use them, so the next one is mostly in a block that is
//! held.

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::markup::{Broken, Markup, Token, is_empty, is_end, name_of};
use super::run::Run;
use crate::base::limit::{SHARED_TEXT_BYTES_HELD, SHARED_TEXTS_MAX};
use crate::format::charset::count;
use crate::format::source::{Spool, Spooled};

/// Texts of one block.
const BLOCK_TEXTS: usize = 64;

/// The shared texts of a workbook.
pub(super) struct Texts<'s> {
    spool: &'s dyn Spool,
    file: Option<Box<dyn Spooled>>,
    /// Bytes of the private file.
    file_bytes: u64,
    blocks: Vec<Block>,
    /// The block that is being filled.
    open: Held,
    held_bytes: usize,
    held_bytes_max: usize,
    /// The block that is looked at next when one has to go.
    hand: usize,
    count: usize,
}

/// A block: in memory, in the private file, or both.
struct Block {
    held: Option<Box<Held>>,
    is_used: bool,
    /// Where it stands in the private file, once it does.
    at: Option<u64>,
    bytes: u32,
}

/// The texts of a block, one after another, and where each ends.
#[derive(Default)]
struct Held {
    text: String,
    ends: Vec<u32>,
}

impl<'s> Texts<'s> {
    /// Of a workbook without any.
    pub(super) fn none(spool: &'s dyn Spool) -> Self {
        Self {
            spool,
            file: None,
            file_bytes: 0,
            blocks: Vec::new(),
            open: Held::default(),
            held_bytes: 0,
            held_bytes_max: SHARED_TEXT_BYTES_HELD,
            hand: 0,
            count: 0,
        }
    }

    /// Reads them from their part. What it says of their number is not believed.
    pub(super) fn read(part: impl Read, spool: &'s dyn Spool) -> Result<Self, Broken> {
        let mut texts = Self::none(spool);
        texts.fill(part)?;
        Ok(texts)
    }

    fn fill(&mut self, part: impl Read) -> Result<(), Broken> {
        let mut markup = Markup::new(part);
        let mut run = Run::default();
        let mut is_inside = false;
        while let Some(token) = markup.next()? {
            match token {
                Token::Tag(tag) if name_of(tag) == b"si" => {
                    if is_end(tag) || is_empty(tag) {
                        self.push(run.text())?;
                    }
                    is_inside = !is_end(tag) && !is_empty(tag);
                    run.clear();
                }
                Token::Tag(tag) if is_inside => run.tag(tag)?,
                Token::Text(piece) if is_inside => run.piece(piece, false),
                Token::Plain(piece) if is_inside => run.piece(piece, true),
                Token::Tag(_) | Token::Text(_) | Token::Plain(_) => {}
            }
        }
        if is_inside {
            return Err(Broken::Damaged);
        }
        self.close()
    }

    fn push(&mut self, text: &str) -> Result<(), Broken> {
        if self.count >= SHARED_TEXTS_MAX {
            return Err(Broken::TooMany("shared texts", SHARED_TEXTS_MAX));
        }
        self.count += 1;
        self.open.text.push_str(text);
        // A block holds at most 64 texts of a cell's length, far below four gigabytes.
        self.open.ends.push(u32::try_from(self.open.text.len()).unwrap_or(u32::MAX));
        if self.open.ends.len() == BLOCK_TEXTS { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> Result<(), Broken> {
        if self.open.ends.is_empty() {
            return Ok(());
        }
        let mut held = std::mem::take(&mut self.open);
        held.text.shrink_to_fit();
        held.ends.shrink_to_fit();
        self.held_bytes += held.bytes();
        self.blocks.push(Block { held: Some(Box::new(held)), is_used: false, at: None, bytes: 0 });
        self.make_room(self.blocks.len() - 1)
    }

    /// The text of that number, from 0.
    pub(super) fn get(&mut self, number: usize) -> Result<Option<&str>, Broken> {
        if number >= self.count {
            return Ok(None);
        }
        let (index, within) = (number / BLOCK_TEXTS, number % BLOCK_TEXTS);
        if self.blocks.get(index).is_some_and(|block| block.held.is_none()) {
            self.bring(index)?;
        }
        let Some(block) = self.blocks.get_mut(index) else { return Ok(None) };
        block.is_used = true;
        Ok(block.held.as_ref().and_then(|held| held.get(within)))
    }

    /// Reads a block back.
    fn bring(&mut self, index: usize) -> Result<(), Broken> {
        let (Some(block), Some(file)) = (self.blocks.get_mut(index), &mut self.file) else { return Ok(()) };
        file.seek(SeekFrom::Start(block.at.unwrap_or_default()))?;
        let mut bytes = Vec::new();
        file.take(u64::from(block.bytes)).read_to_end(&mut bytes)?;
        let held = Held::of(&bytes).ok_or_else(changed)?;
        self.held_bytes += held.bytes();
        block.held = Some(Box::new(held));
        self.make_room(index)
    }

    /// Puts blocks aside until what is held is within its bound; those least lately used go first.
    fn make_room(&mut self, keep: usize) -> Result<(), Broken> {
        // Two rounds: one takes the marks of use away, the next finds a block without.
        for _ in 0..=2 * self.blocks.len() {
            if self.held_bytes <= self.held_bytes_max {
                break;
            }
            self.hand = (self.hand + 1) % self.blocks.len();
            let hand = self.hand;
            let Some(block) = self.blocks.get_mut(hand) else { break };
            if hand == keep || block.held.is_none() || std::mem::take(&mut block.is_used) {
                continue;
            }
            self.put_aside(hand)?;
        }
        Ok(())
    }

    fn put_aside(&mut self, index: usize) -> Result<(), Broken> {
        let Some(block) = self.blocks.get_mut(index) else { return Ok(()) };
        let Some(held) = block.held.take() else { return Ok(()) };
        self.held_bytes = self.held_bytes.saturating_sub(held.bytes());
        if block.at.is_some() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(self.spool.new_file()?),
        };
        let bytes = held.to_bytes();
        file.seek(SeekFrom::Start(self.file_bytes))?;
        file.write_all(&bytes)?;
        block.at = Some(self.file_bytes);
        block.bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.file_bytes += count(bytes.len());
        Ok(())
    }
}

impl Held {
    fn bytes(&self) -> usize {
        self.text.len() + 4 * self.ends.len() + size_of::<Self>()
    }

    fn get(&self, within: usize) -> Option<&str> {
        let at = |index: usize| self.ends.get(index).and_then(|end| usize::try_from(*end).ok());
        let start = match within.checked_sub(1) {
            Some(before) => at(before)?,
            None => 0,
        };
        self.text.get(start..at(within)?)
    }

    /// A byte for the number of texts, where each ends, and the texts.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![u8::try_from(self.ends.len()).unwrap_or(u8::MAX)];
        self.ends.iter().for_each(|end| bytes.extend(end.to_le_bytes()));
        bytes.extend_from_slice(self.text.as_bytes());
        bytes
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let (texts, rest) = bytes.split_first()?;
        let (ends, text) = rest.split_at_checked(4 * usize::from(*texts))?;
        let end = |four: &[u8]| four.try_into().ok().map(u32::from_le_bytes);
        let ends = ends.chunks_exact(4).map(end).collect::<Option<_>>()?;
        Some(Self { text: std::str::from_utf8(text).ok()?.to_owned(), ends })
    }
}

fn changed() -> io::Error {
    io::Error::other("the temporary file was changed")
}

#[cfg(test)]
mod tests {
    use super::Texts;
    use crate::format::source::MemorySpool;

    #[test]
    fn texts_are_found_again_however_many_there_are() {
        let (texts, most) = (3_000, 300_000);
        let text = |number: usize| format!("{number:0300}");
        let mut part = String::from("<sst count='1' uniqueCount='99999999999999999'>");
        (0..texts).for_each(|number| part.push_str(&format!("<si><t>{}</t></si>", text(number))));
        part.push_str("</sst>");
        let mut read = Texts::none(&MemorySpool);
        read.held_bytes_max = most;
        read.fill(part.as_bytes()).unwrap();
        assert!(read.held_bytes <= most);
        // In order, and then all over the place.
        for number in (0..texts).chain((0..texts).map(|number| number * 7919 % texts)) {
            assert_eq!(read.get(number).unwrap(), Some(text(number).as_str()));
            assert!(read.held_bytes <= most);
        }
        assert_eq!(read.get(texts).unwrap(), None);
    }

    #[test]
    fn runs_are_joined_and_readings_left_out() {
        let part = "<x:sst><x:si><x:r><x:t xml:space='preserve'>one </x:t></x:r><x:r><x:t> two</x:t></x:r></x:si>\
                    <x:si/><x:si><x:t>a</x:t><x:rPh><x:t>b</x:t></x:rPh></x:si></x:sst>";
        let mut texts = Texts::read(part.as_bytes(), &MemorySpool).unwrap();
        let all: Vec<String> = (0..3).map(|at| texts.get(at).unwrap().unwrap().to_owned()).collect();
        assert_eq!(all, ["one two", "", "a"]);
    }
}
