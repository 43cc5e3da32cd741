//! Messages out of a file: segments end with CR, LF or CRLF, and MLLP framing is passed over.

use std::io::{self, BufRead};

use super::declared;
use super::message::{Message, NotAMessage};
use crate::base::finding::{Code, Finding, Findings};
use crate::base::origin::Origin;
use crate::format::charset::{self, Charset, Text, count};
use crate::format::settings::{Hl7v2Settings, Limits};
use crate::format::source::Source;
use crate::format::{Arrival, FormatError, Place, Refused, Unit};

/// Reads messages.
pub(crate) struct MessageReader {
    text: Text,
    file: Origin,
    unit_bytes_max: usize,
    /// The first segment of the next message, read while the last one's end was looked for.
    ahead: String,
    ahead_at: Spot,
    segment: Vec<u8>,
    now: Spot,
    ordinal: u64,
    message: Message,
    charset: Charset,
    /// True where the mapping says what the file is in, whatever its messages do.
    is_declared_for_it: bool,
    pub(crate) findings: Findings,
}

/// A line and byte of the file.
#[derive(Debug, Clone, Copy)]
struct Spot {
    line: u64,
    byte: u64,
}

/// Ends a message on the wire (MLLP); what begins one, a vertical tab, is a control character.
const FRAME_END: char = '\u{1c}';

/// Segments that wrap a batch of messages and carry nothing of any.
const WRAPPERS: [&str; 4] = ["FHS", "BHS", "BTS", "FTS"];

impl MessageReader {
    pub(crate) fn open(
        mut source: Box<dyn Source>,
        settings: &Hl7v2Settings,
        limits: &Limits,
        file: &Origin,
    ) -> Result<Self, Refused> {
        let said = declared::declared(source.as_mut(), file)?.map_err(|finding| *finding)?;
        let encoding = settings.encoding.or(said);
        let (decided, note) = charset::decide(source.as_mut(), encoding, file)??;
        let start = Spot { line: 1, byte: 0 };
        let mut reader = Self {
            text: Text::new(source, decided)?,
            file: file.clone(),
            unit_bytes_max: limits.unit_bytes_max,
            ahead: String::new(),
            ahead_at: start,
            segment: Vec::new(),
            now: start,
            ordinal: 0,
            message: Message::default(),
            charset: decided.charset,
            is_declared_for_it: settings.encoding.is_some(),
            findings: note.into_iter().collect(),
        };
        match reader.next_segment()? {
            Segment::End => {
                let text = "expected messages, found an empty file";
                Err(Finding::new(Code::FileEmpty, file.clone(), text).into())
            }
            Segment::Text(at, segment) if segment.starts_with("MSH") => {
                (reader.ahead_at, reader.ahead) = (at, segment);
                Ok(reader)
            }
            Segment::Text(at, _) | Segment::TooLarge(at) => {
                let text = "expected HL7 messages, each beginning with `MSH`, found something else";
                Err(Finding::new(Code::FileBinary, file.clone().at_line(at.line), text).into())
            }
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Arrival<'_>>, FormatError> {
        if self.ahead.is_empty() {
            return Ok(None);
        }
        let mut text = std::mem::take(&mut self.ahead);
        let began = self.ahead_at;
        let mut is_too_large = false;
        loop {
            match self.next_segment().map_err(FormatError::Read)? {
                Segment::End => break,
                Segment::TooLarge(_) => is_too_large = true,
                Segment::Text(at, segment) if segment.starts_with("MSH") => {
                    (self.ahead_at, self.ahead) = (at, segment);
                    break;
                }
                Segment::Text(_, segment) => {
                    is_too_large |= text.len() + segment.len() > self.unit_bytes_max;
                    if !is_too_large {
                        text.push('\r');
                        text.push_str(&segment);
                    }
                }
            }
        }
        self.ordinal += 1;
        let place = Place { sheet: None, line: self.ordinal, byte: began.byte, path: None };
        if is_too_large {
            let said = "expected a message, found one larger than any can be";
            let finding = Finding::new(Code::UnitTooLarge, place.origin(&self.file), said);
            return Ok(Some(Arrival { place, unit: Err(finding) }));
        }
        let unit = match Message::parse(&text) {
            Ok(message) => {
                self.message = message;
                match self.other_charset(&place) {
                    Some(finding) => Err(finding),
                    None => Ok(Unit::Message(&self.message)),
                }
            }
            Err(fault) => Err(self.finding(fault, &place, began)),
        };
        Ok(Some(Arrival { place, unit }))
    }

    /// That a message of other letters than plain ones is in another set than the file was read in, or one
    /// of any letters in a set that is not read.
    fn other_charset(&self, place: &Place) -> Option<Finding> {
        if self.is_declared_for_it {
            return None;
        }
        let text = match declared::charset_of(self.message.charset()?) {
            Ok(Some(charset)) if charset != self.charset && !self.message.raw().is_ascii() => {
                "expected the character set of the file's first message, found a message that declares another"
            }
            Ok(_) => return None,
            Err(declared::Unread) => {
                "expected messages in UTF-8 or Latin 1, found a character set declared in MSH-18 that is not read"
            }
        };
        Some(Finding::new(Code::Hl7v2Charset, place.origin(&self.file).at_path("MSH-18"), text))
    }

    fn finding(&self, fault: NotAMessage, place: &Place, began: Spot) -> Finding {
        let origin = place.origin(&self.file);
        match fault {
            NotAMessage::NoHead => Finding::new(
                Code::Hl7v2Head,
                origin,
                format!(
                    "expected `MSH|^~\\&` on line {} of the file, found other characters after `MSH`",
                    began.line
                ),
            ),
            NotAMessage::TooMany => Finding::new(
                Code::Hl7v2TooMany,
                origin,
                "expected a message, found one of more fields and parts of fields than any has",
            ),
            NotAMessage::NoSegment(number) => Finding::new(
                Code::Hl7v2Segment,
                origin,
                format!(
                    "expected a segment such as `PID|…` as segment {number} of this message, found text that is none"
                ),
            ),
        }
    }

    /// The next segment that is not blank and wraps nothing.
    fn next_segment(&mut self) -> io::Result<Segment> {
        loop {
            let began = self.now;
            let (is_found, is_too_large) = self.fill_segment()?;
            let text = std::str::from_utf8(&self.segment)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?
                .trim_start_matches(|mark: char| mark.is_control() || mark == ' ')
                .trim_end_matches(['\r', '\n', FRAME_END]);
            let is_wrapper = WRAPPERS.iter().any(|name| text.starts_with(name));
            match (is_found, is_too_large) {
                (_, true) => return Ok(Segment::TooLarge(began)),
                (_, false) if !text.is_empty() && !is_wrapper => {
                    return Ok(Segment::Text(began, text.to_owned()));
                }
                (false, false) => return Ok(Segment::End),
                (true, false) => {}
            }
        }
    }

    /// Reads up to the end of a segment. Whether there was anything, and whether it was too much.
    fn fill_segment(&mut self) -> io::Result<(bool, bool)> {
        self.segment.clear();
        let mut is_too_large = false;
        loop {
            let ready = self.text.fill_buf()?;
            if ready.is_empty() {
                return Ok((false, is_too_large));
            }
            let end = memchr::memchr2(b'\r', b'\n', ready);
            let length = end.map_or(ready.len(), |at| at + 1);
            let piece = ready.get(..length).unwrap_or_default();
            is_too_large |= self.segment.len() + length > self.unit_bytes_max;
            if !is_too_large {
                self.segment.extend_from_slice(piece);
            }
            self.now.byte += count(length);
            self.now.line += u64::from(piece.last() == Some(&b'\n'));
            self.text.consume(length);
            if end.is_some() {
                return Ok((true, is_too_large));
            }
        }
    }
}

enum Segment {
    Text(Spot, String),
    TooLarge(Spot),
    End,
}
