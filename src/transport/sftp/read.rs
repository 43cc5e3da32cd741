//! Reading a file over SFTP: some reads on their way at once, in order.

use std::io;

use futures_util::future::join_all;
use russh_sftp::client::RawSftpSession;
use russh_sftp::client::error::Error as Fault;
use russh_sftp::protocol::StatusCode;
use tokio::runtime::Runtime;

use crate::base::limit::{SFTP_READ_BYTES, SFTP_READS_MAX};

/// A file that is being read, to its end.
pub(super) struct Reading<'s> {
    runtime: &'s Runtime,
    files: &'s RawSftpSession,
    handle: &'s str,
    /// Where the next read begins.
    at: u64,
    /// What was read and not yet handed on.
    held: Vec<u8>,
    given: usize,
    is_at_end: bool,
    /// Why it broke off.
    pub(super) fault: Option<Fault>,
}

impl<'s> Reading<'s> {
    pub(super) const fn new(runtime: &'s Runtime, files: &'s RawSftpSession, handle: &'s str) -> Self {
        Self { runtime, files, handle, at: 0, held: Vec::new(), given: 0, is_at_end: false, fault: None }
    }

    fn fill(&mut self) -> Result<(), Fault> {
        self.held.clear();
        self.given = 0;
        let one = u32::try_from(SFTP_READ_BYTES).unwrap_or(u32::MAX);
        let reads = (0..u64::try_from(SFTP_READS_MAX).unwrap_or(1))
            .map(|index| self.files.read(self.handle, self.at + index * u64::from(one), one));
        for read in self.runtime.block_on(join_all(reads)) {
            match read {
                Ok(data) if data.data.is_empty() => {
                    self.is_at_end = true;
                    break;
                }
                Ok(data) => {
                    self.held.extend_from_slice(&data.data);
                    // Less than was asked for: what was read beyond would leave a gap.
                    if data.data.len() < SFTP_READ_BYTES {
                        break;
                    }
                }
                Err(Fault::Status(status)) if status.status_code == StatusCode::Eof => {
                    self.is_at_end = true;
                    break;
                }
                Err(fault) => return Err(fault),
            }
        }
        self.at += u64::try_from(self.held.len()).unwrap_or_default();
        Ok(())
    }
}

impl io::Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.held.len() {
            if self.is_at_end {
                return Ok(0);
            }
            if let Err(fault) = self.fill() {
                self.fault = Some(fault);
                return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
            }
        }
        let rest = self.held.get(self.given..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.given += n;
        Ok(n)
    }
}
