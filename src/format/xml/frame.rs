//! Cuts XML text into markup and what lies between, within bounds, before anything is built.

use std::io::{self, BufRead};

use crate::base::limit::{DOCTYPE_BYTES_MAX, TAG_BYTES_MAX};
use crate::format::charset::{Text, count};

/// Why text is not cut any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It ended within markup.
    Truncated,
    /// It is no XML.
    Syntax,
    /// A document type is longer than any is.
    TooLarge,
}

/// One piece of markup; what stood before it has been passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Markup {
    /// A start tag; [`Framer::tag`] holds it.
    Open,
    /// A tag that is start and end in one.
    Empty,
    /// An end tag.
    Close,
    /// A comment, a section of text, or an instruction to a program.
    Passing,
    /// A document type, and whether it declares entities.
    Doctype { has_entities: bool },
    /// The end of the text, and whether anything but blanks stood before it.
    End { is_blank: bool },
}

/// The outcome of a step: the machine may fail, and the text may be at fault.
pub(crate) type Step<T> = io::Result<Result<T, Fault>>;

/// Walks through XML text.
pub(crate) struct Framer {
    text: Text,
    byte: u64,
    line: u64,
    tag: Vec<u8>,
    /// The last bytes passed, up to three, oldest first.
    tail: [u8; 3],
    capture: Option<Capture>,
}

/// What is kept of a unit while it is passed.
struct Capture {
    kept: Vec<u8>,
    bytes_max: usize,
    is_over: bool,
}

impl Framer {
    pub(crate) fn new(text: Text) -> Self {
        Self { text, byte: 0, line: 1, tag: Vec::new(), tail: [0; 3], capture: None }
    }

    /// Where it stands: line and byte.
    pub(crate) fn at(&self) -> (u64, u64) {
        (self.line, self.byte)
    }

    /// False for a tag so long that only its beginning is held.
    pub(crate) fn has_whole_tag(&self) -> bool {
        self.tag.len() <= TAG_BYTES_MAX
    }

    /// The tag last met, without its angle brackets, strokes and outer blanks.
    pub(crate) fn tag(&self) -> &[u8] {
        let tag = self.tag.strip_suffix(b">").unwrap_or(&self.tag);
        let tag = tag.strip_suffix(b"/").unwrap_or(tag);
        tag.strip_prefix(b"/").unwrap_or(tag).trim_ascii()
    }

    /// The name in the tag last met.
    pub(crate) fn name(&self) -> &[u8] {
        name_of(&self.tag)
    }

    /// Keeps what is passed from here on, beginning with the tag last met.
    pub(crate) fn begin(&mut self, mut into: Vec<u8>, bytes_max: usize) {
        into.clear();
        into.push(b'<');
        into.extend_from_slice(&self.tag);
        self.capture = Some(Capture { kept: into, bytes_max, is_over: !self.has_whole_tag() });
    }

    /// Keeps no more. What was kept, and whether it was too much.
    pub(crate) fn end(&mut self) -> (Vec<u8>, bool) {
        self.capture.take().map(|capture| (capture.kept, capture.is_over)).unwrap_or_default()
    }

    /// The next markup.
    pub(crate) fn markup(&mut self) -> Step<Markup> {
        self.tag.clear();
        if let Some(found) = self.whole_tag()? {
            return Ok(Ok(found));
        }
        let mut is_blank = true;
        loop {
            let ready = self.text.fill_buf()?;
            if ready.is_empty() {
                return Ok(Ok(Markup::End { is_blank }));
            }
            let end = memchr::memchr(b'<', ready);
            let before = ready.get(..end.unwrap_or(ready.len())).unwrap_or_default();
            is_blank = is_blank && before.trim_ascii().is_empty();
            let length = end.map_or(ready.len(), |at| at + 1);
            self.pass(length, false)?;
            if end.is_some() {
                break;
            }
        }
        match self.peek()? {
            None => Ok(Err(Fault::Truncated)),
            Some(b'!') => self.declaration(),
            Some(b'?') => {
                self.pass(1, false)?;
                self.to_end(b"?")
            }
            Some(first) => self.element(first),
        }
    }

    /// The next tag, where all of it is at hand: what nearly every step comes to, in one go.
    fn whole_tag(&mut self) -> io::Result<Option<Markup>> {
        let mut found = None;
        self.run(|markup, _name| {
            found = Some(markup);
            false
        })?;
        Ok(found)
    }

    /// Passes the tags that are at hand as long as it is told to go on, and gives each with its name.
    /// False where it was told to stop; [`tag`](Self::tag) then holds the last one.
    pub(crate) fn run(&mut self, mut met: impl FnMut(Markup, &[u8]) -> bool) -> io::Result<bool> {
        let ready = self.text.fill_buf()?;
        let (mut goes_on, mut passed, mut last) = (true, 0, 0);
        while let Some((markup, from, length)) = whole_tag(ready.get(passed..).unwrap_or_default()) {
            last = passed + from;
            passed = last + length;
            goes_on = met(markup, name_of(ready.get(last..passed).unwrap_or_default()));
            if !goes_on {
                break;
            }
        }
        if passed > 0 {
            self.tag.clear();
            self.tag.extend_from_slice(ready.get(last..passed).unwrap_or_default());
            self.pass(passed, false)?;
        }
        Ok(goes_on)
    }

    fn element(&mut self, first: u8) -> Step<Markup> {
        loop {
            match self.pass_to([b'>', b'"', b'\''], true)? {
                None => return Ok(Err(Fault::Truncated)),
                Some(b'>') => break,
                Some(quote) => {
                    if self.pass_to([quote; 3], true)?.is_none() {
                        return Ok(Err(Fault::Truncated));
                    }
                }
            }
        }
        if self.name().is_empty() {
            return Ok(Err(Fault::Syntax));
        }
        let [_, before, _] = self.tail;
        Ok(Ok(match (first, before == b'/') {
            (b'/', _) => Markup::Close,
            (_, true) => Markup::Empty,
            (_, false) => Markup::Open,
        }))
    }

    fn declaration(&mut self) -> Step<Markup> {
        self.pass(1, false)?;
        match self.peek()? {
            None => Ok(Err(Fault::Truncated)),
            Some(b'-') => match self.expect(b"--")? {
                Ok(()) => self.to_end(b"--"),
                Err(fault) => Ok(Err(fault)),
            },
            Some(b'[') => match self.expect(b"[CDATA[")? {
                Ok(()) => self.to_end(b"]]"),
                Err(fault) => Ok(Err(fault)),
            },
            Some(b'D') => match self.expect(b"DOCTYPE")? {
                Ok(()) => self.doctype(),
                Err(fault) => Ok(Err(fault)),
            },
            Some(_) => Ok(Err(Fault::Syntax)),
        }
    }

    /// Passes to the angle bracket that these bytes stand before.
    fn to_end(&mut self, before: &[u8]) -> Step<Markup> {
        self.tail = [0; 3];
        loop {
            if self.pass_to([b'>'; 3], false)?.is_none() {
                return Ok(Err(Fault::Truncated));
            }
            if self.tail.get(..2).is_some_and(|tail| tail.ends_with(before)) {
                return Ok(Ok(Markup::Passing));
            }
        }
    }

    /// A byte at a time: it is short, and its brackets and quotes nest.
    fn doctype(&mut self) -> Step<Markup> {
        let mut held = Vec::new();
        let mut quote = None;
        let mut depth = 0_usize;
        let mut is_comment = false;
        loop {
            let Some(byte) = self.peek()? else { return Ok(Err(Fault::Truncated)) };
            self.pass(1, false)?;
            held.push(byte);
            if held.len() > DOCTYPE_BYTES_MAX {
                return Ok(Err(Fault::TooLarge));
            }
            if is_comment {
                is_comment = !held.ends_with(b"-->");
                continue;
            }
            match (quote, byte) {
                (Some(open), byte) if open == byte => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'-') if held.ends_with(b"<!--") => is_comment = true,
                (None, b'[') => depth += 1,
                (None, b']') => depth = depth.saturating_sub(1),
                (None, b'>') if depth == 0 => break,
                (None, _) => {}
            }
        }
        let has_entities = memchr::memmem::find(&held, b"<!ENTITY").is_some();
        Ok(Ok(Markup::Doctype { has_entities }))
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        self.text.fill_buf().map(|ready| ready.first().copied())
    }

    fn expect(&mut self, wanted: &[u8]) -> Step<()> {
        for byte in wanted {
            match self.peek()? {
                Some(found) if found == *byte => self.pass(1, false)?,
                Some(_) => return Ok(Err(Fault::Syntax)),
                None => return Ok(Err(Fault::Truncated)),
            }
        }
        Ok(Ok(()))
    }

    /// Passes up to and with one of these bytes; which one, or `None` at the end of the text.
    fn pass_to(&mut self, stops: [u8; 3], is_tag: bool) -> io::Result<Option<u8>> {
        let [one, two, three] = stops;
        loop {
            let ready = self.text.fill_buf()?;
            if ready.is_empty() {
                return Ok(None);
            }
            let end = memchr::memchr3(one, two, three, ready);
            let stop = end.and_then(|at| ready.get(at).copied());
            let length = end.map_or(ready.len(), |at| at + 1);
            self.pass(length, is_tag)?;
            if stop.is_some() {
                return Ok(stop);
            }
        }
    }

    /// Passes bytes that are ready, and keeps them where they are asked for.
    fn pass(&mut self, bytes: usize, is_tag: bool) -> io::Result<()> {
        let piece = self.text.fill_buf()?.get(..bytes).unwrap_or_default();
        if is_tag && self.tag.len() <= TAG_BYTES_MAX {
            self.tag.extend_from_slice(piece);
        }
        if let Some(capture) = &mut self.capture {
            capture.is_over |= capture.kept.len() + piece.len() > capture.bytes_max;
            if !capture.is_over {
                capture.kept.extend_from_slice(piece);
            }
        }
        self.tail = match (piece, self.tail) {
            ([.., one, two, three], _) => [*one, *two, *three],
            ([two, three], [.., one]) => [one, *two, *three],
            ([three], [_, one, two]) => [one, two, *three],
            ([], tail) => tail,
        };
        self.line += lines(piece);
        self.byte += count(bytes);
        self.text.consume(bytes);
        Ok(())
    }
}

/// The name in a tag without its first angle bracket.
fn name_of(tag: &[u8]) -> &[u8] {
    let tag = tag.strip_prefix(b"/").unwrap_or(tag).trim_ascii_start();
    let ends_name = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
    let end = tag.iter().position(ends_name).unwrap_or(tag.len());
    tag.get(..end).unwrap_or_default()
}

/// The first tag, if it is an ordinary one and whole: what it is, where it begins after its first
/// angle bracket, and its length up to and with the last.
fn whole_tag(ready: &[u8]) -> Option<(Markup, usize, usize)> {
    let from = memchr::memchr(b'<', ready)? + 1;
    let after = ready.get(from..)?;
    let length = memchr::memchr(b'>', after)? + 1;
    let tag = after.get(..length)?;
    let markup = match tag {
        [b'!' | b'?' | b'>' | b' ' | b'\t' | b'\r' | b'\n', ..] | [b'/', b'>'] => return None,
        [b'/', ..] => Markup::Close,
        [.., b'/', b'>'] => Markup::Empty,
        _ => Markup::Open,
    };
    (!has_open_quote(tag)).then_some((markup, from, length))
}

/// Line ends in a piece; most pieces are a tag and a few letters.
fn lines(piece: &[u8]) -> u64 {
    if piece.len() < 64 {
        return piece.iter().map(|byte| u64::from(*byte == b'\n')).sum();
    }
    count(memchr::memchr_iter(b'\n', piece).count())
}

/// True for a tag that ends within quotes.
fn has_open_quote(tag: &[u8]) -> bool {
    let mut rest = tag;
    while let Some(at) = memchr::memchr2(b'"', b'\'', rest) {
        let (quote, inside) = (rest.get(at), rest.get(at + 1..).unwrap_or_default());
        let Some(end) = quote.and_then(|quote| memchr::memchr(*quote, inside)) else { return true };
        rest = inside.get(end + 1..).unwrap_or_default();
    }
    false
}
