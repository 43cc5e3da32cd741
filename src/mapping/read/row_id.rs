//! The id that a row carries with it, so that a corrected date is a correction and not a second
//! record.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::PoisonError;

use super::watch::Watch;
use super::{BoundBlock, Noted, Reader};
use crate::base::finding::{Code, Finding};
use crate::base::limit::ROW_MARKS_MAX;
use crate::mapping::ROW_ID_MARK;
use crate::mapping::op::value::Value;
use crate::record::schema::Holds;

impl<W: Watch> Reader<'_, '_, W> {
    /// The key that a row's own id gives. It is asked for where the row has none and differs from
    /// one that has only in its days.
    pub(super) fn row_key(&mut self, bound: &BoundBlock) -> Result<Option<String>, Noted> {
        let Some(at) = &bound.row_id else { return Ok(None) };
        let Ok(id) = Value::of_cell(self.unit.cell(at)) else { return Ok(None) };
        let id = id.plain();
        let mark = self.mark(bound);
        let mut rows = bound.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if !id.is_empty() {
            if rows.len() < ROW_MARKS_MAX {
                rows.insert(mark, self.arrival.place.line);
            }
            return Ok(Some(format!("{ROW_ID_MARK}{id}")));
        }
        let like = rows.get(&mark).copied();
        drop(rows);
        let Some(line) = like else { return Ok(None) };
        self.faults.is_quarantined = true;
        let address = bound.block.row_id.as_deref();
        let expected =
            format!("expected the row's own id: without it the row differs from row {line} only in its days");
        self.faults.findings.push(Finding::new(Code::MapRowWithoutId, self.origin(address), expected));
        Err(Noted)
    }

    /// What a row says but for its days. Held in memory while the file is read, and nowhere else.
    fn mark(&self, bound: &BoundBlock) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (rule, cells) in bound.block.rules.iter().zip(&bound.cells) {
            if matches!(rule.field.holds, Holds::Day) {
                continue;
            }
            for cell in cells {
                let value = Value::of_cell(self.unit.cell(cell)).unwrap_or(Value::Absent);
                value.plain().hash(&mut hasher);
            }
        }
        for part in &bound.subject {
            if let super::BoundPart::Cell(at) = part {
                let value = Value::of_cell(self.unit.cell(at)).unwrap_or(Value::Absent);
                value.plain().hash(&mut hasher);
            }
        }
        hasher.finish()
    }
}
