//! What is written: records, a line a unit; rejects, a line a finding; and files that appear only
//! when they are whole.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Out;
use crate::base::private::{Convert, Grant};
use crate::cli::print::{Failure, finding_json};
use crate::format::Place;
use crate::mapping::{KEY_SEPARATOR, Made, Reading};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 64 * 1024;

/// A file that is not there until it is finished, or standard output.
pub(super) struct Unfinished {
    file: Option<(NamedTempFile, PathBuf)>,
}

impl Unfinished {
    pub(super) fn begin(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self { file: None }) };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let file = NamedTempFile::new_in(folder).map_err(|error| {
            Failure::told(format!("{}: {error}", folder.display()))
                .hint("check that the folder is there and may be written")
        })?;
        Ok(Self { file: Some((file, path.to_owned())) })
    }

    pub(super) fn writer(&self) -> Result<Out, Failure> {
        Ok(match &self.file {
            None => Box::new(Stdout { is_closed: false }),
            Some((file, _)) => Box::new(BufWriter::with_capacity(BUFFER_BYTES, file.reopen()?)),
        })
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Some((file, path)) = self.file else { return Ok(()) };
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| Failure::told(format!("{}: {}", path.display(), error.error)))?;
        Ok(())
    }
}

/// Standard output. A closed pipe is no failure: nobody wants the rest.
struct Stdout {
    is_closed: bool,
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Ok(bytes.len());
        }
        match io::stdout().lock().write_all(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.is_closed = true,
            written => written?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match io::stdout().lock().flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

/// Records, a line a unit.
pub(super) struct Lines {
    out: Out,
    buffer: Vec<u8>,
}

impl Lines {
    pub(super) fn new(out: Out) -> Self {
        Self { out, buffer: Vec::with_capacity(BUFFER_BYTES + 4096) }
    }

    pub(super) fn put(
        &mut self,
        place: &Place,
        records: &[Made],
        grant: &Grant<Convert>,
    ) -> Result<(), Failure> {
        let line = &mut self.buffer;
        write!(line, "{{\"line\":{}", place.line)?;
        if let Some(sheet) = &place.sheet {
            line.extend_from_slice(b",\"sheet\":");
            serde_json::to_writer(&mut *line, &**sheet)?;
        }
        if let Some(path) = &place.path {
            line.extend_from_slice(b",\"path\":");
            serde_json::to_writer(&mut *line, &**path)?;
        }
        line.extend_from_slice(b",\"records\":[");
        for (index, made) in records.iter().enumerate() {
            line.extend_from_slice(if index == 0 { b"{\"kind\":\"" } else { b",{\"kind\":\"" });
            line.extend_from_slice(made.kind.as_str().as_bytes());
            line.push(b'"');
            if let Some(subject) = &made.subject {
                line.extend_from_slice(b",\"subject\":");
                key(line, subject.open(grant))?;
            }
            line.extend_from_slice(b",\"key\":");
            key(line, made.key.open(grant))?;
            if let Some(time) = made.source_time {
                write!(line, ",\"source_time\":\"{time}\"")?;
            }
            line.extend_from_slice(b",\"fields\":");
            made.draft.write_opened(grant, line);
            line.push(b'}');
        }
        line.extend_from_slice(b"]}\n");
        if line.len() >= BUFFER_BYTES {
            self.out.write_all(line)?;
            line.clear();
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.out.write_all(&self.buffer)?;
        self.out.flush()?;
        Ok(())
    }
}

/// A key, its parts with a bar between them.
fn key(line: &mut Vec<u8>, key: &str) -> Result<(), Failure> {
    if key.contains(KEY_SEPARATOR) {
        serde_json::to_writer(line, &key.replace(KEY_SEPARATOR, "|"))?;
    } else {
        serde_json::to_writer(line, key)?;
    }
    Ok(())
}

/// What was found wrong, a line a finding.
pub(super) struct Rejects {
    out: Option<(BufWriter<File>, Unfinished)>,
}

impl Rejects {
    pub(super) fn begin(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self { out: None }) };
        let unfinished = Unfinished::begin(Some(path))?;
        let file = match &unfinished.file {
            Some((file, _)) => file.reopen()?,
            None => return Ok(Self { out: None }),
        };
        Ok(Self { out: Some((BufWriter::with_capacity(BUFFER_BYTES, file), unfinished)) })
    }

    pub(super) fn put(&mut self, reading: &Reading) -> Result<(), Failure> {
        let Some((out, _)) = &mut self.out else { return Ok(()) };
        for finding in &reading.findings {
            serde_json::to_writer(
                &mut *out,
                &finding_json(finding, Some(super::tally::word(reading.outcome))),
            )?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        let Some((out, unfinished)) = self.out else { return Ok(()) };
        out.into_inner().map_err(|error| Failure::new(error.error()))?;
        unfinished.finish()
    }
}
