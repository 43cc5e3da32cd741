//! A bound on waiting for a file system. A share whose server is gone answers nothing, not even that it
//! is gone, and whoever asks it waits for ever: so another thread asks, and is left behind.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::base::limit::{FOLDER_ANSWER_WAIT_S, FOLDER_PIECE_BYTES, FOLDER_PIECES_MAX, FOLDER_THREADS_MAX};

/// That a file system did not answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silent {
    /// Seconds that were waited.
    pub wait_s: u64,
}

/// Threads that wait for a file system now. One that hangs is never let go, so there is a bound.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Counts a thread as long as it lives.
struct Waits;

impl Waits {
    fn begin() -> Option<Self> {
        let add = |n| (n < FOLDER_THREADS_MAX).then_some(n + 1);
        WAITING.fetch_update(Ordering::AcqRel, Ordering::Acquire, add).ok().map(|_before| Self)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Asks a file system something, for so many seconds at most.
///
/// # Errors
/// Where it does not answer in time, or too many questions are unanswered already.
pub fn within<T: Send + 'static>(
    wait_s: u64,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Silent> {
    let waits = Waits::begin().ok_or(Silent { wait_s })?;
    let (sender, receiver) = sync_channel(1);
    std::thread::spawn(move || {
        let _waits = waits;
        // Nobody listens any more where it took too long.
        let _late = sender.send(work());
    });
    receiver.recv_timeout(Duration::from_secs(wait_s)).map_err(|_late| Silent { wait_s })
}

/// A file that is read by another thread, some pieces ahead: each has to come in time.
pub struct PatientFile {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
}

impl PatientFile {
    /// Reads a file that was opened.
    ///
    /// # Errors
    /// Where too many questions to file systems are unanswered already.
    pub fn new(mut file: File) -> Result<Self, Silent> {
        let waits = Waits::begin().ok_or(Silent { wait_s: FOLDER_ANSWER_WAIT_S })?;
        let (sender, pieces) = sync_channel(FOLDER_PIECES_MAX);
        std::thread::spawn(move || {
            let _waits = waits;
            loop {
                let mut piece = vec![0; FOLDER_PIECE_BYTES];
                let read = loop {
                    match file.read(&mut piece) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        read => break read,
                    }
                };
                let is_last = !matches!(read, Ok(1..));
                let piece = read.map(|n| {
                    piece.truncate(n);
                    piece
                });
                if sender.send(piece).is_err() || is_last {
                    break;
                }
            }
        });
        Ok(Self { pieces, piece: Vec::new(), at: 0 })
    }
}

impl Read for PatientFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.piece.len() {
            self.at = 0;
            self.piece = match self.pieces.recv_timeout(Duration::from_secs(FOLDER_ANSWER_WAIT_S)) {
                Ok(piece) => piece?,
                Err(RecvTimeoutError::Disconnected) => Vec::new(),
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::TimedOut.into()),
            };
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let n = rest.len().min(into.len());
        if let (Some(into), Some(rest)) = (into.get_mut(..n), rest.get(..n)) {
            into.copy_from_slice(rest);
        }
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::{PatientFile, Silent, within};

    #[test]
    fn what_answers_is_heard_and_what_does_not_is_left_behind() {
        assert_eq!(within(30, || 7), Ok(7));
        let (never, waits) = std::sync::mpsc::channel::<()>();
        let silent = within(1, move || waits.recv());
        assert_eq!(silent.map(|_| ()), Err(Silent { wait_s: 1 }));
        drop(never);
    }

    #[test]
    fn a_file_is_read_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        std::fs::write(&path, &bytes).unwrap();
        let mut read = Vec::new();
        let file = std::fs::File::open(&path).unwrap();
        PatientFile::new(file).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
    }
}
