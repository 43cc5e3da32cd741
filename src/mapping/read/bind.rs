//! A mapping meets a header: every address is found, once.

use std::sync::{Arc, Mutex};

use super::{Bound, BoundBlock, BoundPart};
use crate::base::finding::{Code, Finding, Findings};
use crate::base::origin::Origin;
use crate::format::{At, Header};
use crate::mapping::Mapping;
use crate::mapping::compile::{Block, Part};

impl Mapping {
    /// The mapping for a file, or for one sheet of it, that has this header.
    ///
    /// # Errors
    /// With a finding for each column that the mapping reads and the header does not have.
    pub fn bind(&self, header: Option<&Header>, file: &Origin) -> Result<Bound, Findings> {
        let sheet = header.and_then(|header| header.sheet.as_deref());
        let mut binder = Binder { header, file, findings: Vec::new() };
        let blocks: Vec<BoundBlock> = self
            .blocks
            .iter()
            .enumerate()
            .filter(|(_, block)| is_of(block.sheet.as_deref(), sheet) && !block.is_written_only)
            .filter_map(|(number, block)| binder.block(number, block))
            .collect();
        if binder.findings.is_empty() {
            let rules = self.rules.as_ref().map(|rules| rules.bind(header));
            Ok(Bound { blocks, rules, is_live: self.is_live })
        } else {
            Err(binder.findings.into_iter().collect())
        }
    }
}

/// Sheets are told apart without regard to case and outer blanks, as the reader does.
pub(crate) fn is_of(wanted: Option<&str>, sheet: Option<&str>) -> bool {
    match (wanted, sheet) {
        (Some(wanted), Some(sheet)) => wanted.trim().to_lowercase() == sheet.trim().to_lowercase(),
        (None, None) => true,
        _ => false,
    }
}

struct Binder<'h> {
    header: Option<&'h Header>,
    file: &'h Origin,
    findings: Vec<Finding>,
}

/// An address that was not found; its finding has been noted.
struct Missing;

impl Binder<'_> {
    fn block(&mut self, number: usize, block: &Arc<Block>) -> Option<BoundBlock> {
        let when = block.when.as_ref().map(|when| when.bind(&mut |address: &String| self.at(address)));
        let key = self.parts(&block.key);
        let subject = self.parts(&block.subject);
        // A sheet may do without it: its rows are told apart by their keys.
        let row_id = block.row_id.as_ref().and_then(|address| At::compile(address, self.header).ok());
        let source_time = block.source_time.as_ref().map(|(address, _)| self.at(address));
        let cells: Vec<Vec<Result<At, Missing>>> = block
            .rules
            .iter()
            .map(|rule| rule.from.iter().map(|address| self.at(address)).collect())
            .collect();
        Some(BoundBlock {
            number,
            block: Arc::clone(block),
            when: when.transpose().ok()?,
            key: key?,
            subject: subject?,
            row_id,
            rows: Mutex::default(),
            source_time: source_time.transpose().ok()?,
            cells: cells
                .into_iter()
                .map(|cells| cells.into_iter().collect::<Result<Vec<_>, _>>().ok())
                .collect::<Option<_>>()?,
        })
    }

    fn parts(&mut self, parts: &[Part]) -> Option<Vec<BoundPart>> {
        let bound: Vec<Option<BoundPart>> = parts
            .iter()
            .map(|part| match part {
                Part::Cell(address, _) => self.at(address).ok().map(BoundPart::Cell),
                Part::Field(index) => Some(BoundPart::Field(*index)),
            })
            .collect();
        bound.into_iter().collect()
    }

    fn at(&mut self, address: &str) -> Result<At, Missing> {
        At::compile(address, self.header).map_err(|unknown| {
            let mut origin = self.file.clone().in_column(address);
            if let Some(header) = self.header {
                origin.sheet.clone_from(&header.sheet);
                if header.line > 0 {
                    origin = origin.at_line(header.line);
                }
            }
            let mut finding = Finding::new(
                Code::MapColumnMissing,
                origin,
                format!("expected the column `{address}`: {}", unknown.reason),
            );
            if !unknown.nearest.is_empty() {
                finding = finding.hint(format!("the nearest there is `{}`", unknown.nearest.join("`, `")));
            }
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
            Missing
        })
    }
}
