//! Opening a file made in a test, and saying what was read.

use std::io::Cursor;

use wayleave::base::finding::Findings;
use wayleave::base::origin::Origin;
use wayleave::format::reader::{Reader, open};
use wayleave::format::settings::{FormatKind, Settings};
use wayleave::format::source::MemorySpool;
use wayleave::format::{At, Cell, Refused, Unit};

/// Opens or says why not.
pub(crate) fn try_open(bytes: &[u8], format: FormatKind) -> Result<Reader, Refused> {
    let source = Box::new(Cursor::new(bytes.to_vec()));
    open(source, &Settings::new(format), &Origin::file("t"), &MemorySpool)
}

/// Opens.
pub(crate) fn open_bytes(bytes: &[u8], format: FormatKind) -> Reader {
    match try_open(bytes, format) {
        Ok(reader) => reader,
        Err(Refused::File(findings)) => panic!("{:?}", said(&findings)),
        Err(Refused::Machine(error)) => panic!("{error:?}"),
    }
}

/// Why a file is refused.
pub(crate) fn refused(bytes: &[u8], format: FormatKind) -> Vec<String> {
    match try_open(bytes, format) {
        Ok(_) => panic!("was read"),
        Err(Refused::File(findings)) => said(&findings),
        Err(Refused::Machine(error)) => panic!("{error:?}"),
    }
}

/// What was found about the file so far.
pub(crate) fn notes(reader: &mut Reader) -> Vec<String> {
    said(&reader.findings())
}

fn said(findings: &Findings) -> Vec<String> {
    findings.kept().iter().map(ToString::to_string).collect()
}

/// A cell as text, with what it is.
pub(crate) fn said_cell(cell: Cell<'_>) -> String {
    match cell {
        Cell::Absent => String::from("-"),
        Cell::Delete => String::from("(delete)"),
        Cell::Text(text) => text.to_owned(),
        Cell::Number(number) => format!("#{number}"),
        Cell::Day(day) => format!("@{day}"),
        Cell::Bool(truth) => format!("?{truth}"),
    }
}

/// All units of a table: `line: cell|cell` or `line: [code]`.
pub(crate) fn cells(reader: &mut Reader) -> Vec<String> {
    let mut rows = Vec::new();
    while let Some(arrival) = reader.next().unwrap() {
        let sheet = arrival.place.sheet.as_deref().map(|sheet| format!("{sheet} ")).unwrap_or_default();
        let line = arrival.place.line;
        rows.push(match arrival.unit {
            Err(finding) => format!("{sheet}{line}: [{}]", finding.code.as_str()),
            Ok(unit) => {
                let width = match unit {
                    Unit::Row(row) => row.len(),
                    Unit::Sheet(row) => row.len(),
                    _ => 0,
                };
                let row: Vec<String> =
                    (0..width).map(|column| said_cell(unit.cell(&At::Column(column)))).collect();
                format!("{sheet}{line}: {}", row.join("|"))
            }
        });
    }
    rows
}

/// All units of a file of trees or messages: `line path: leaf|leaf` at these addresses.
pub(crate) fn leaves(reader: &mut Reader, addresses: &[&str]) -> Vec<String> {
    let at: Vec<At> = addresses.iter().map(|address| At::compile(address, None).unwrap()).collect();
    let mut units = Vec::new();
    while let Some(arrival) = reader.next().unwrap() {
        let path = arrival.place.path.as_deref().map(|path| format!(" {path}")).unwrap_or_default();
        let line = arrival.place.line;
        units.push(match arrival.unit {
            Err(finding) => format!("{line}{path}: [{}]", finding.code.as_str()),
            Ok(unit) => {
                let leaves: Vec<String> = at.iter().map(|at| said_cell(unit.cell(at))).collect();
                format!("{line}{path}: {}", leaves.join("|"))
            }
        });
    }
    units
}

/// A target that the test can look at afterwards.
#[derive(Clone, Default)]
pub(crate) struct Target(pub(crate) std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Target {
    /// What was written.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl std::io::Write for Target {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
