//! Which separator, and which row holds the column names.

use std::sync::Arc;

use super::parse::sample_rows;
use crate::base::limit::HEADER_SEARCH_ROWS_MAX;

/// The separators that are tried, likeliest first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The separator in a sender's words.
pub(super) const fn said(separator: u8) -> &'static str {
    match separator {
        b',' => "comma",
        b';' => "semicolon",
        b'\t' => "tab",
        b'|' => "vertical bar",
        b' ' => "space",
        _ => "separator of its own",
    }
}

/// How well a separator fits: expected names found on one row, then rows of the commonest width,
/// then that width, then the width of the first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Fit {
    pub(super) names: usize,
    rows: usize,
    columns: usize,
    first: usize,
}

impl Fit {
    /// True if a file that was declared to have this separator has the other one.
    pub(super) fn is_refuted_by(self, other: Self) -> bool {
        let is_one_column = self.first <= 1 && other.first > 1 && other.names >= self.names;
        is_one_column || (self.names == 0 && other.names > 0)
    }
}

/// How well this separator fits the beginning of a file.
pub(super) fn fit(sample: &[u8], separator: u8, expected: &[String]) -> Fit {
    let rows = sample_rows(sample, separator, HEADER_SEARCH_ROWS_MAX + 1);
    let names = rows.iter().map(|row| hits(row.iter(), expected)).max().unwrap_or_default();
    let first = rows.first().map_or(0, super::Row::len);
    let mut best = Fit { names, first, ..Fit::default() };
    for row in rows.iter().filter(|row| row.len() > 1) {
        let same = rows.iter().filter(|other| other.len() == row.len()).count();
        if (same, row.len()) > (best.rows, best.columns) {
            best = Fit { rows: same, columns: row.len(), ..best };
        }
    }
    best
}

/// The separator that fits best; `None` where every one leaves a single column.
pub(super) fn detect(sample: &[u8], expected: &[String]) -> Option<u8> {
    let mut best = (Fit::default(), None);
    for separator in SEPARATORS {
        let fit = fit(sample, separator, expected);
        if fit.columns > 1 && fit > best.0 {
            best = (fit, Some(separator));
        }
    }
    best.1
}

/// How many of the expected names stand on a row.
pub(crate) fn hits<'c>(cells: impl Iterator<Item = &'c str>, expected: &[String]) -> usize {
    let cells: Vec<&str> = cells.map(str::trim).collect();
    expected.iter().filter(|name| cells.contains(&name.trim())).count()
}

/// Which of the first rows holds the names: the one with most of them, and at least half.
pub(crate) fn find_row<'r, R, C>(rows: impl Iterator<Item = R>, expected: &[String]) -> Option<usize>
where
    R: IntoIterator<Item = &'r str, IntoIter = C>,
    C: Iterator<Item = &'r str>,
{
    let mut best: Option<(usize, usize)> = None;
    for (index, row) in rows.enumerate() {
        let found = hits(row.into_iter(), expected);
        if found > best.map_or(0, |(most, _)| most) {
            best = Some((found, index));
        }
    }
    best.filter(|(found, _)| found * 2 >= expected.len()).map(|(_, index)| index)
}

/// True for the row that says which column has which field number.
pub(super) fn is_numbering(row: &super::Row) -> bool {
    row.text(0).is_some_and(|cell| cell.to_ascii_lowercase().contains("field number"))
}

/// The names of the columns by the numbers that a row gives them; a cell without a number leaves
/// its column without a name.
///
/// # Errors
/// With the highest number, where it is not the number of names.
pub(super) fn numbered(row: &super::Row, names: &[String]) -> Result<Vec<Arc<str>>, usize> {
    let numbers: Vec<usize> = row.iter().map(|cell| cell.trim().parse().unwrap_or_default()).collect();
    let most = numbers.iter().copied().max().unwrap_or_default();
    if most != names.len() {
        return Err(most);
    }
    let name = |number: &usize| number.checked_sub(1).and_then(|index| names.get(index));
    Ok(numbers.iter().map(|number| Arc::from(name(number).map_or("", String::as_str))).collect())
}

#[cfg(test)]
mod tests {
    use super::detect;

    fn check(sample: &str, separator: Option<u8>) {
        assert_eq!(detect(sample.as_bytes(), &[]), separator, "{sample}");
    }

    #[test]
    fn the_separator_is_the_one_that_keeps_rows_alike() {
        check("a,b\n1,2\n", Some(b','));
        check("a;b\n1,5;2,5\n3,5;4,5\n", Some(b';'));
        check("a\tb\n1, 2\t3\n", Some(b'\t'));
        check("a|b|c\n1|2|3\n", Some(b'|'));
        check("name\nx\n", None);
    }
}
