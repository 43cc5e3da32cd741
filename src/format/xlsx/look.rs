//! What a sheet holds besides its values, noted in passing: merged cells, formulas never calculated,
//! colours.

use std::collections::BTreeSet;

use super::cells::{Spot, place_of};
use crate::base::limit::{COLUMNS_MAX, HEADER_SEARCH_ROWS_MAX};
use crate::format::charset::count;

/// What was seen of one sheet.
#[derive(Default)]
pub(super) struct SheetLook {
    /// Merged areas, and the lowest row of any.
    pub(super) merged: u64,
    pub(super) merged_to: u32,
    /// The first merged area, as the sheet writes it.
    pub(super) merged_first: String,
    /// Cells whose formula has no result, and the first of them.
    pub(super) uncalculated: u64,
    pub(super) uncalculated_first: Option<Spot>,
    /// Of each column, how many cells have which style.
    columns: Vec<Vec<StyleUse>>,
}

/// A style in one column.
#[derive(Clone, Default)]
struct StyleUse {
    style: u32,
    /// Rows from 0 among those in which the header may stand.
    early: Vec<u32>,
    /// How many cells further down, and the first row of them.
    late: u64,
    late_first: u32,
}

/// Letters of a merged area that are repeated: `XFD1048576:XFD1048576`.
const AREA_BYTES_MAX: usize = 21;

impl SheetLook {
    pub(super) fn uncalculated(&mut self, at: Spot) {
        self.uncalculated += 1;
        self.uncalculated_first.get_or_insert(at);
    }

    pub(super) fn merge(&mut self, area: &[u8]) {
        let last = area.split(|byte| *byte == b':').next_back().and_then(place_of);
        self.merged += 1;
        self.merged_to = self.merged_to.max(last.map_or(0, |last| last.row));
        if self.merged_first.is_empty() {
            let shown = area.get(..area.len().min(AREA_BYTES_MAX)).unwrap_or_default();
            self.merged_first = String::from_utf8_lossy(shown).into_owned();
        }
    }

    pub(super) fn style(&mut self, at: Spot, style: u32) {
        let Spot { row, column } = at;
        let Ok(column) = usize::try_from(column) else { return };
        if column >= COLUMNS_MAX {
            return;
        }
        if self.columns.len() <= column {
            self.columns.resize(column + 1, Vec::new());
        }
        let Some(uses) = self.columns.get_mut(column) else { return };
        let at = match uses.iter().position(|known| known.style == style) {
            Some(at) => at,
            None if uses.len() >= STYLES_A_COLUMN_MAX => return,
            None => {
                uses.push(StyleUse { style, late_first: u32::MAX, ..StyleUse::default() });
                uses.len() - 1
            }
        };
        let Some(known) = uses.get_mut(at) else { return };
        if usize::try_from(row).is_ok_and(|row| row < HEADER_SEARCH_ROWS_MAX) {
            known.early.push(row);
        } else {
            known.late += 1;
            known.late_first = known.late_first.min(row);
        }
    }

    /// Where below the header, in the columns that have a name, some cells of a column have a
    /// colour and others have not: how many, and the first, as row from 0 and column.
    pub(super) fn coloured(
        &self,
        styles: &BTreeSet<u32>,
        header: u32,
        columns: usize,
    ) -> Option<(u64, u32, usize)> {
        let (mut total, mut first) = (0, None::<(u32, usize)>);
        for (column, uses) in self.columns.iter().take(columns).enumerate() {
            let below = |known: &StyleUse| {
                let early = known.early.iter().filter(|row| **row >= header);
                (count(early.clone().count()) + known.late, early.copied().min().unwrap_or(known.late_first))
            };
            let sum = |is_coloured: bool| -> u64 {
                let wanted = uses.iter().filter(|known| styles.contains(&known.style) == is_coloured);
                wanted.map(|known| below(known).0).sum()
            };
            let (with, without) = (sum(true), sum(false));
            if with == 0 || without == 0 {
                continue;
            }
            total += with;
            let rows = uses.iter().filter(|known| styles.contains(&known.style) && below(known).0 > 0);
            let row = rows.map(|known| below(known).1).min().unwrap_or_default();
            first = first.into_iter().chain([(row, column)]).min();
        }
        first.map(|(row, column)| (total, row, column))
    }
}

/// Styles of one column that are told apart; people use a handful.
const STYLES_A_COLUMN_MAX: usize = 64;
