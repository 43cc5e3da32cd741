//! The markup of a workbook's part, a piece at a time, within one buffer however long the part is.

use std::io::{self, Read};

use crate::base::limit::TAG_BYTES_MAX;

/// Bytes of a part held at once: two of the longest tags.
const BUFFER_BYTES: usize = 2 * TAG_BYTES_MAX;

/// What markup begins with that is no tag, and what ends it.
const PASSING: [(&[u8], &[u8]); 2] = [(b"<!--", b"-->"), (b"<?", b"?>")];
const CDATA: (&[u8], &[u8]) = (b"<![CDATA[", b"]]>");

/// Why a workbook is read no further.
#[derive(Debug)]
pub(super) enum Broken {
    /// The machine failed, or the packed bytes are damaged.
    Read(io::Error),
    /// A part is not what a workbook holds.
    Damaged,
    /// A part brings a document type, as no workbook does.
    Doctype,
    /// A part holds more than is read of one: what, and how much may be.
    TooMany(&'static str, usize),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// One piece of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A tag without its angle brackets.
    Tag(&'t [u8]),
    /// Text as it is written; a long one comes in several pieces.
    Text(&'t [u8]),
    /// Text of a section in which nothing is escaped; likewise.
    Plain(&'t [u8]),
}

/// Walks through a part.
pub(super) struct Markup<R> {
    source: R,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// Within a section of plain text.
    is_plain: bool,
}

impl<R: Read> Markup<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, buffer: vec![0; BUFFER_BYTES], at: 0, end: 0, is_plain: false }
    }

    /// The next piece; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token<'_>>, Broken> {
        loop {
            if self.at == self.end && !self.fill()? {
                return if self.is_plain { Err(Broken::Damaged) } else { Ok(None) };
            }
            if self.is_plain {
                if let Some(length) = self.plain()? {
                    return Ok(Some(Token::Plain(self.take(length))));
                }
                continue;
            }
            let ready = self.ready();
            if ready.first() != Some(&b'<') {
                let length = memchr::memchr(b'<', ready).unwrap_or(ready.len());
                return Ok(Some(Token::Text(self.take(length))));
            }
            // Enough to tell what begins here.
            if ready.len() < CDATA.0.len() && self.fill()? {
                continue;
            }
            if matches!(self.ready(), [b'<', b'!' | b'?', ..]) {
                self.pass()?;
                continue;
            }
            let length = self.tag()?;
            let whole = self.take(length);
            return Ok(Some(Token::Tag(whole.get(1..length - 1).unwrap_or_default())));
        }
    }

    fn ready(&self) -> &[u8] {
        self.buffer.get(self.at..self.end).unwrap_or_default()
    }

    fn take(&mut self, length: usize) -> &[u8] {
        let from = self.at;
        self.at += length;
        self.buffer.get(from..self.at).unwrap_or_default()
    }

    /// Reads more behind what is ready; false at the end, or where there is no room.
    fn fill(&mut self) -> Result<bool, Broken> {
        if self.at > 0 {
            self.buffer.copy_within(self.at..self.end, 0);
            self.end -= self.at;
            self.at = 0;
        }
        let Some(room) = self.buffer.get_mut(self.end..) else { return Ok(false) };
        loop {
            match self.source.read(room) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Broken::Read(error)),
            }
        }
    }

    /// The length of the tag that begins here.
    fn tag(&mut self) -> Result<usize, Broken> {
        loop {
            let found = tag_length(self.ready());
            if found.unwrap_or(self.ready().len()) > TAG_BYTES_MAX {
                return Err(Broken::TooMany("bytes of one tag", TAG_BYTES_MAX));
            }
            if let Some(length) = found {
                return Ok(length);
            }
            if !self.fill()? {
                return Err(Broken::Damaged);
            }
        }
    }

    /// How much of the plain text is ready; `None` at its end, which is passed.
    fn plain(&mut self) -> Result<Option<usize>, Broken> {
        loop {
            let (_, ending) = CDATA;
            let ready = self.ready();
            match memchr::memmem::find(ready, ending) {
                Some(0) => {
                    self.at += ending.len();
                    self.is_plain = false;
                    return Ok(None);
                }
                Some(length) => return Ok(Some(length)),
                // What may be the beginning of the end stays.
                None if ready.len() >= ending.len() => return Ok(Some(ready.len() - ending.len() + 1)),
                None if self.fill()? => {}
                None => return Err(Broken::Damaged),
            }
        }
    }

    /// Passes what is no tag: a comment, an instruction, the beginning of plain text.
    fn pass(&mut self) -> Result<(), Broken> {
        if self.ready().starts_with(CDATA.0) {
            self.at += CDATA.0.len();
            self.is_plain = true;
            return Ok(());
        }
        let Some((beginning, ending)) = PASSING.iter().find(|(start, _)| self.ready().starts_with(start))
        else {
            let is_doctype = self.ready().starts_with(b"<!DOCTYPE");
            return Err(if is_doctype { Broken::Doctype } else { Broken::Damaged });
        };
        self.at += beginning.len();
        loop {
            if let Some(at) = memchr::memmem::find(self.ready(), ending) {
                self.at += at + ending.len();
                return Ok(());
            }
            self.at = self.end.saturating_sub(ending.len() - 1).max(self.at);
            if !self.fill()? {
                return Err(Broken::Damaged);
            }
        }
    }
}

/// The length of the tag that these bytes begin with, its angle brackets included: a bracket within
/// quotes does not end it.
fn tag_length(ready: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let end = from + memchr::memchr(b'>', ready.get(from..)?)?;
        let tag = ready.get(..end)?;
        if !has_open_quote(tag) {
            return Some(end + 1);
        }
        from = end + 1;
    }
}

fn has_open_quote(tag: &[u8]) -> bool {
    let mut open = None;
    for byte in tag {
        match (open, *byte) {
            (None, b'"' | b'\'') => open = Some(*byte),
            (Some(quote), byte) if quote == byte => open = None,
            (_, _) => {}
        }
    }
    open.is_some()
}

/// The name in a tag, without stroke and prefix.
pub(super) fn name_of(tag: &[u8]) -> &[u8] {
    let end = tag.iter().skip(1).position(|byte| matches!(byte, b' ' | b'/' | b'\n' | b'\r' | b'\t'));
    let full = tag.get(..end.map_or(tag.len(), |at| at + 1)).unwrap_or_default();
    let full = full.strip_prefix(b"/").unwrap_or(full);
    match memchr::memchr(b':', full) {
        Some(at) => full.get(at + 1..).unwrap_or_default(),
        None => full,
    }
}

/// True for an end tag, and for a tag that is start and end in one.
pub(super) fn is_end(tag: &[u8]) -> bool {
    tag.first() == Some(&b'/')
}

/// True for a tag that is start and end in one.
pub(super) fn is_empty(tag: &[u8]) -> bool {
    tag.last() == Some(&b'/')
}

/// The attributes of a tag, in order: name without prefix, and value as it is written.
pub(super) fn attributes(tag: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let blank = tag.iter().position(u8::is_ascii_whitespace).unwrap_or(tag.len());
    let mut rest = tag.get(blank..).unwrap_or_default();
    std::iter::from_fn(move || {
        let equals = memchr::memchr(b'=', rest)?;
        let full = rest.get(..equals)?.trim_ascii();
        let name = memchr::memchr(b':', full).map_or(Some(full), |at| full.get(at + 1..))?;
        let after = rest.get(equals + 1..)?.trim_ascii_start();
        let (quote, after) = after.split_first()?;
        let end = memchr::memchr(*quote, after)?;
        rest = after.get(end + 1..)?;
        Some((name, after.get(..end)?))
    })
}

/// An attribute by its name without prefix, unescaped.
pub(super) fn attribute(tag: &[u8], name: &str) -> Option<String> {
    let (_, value) = attributes(tag).find(|(found, _)| *found == name.as_bytes())?;
    let text = std::str::from_utf8(value).ok()?;
    quick_xml::escape::unescape(text).ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::{Markup, Token};

    /// Gives a byte at a time, so that everything is cut everywhere.
    struct Slow<'b>(&'b [u8]);

    impl std::io::Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let room = into.len().min(1);
            self.0.read(into.split_at_mut(room).0)
        }
    }

    fn pieces(text: &str) -> String {
        let mut markup = Markup::new(text.as_bytes());
        let mut said = String::new();
        loop {
            match markup.next() {
                Ok(None) => return said,
                Ok(Some(token)) => said.push_str(&format!("{}|", shown(token))),
                Err(broken) => return format!("{said}{broken:?}"),
            }
        }
    }

    fn shown(token: Token<'_>) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match token {
            Token::Tag(tag) => format!("<{}>", text(tag)),
            Token::Text(piece) => text(piece),
            Token::Plain(piece) => format!("[{}]", text(piece)),
        }
    }

    #[test]
    fn markup_is_cut_into_tags_and_text() {
        assert_eq!(
            pieces(r#"<?xml version="1.0"?><a x=">" y='"'>1 &lt; 2</a>"#),
            r#"<a x=">" y='"'>|1 &lt; 2|</a>|"#
        );
        assert_eq!(pieces("<a><!-- <b> -- --><b/></a>"), "<a>|<b/>|</a>|");
        assert_eq!(
            pieces("<a><![CDATA[<b>]]]>x</a>"),
            "<a>|[<b>]|[]]|x|</a>|".replace("[<b>]|[]]", "[<b>]]")
        );
        for cut in ["<a", "<a x='>", "<!-- ", "<![CDATA[ ]]", "<!x>"] {
            assert!(pieces(cut).ends_with("Damaged"), "{cut}");
        }
        assert!(pieces("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>").ends_with("Doctype"));
        assert!(pieces(&format!("<a {}", "x".repeat(200_000))).contains("TooMany"));
    }

    #[test]
    fn where_the_pieces_are_cut_changes_nothing() {
        let text = "<a b='c>'>one<!-- two --><![CDATA[th]]ree]]>four</a>";
        let mut markup = Markup::new(Slow(text.as_bytes()));
        let mut said = String::new();
        while let Some(token) = markup.next().unwrap() {
            match token {
                Token::Tag(_) => said.push_str(&shown(token)),
                Token::Text(piece) | Token::Plain(piece) => {
                    said.push_str(std::str::from_utf8(piece).unwrap());
                }
            }
        }
        assert_eq!(said, "<a b='c>'>oneth]]reefour</a>");
    }
}
