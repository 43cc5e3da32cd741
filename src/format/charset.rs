//! Which encoding a file is in, decided over the whole file or declared.

mod judge;

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use encoding_rs::{CoderResult, Decoder, DecoderResult, Encoding};

use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;
use crate::format::source::Source;

/// An encoding that is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8, with or without a byte-order mark.
    Utf8,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
    /// Windows-1252, the "ANSI" of western Windows.
    Windows1252,
}

impl Charset {
    /// The name in a mapping.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// The encoding of that name, without regard to case.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "utf-8-sig" => Some(Self::Utf8),
            "utf-16" | "utf-16le" | "utf16" => Some(Self::Utf16Le),
            "utf-16be" => Some(Self::Utf16Be),
            "windows-1252" | "cp1252" | "ansi" => Some(Self::Windows1252),
            _ => None,
        }
    }

    /// The name a sender knows it by.
    pub(crate) const fn said(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le | Self::Utf16Be => "UTF-16 (what Excel calls Unicode Text)",
            Self::Windows1252 => "Windows-1252 (what Windows calls ANSI)",
        }
    }

    pub(crate) fn encoding(self) -> &'static Encoding {
        match self {
            Self::Utf8 => encoding_rs::UTF_8,
            Self::Utf16Le => encoding_rs::UTF_16LE,
            Self::Utf16Be => encoding_rs::UTF_16BE,
            Self::Windows1252 => encoding_rs::WINDOWS_1252,
        }
    }
}

/// Bytes read at a time: large enough that a system call costs nothing, small beside any limit.
const PIECE_BYTES: usize = 64 * 1024;

/// What was decided over the whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// The encoding.
    pub charset: Charset,
    /// Bytes of the byte-order mark, which are left out.
    pub mark_bytes: u64,
    /// True if lines end with a lone carriage return, as on an old Macintosh.
    pub lines_end_with_cr: bool,
}

/// Reads the whole source once and decides; the source stands at its start afterwards.
///
/// The finding beside a decision says what was decided; in place of one, why nothing can be.
pub fn decide(
    source: &mut dyn Source,
    declared: Option<Charset>,
    file: &Origin,
) -> io::Result<Result<(Decided, Option<Finding>), Finding>> {
    source.seek(SeekFrom::Start(0))?;
    let seen = Seen::over(source)?;
    source.seek(SeekFrom::Start(0))?;
    let (decided, note) = match judge::judge(&seen, declared, file) {
        Ok(judged) => judged,
        Err(finding) => return Ok(Err(*finding)),
    };
    if !matches!(decided.charset, Charset::Utf16Le | Charset::Utf16Be) {
        return Ok(Ok((decided, note)));
    }
    let fits = utf16_fits(source, decided)?;
    source.seek(SeekFrom::Start(0))?;
    if fits {
        return Ok(Ok((decided, note)));
    }
    let text = "expected UTF-16 throughout, found bytes that are not, or half a character at the end";
    Ok(Err(Finding::new(Code::CharsetMismatch, file.clone(), text)))
}

/// Counts over the bytes of a file.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) bytes: u64,
    pub(crate) start: Vec<u8>,
    pub(crate) nulls: u64,
    pub(crate) nulls_at_odd: u64,
    pub(crate) controls: u64,
    pub(crate) first_null: Option<u64>,
    pub(crate) line_feeds: u64,
    pub(crate) carriage_returns: u64,
    pub(crate) is_ascii: bool,
    /// Where it stops being UTF-8: line and byte.
    pub(crate) not_utf8: Option<(u64, u64)>,
    /// Where a byte stands that Windows-1252 gives no meaning: line and byte.
    pub(crate) not_1252: Option<(u64, u64)>,
}

impl Seen {
    fn over(source: &mut dyn Source) -> io::Result<Self> {
        let mut seen = Self { is_ascii: true, ..Self::default() };
        let mut buffer = vec![0; PIECE_BYTES];
        let mut carried = 0;
        while let Some(room) = buffer.get_mut(carried..) {
            let read = match source.read(room) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let filled = carried + read;
            let whole = buffer.get(..filled).unwrap_or_default();
            let left = seen.check_utf8(whole, count(carried));
            seen.add(whole.get(carried..).unwrap_or_default());
            buffer.copy_within(filled - left..filled, 0);
            carried = left;
        }
        if carried > 0 && seen.not_utf8.is_none() {
            seen.not_utf8 = Some((seen.line_feeds + 1, seen.bytes));
        }
        Ok(seen)
    }

    fn add(&mut self, piece: &[u8]) {
        self.start.extend(piece.iter().take(8_usize.saturating_sub(self.start.len())));
        if !piece.is_ascii() {
            self.is_ascii = false;
            self.check_1252(piece);
        }
        for at in memchr::memchr_iter(0, piece) {
            let byte = self.bytes + count(at);
            self.nulls += 1;
            self.nulls_at_odd += byte % 2;
            self.first_null.get_or_insert(byte);
        }
        self.controls += controls(piece);
        self.carriage_returns += count(memchr::memchr_iter(b'\r', piece).count());
        self.line_feeds += count(memchr::memchr_iter(b'\n', piece).count());
        self.bytes += count(piece.len());
    }

    /// How many bytes at the end are the beginning of a character.
    fn check_utf8(&mut self, whole: &[u8], carried: u64) -> usize {
        if self.not_utf8.is_some() {
            return 0;
        }
        let Err(error) = std::str::from_utf8(whole) else { return 0 };
        let valid = whole.get(..error.valid_up_to()).unwrap_or_default();
        if error.error_len().is_none() {
            return whole.len() - valid.len();
        }
        let lines = count(memchr::memchr_iter(b'\n', valid).count());
        self.not_utf8 = Some((self.line_feeds + lines + 1, self.bytes + count(valid.len()) - carried));
        0
    }

    fn check_1252(&mut self, piece: &[u8]) {
        if self.not_1252.is_some() {
            return;
        }
        let unknown = |byte: &u8| matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D);
        if let Some(at) = piece.iter().position(unknown) {
            let before = piece.get(..at).unwrap_or_default();
            let lines = count(memchr::memchr_iter(b'\n', before).count());
            self.not_1252 = Some((self.line_feeds + lines + 1, self.bytes + count(at)));
        }
    }
}

/// How many bytes no text has. Vertical tab and file separator frame HL7 messages, so they are
/// left out. Counted in small pieces, so that a byte can hold the sum and many are done at once.
fn controls(piece: &[u8]) -> u64 {
    let in_small = |small: &[u8]| -> u8 {
        small.iter().map(|byte| u8::from(matches!(byte, 1..=8)) + u8::from(matches!(byte, 14..=27))).sum()
    };
    piece.chunks(128).map(|small| u64::from(in_small(small))).sum()
}

/// A length as a position in a file.
pub(crate) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn utf16_fits(source: &mut dyn Source, decided: Decided) -> io::Result<bool> {
    source.seek(SeekFrom::Start(decided.mark_bytes))?;
    let mut decoder = decided.charset.encoding().new_decoder_without_bom_handling();
    let mut input = vec![0; PIECE_BYTES];
    let mut output = vec![0; PIECE_BYTES * 2];
    loop {
        let read = source.read(&mut input)?;
        let mut rest = input.get(..read).unwrap_or_default();
        loop {
            let (result, used, _) = decoder.decode_to_utf8_without_replacement(rest, &mut output, read == 0);
            rest = rest.get(used..).unwrap_or_default();
            match result {
                DecoderResult::Malformed(_, _) => return Ok(false),
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
            }
        }
        if read == 0 {
            return Ok(true);
        }
    }
}

/// The source as UTF-8, whatever it was, without its byte-order mark, piece by piece.
pub struct Text {
    inner: Inner,
    mark_bytes: u64,
}

enum Inner {
    /// UTF-8 already: the bytes as they are.
    Plain(BufReader<Box<dyn Source>>),
    Decoded(Box<Decoded>),
}

struct Decoded {
    source: Box<dyn Source>,
    decoder: Decoder,
    input: Vec<u8>,
    input_at: usize,
    input_end: usize,
    output: Vec<u8>,
    output_at: usize,
    output_end: usize,
    is_finished: bool,
}

impl Text {
    /// Reads the source from its start in the decided encoding.
    pub fn new(mut source: Box<dyn Source>, decided: Decided) -> io::Result<Self> {
        source.seek(SeekFrom::Start(decided.mark_bytes))?;
        let inner = match decided.charset {
            Charset::Utf8 => Inner::Plain(BufReader::with_capacity(PIECE_BYTES, source)),
            charset => Inner::Decoded(Box::new(Decoded {
                source,
                decoder: charset.encoding().new_decoder_without_bom_handling(),
                input: vec![0; PIECE_BYTES],
                input_at: 0,
                input_end: 0,
                output: vec![0; PIECE_BYTES * 3],
                output_at: 0,
                output_end: 0,
                is_finished: false,
            })),
        };
        Ok(Self { inner, mark_bytes: decided.mark_bytes })
    }

    /// Goes back to the start.
    pub(crate) fn rewind(&mut self) -> io::Result<()> {
        let start = SeekFrom::Start(self.mark_bytes);
        match &mut self.inner {
            Inner::Plain(source) => source.seek(start).map(drop),
            Inner::Decoded(decoded) => {
                decoded.source.seek(start)?;
                decoded.decoder = decoded.decoder.encoding().new_decoder_without_bom_handling();
                (decoded.input_at, decoded.input_end) = (0, 0);
                (decoded.output_at, decoded.output_end) = (0, 0);
                decoded.is_finished = false;
                Ok(())
            }
        }
    }
}

impl Decoded {
    fn refill(&mut self) -> io::Result<()> {
        while self.output_at == self.output_end && !self.is_finished {
            if self.input_at == self.input_end {
                self.input_end = self.source.read(&mut self.input)?;
                self.input_at = 0;
            }
            let is_last = self.input_end == 0;
            let input = self.input.get(self.input_at..self.input_end).unwrap_or_default();
            let (result, used, written, _) = self.decoder.decode_to_utf8(input, &mut self.output, is_last);
            self.input_at += used;
            self.output_at = 0;
            self.output_end = written;
            self.is_finished = is_last && result == CoderResult::InputEmpty;
        }
        Ok(())
    }
}

impl Read for Text {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let taken = ready.len().min(into.len());
        for (to, from) in into.iter_mut().zip(ready) {
            *to = *from;
        }
        self.consume(taken);
        Ok(taken)
    }
}

impl BufRead for Text {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match &mut self.inner {
            Inner::Plain(source) => source.fill_buf(),
            Inner::Decoded(decoded) => {
                decoded.refill()?;
                Ok(decoded.output.get(decoded.output_at..decoded.output_end).unwrap_or_default())
            }
        }
    }

    fn consume(&mut self, bytes: usize) {
        match &mut self.inner {
            Inner::Plain(source) => source.consume(bytes),
            Inner::Decoded(decoded) => {
                decoded.output_at = (decoded.output_at + bytes).min(decoded.output_end);
            }
        }
    }
}
