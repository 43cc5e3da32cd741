//! A message's content, chunk by chunk, written on as it comes.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;

use crate::base::limit::MESH_CHUNKS_MAX;
use crate::transport::http::{Answer, Method};
use crate::transport::mesh::{Asked, Entry, Mailbox, MeshError};

/// Writes up to a bound.
struct Bounded<'w> {
    into: &'w mut dyn Write,
    left: u64,
    is_over: bool,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if n > self.left {
            self.is_over = true;
            return Err(io::Error::other("larger than allowed"));
        }
        self.left -= n;
        self.into.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

impl Mailbox {
    /// Writes the content of a message, unpacked where the exchange packed it.
    ///
    /// Chunks may be packed each by itself or as one: either way they follow each other in the
    /// unpacker, which takes one packed part after another.
    ///
    /// # Errors
    /// Where it is not there, is larger than `bytes_max`, or the exchange does not do as asked.
    pub fn download(&self, entry: &Entry, bytes_max: u64, into: &mut dyn Write) -> Result<(), MeshError> {
        let mut bounded = Bounded { into, left: bytes_max, is_over: false };
        let written = self.chunks(entry, &mut bounded);
        if bounded.is_over {
            return Err(MeshError::TooLarge { bytes_max });
        }
        written
    }

    fn chunks(&self, entry: &Entry, into: &mut Bounded<'_>) -> Result<(), MeshError> {
        let mut answer = self.chunk(&entry.id, 1)?;
        let is_packed = answer.header("content-encoding").is_some_and(|how| how.eq_ignore_ascii_case("gzip"));
        let mut unpacker = is_packed.then(|| MultiGzDecoder::new(Vec::new()));
        let mut number = 1;
        loop {
            match &mut unpacker {
                None => into.write_all(&answer.body).map_err(MeshError::Aside)?,
                Some(unpacker) => {
                    for piece in answer.body.chunks(64 * 1024) {
                        unpacker
                            .write_all(piece)
                            .map_err(|_packed| MeshError::Strange { what: "for a packed message" })?;
                        into.write_all(unpacker.get_ref()).map_err(MeshError::Aside)?;
                        unpacker.get_mut().clear();
                    }
                }
            }
            if answer.status != 206 {
                break;
            }
            number += 1;
            if number > MESH_CHUNKS_MAX {
                return Err(MeshError::Strange { what: "for the chunks of a message" });
            }
            answer = self.chunk(&entry.id, number)?;
        }
        if let Some(unpacker) = unpacker {
            let rest =
                unpacker.finish().map_err(|_cut| MeshError::Strange { what: "for a packed message" })?;
            into.write_all(&rest).map_err(MeshError::Aside)?;
        }
        Ok(())
    }

    fn chunk(&self, id: &str, number: u32) -> Result<Answer, MeshError> {
        let text = number.to_string();
        let path: &[&str] = if number == 1 { &["inbox", id] } else { &["inbox", id, &text] };
        self.ask(&Asked {
            what: "for a message",
            method: Method::GET,
            path,
            query: &[],
            headers: vec![("accept-encoding", "gzip".to_owned())],
            body: b"",
        })
    }
}
