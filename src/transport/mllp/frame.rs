//! Messages out of a stream of bytes, however it is cut.

use std::collections::VecDeque;

/// Before a message.
const BEGIN: u8 = 0x0b;
/// Behind it.
const END: u8 = 0x1c;

/// A message with its frame.
#[must_use]
pub fn framed(message: &[u8]) -> Vec<u8> {
    let mut made = Vec::with_capacity(message.len() + 3);
    made.push(BEGIN);
    made.extend_from_slice(message);
    made.extend_from_slice(&[END, b'\r']);
    made
}

/// What a stream gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framed {
    /// A message.
    Message(Vec<u8>),
    /// A message that was larger than allowed; it was passed over to its end.
    TooLarge,
    /// A message that was begun and never ended, because another began.
    CutOff,
}

/// Takes bytes as they come, and gives messages.
#[derive(Debug)]
pub struct Frames {
    bytes_max: usize,
    inside: Option<Inside>,
    ready: VecDeque<Framed>,
    garbage_bytes: usize,
}

#[derive(Debug, Default)]
struct Inside {
    message: Vec<u8>,
    is_too_large: bool,
}

impl Frames {
    /// For messages of so many bytes at most.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, inside: None, ready: VecDeque::new(), garbage_bytes: 0 }
    }

    /// Takes what came. The end of a message counts alone: the carriage return behind it belongs to
    /// what stands between messages, since some senders leave it out and others add more.
    pub fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let Some(inside) = &mut self.inside else {
                let begin = memchr::memchr(BEGIN, bytes).unwrap_or(bytes.len());
                let (between, rest) = bytes.split_at_checked(begin).unwrap_or((bytes, &[]));
                self.garbage_bytes += between.iter().filter(|byte| !byte.is_ascii_whitespace()).count();
                if let Some(rest) = rest.get(1..) {
                    self.inside = Some(Inside::default());
                    bytes = rest;
                    continue;
                }
                return;
            };
            let end = memchr::memchr2(BEGIN, END, bytes);
            let piece = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
            inside.is_too_large |= inside.message.len() + piece.len() > self.bytes_max;
            if inside.is_too_large {
                inside.message = Vec::new();
            } else {
                inside.message.extend_from_slice(piece);
            }
            let Some(end) = end else { return };
            let ended = self.inside.take().unwrap_or_default();
            if bytes.get(end) == Some(&BEGIN) {
                self.ready.push_back(Framed::CutOff);
                self.inside = Some(Inside::default());
            } else if ended.is_too_large {
                self.ready.push_back(Framed::TooLarge);
            } else {
                self.garbage_bytes = 0;
                self.ready.push_back(Framed::Message(ended.message));
            }
            bytes = bytes.get(end + 1..).unwrap_or_default();
        }
    }

    /// The next message, or what stands in its place.
    pub fn next_framed(&mut self) -> Option<Framed> {
        self.ready.pop_front()
    }

    /// True while a message has begun and not ended.
    #[must_use]
    pub const fn is_inside(&self) -> bool {
        self.inside.is_some()
    }

    /// Bytes outside of messages since the last whole one; line ends and blanks do not count.
    #[must_use]
    pub const fn garbage_bytes(&self) -> usize {
        self.garbage_bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Framed, Frames, framed};

    fn all(pieces: &[&[u8]], bytes_max: usize) -> (Vec<Framed>, Frames) {
        let mut frames = Frames::new(bytes_max);
        let mut found = Vec::new();
        for piece in pieces {
            frames.take(piece);
            while let Some(next) = frames.next_framed() {
                found.push(next);
            }
        }
        (found, frames)
    }

    #[test]
    fn what_stands_between_messages_is_passed_over() {
        let message = |text: &[u8]| Framed::Message(text.to_vec());
        let (found, frames) = all(&[b"GET / \r\n\x0bA\x1c\r\n\n\x0bB\x1c\x0bC\x1c\r\x0bD"], 10);
        assert_eq!(found, [message(b"A"), message(b"B"), message(b"C")]);
        assert!(frames.is_inside() && frames.garbage_bytes() == 0);
        let (found, frames) = all(&[b"\x0bhalf\x0bwhole\x1c\rxyz"], 10);
        assert_eq!(found, [Framed::CutOff, message(b"whole")]);
        assert_eq!(frames.garbage_bytes(), 3);
        let (found, _) = all(&[b"\x0b12345", b"678\x1c\r\x0b1234\x1c\r"], 7);
        assert_eq!(found, [Framed::TooLarge, message(b"1234")]);
    }

    proptest! {
        #[test]
        fn messages_are_the_same_however_they_are_cut(
            messages in prop::collection::vec(prop::collection::vec(prop_oneof![0x0c_u8..0x1c, 0x1d_u8..=0xff], 0..40), 1..6),
            cuts in prop::collection::vec(1_usize..7, 1..60),
        ) {
            let stream: Vec<u8> = messages.iter().flat_map(|message| framed(message)).collect();
            let mut pieces: Vec<&[u8]> = Vec::new();
            let (mut rest, mut cuts) = (stream.as_slice(), cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            let expected: Vec<Framed> = messages.into_iter().map(Framed::Message).collect();
            prop_assert_eq!(all(&pieces, 100).0, expected.clone());
            prop_assert_eq!(all(&[&stream], 100).0, expected);
        }
    }
}
