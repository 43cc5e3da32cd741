//! Addresses in a mapping, compiled once.

use crate::format::{At, Header, hl7v2::MessagePath, json::TreePath};

/// An address that means nothing here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct UnknownAddress {
    /// What is wrong with it: a column that is not there, or a path that cannot be read.
    pub reason: String,
    /// The nearest names that are there, best first; at most three.
    pub nearest: Vec<String>,
}

impl At {
    /// Compiles an address against a table's header or, where there is none, as a path:
    /// `PID-3[5=NHS].1` into a message, anything else into a tree.
    ///
    /// A column is matched exactly but for outer blanks; a name that stands twice is refused,
    /// since which was meant cannot be known.
    pub fn compile(address: &str, header: Option<&Header>) -> Result<Self, UnknownAddress> {
        match header {
            Some(header) => header.find(address).map(Self::Column),
            None if MessagePath::looks_like(address) => MessagePath::parse(address).map(Self::Message),
            None => TreePath::parse(address).map(Self::Tree),
        }
    }
}

impl Header {
    /// A header of these names, in order.
    #[must_use]
    pub fn of<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        Self {
            sheet: None,
            columns: names.into_iter().map(|name| std::sync::Arc::from(name.trim())).collect(),
            line: 0,
        }
    }

    /// The column of that name.
    fn find(&self, name: &str) -> Result<usize, UnknownAddress> {
        let wanted = name.trim();
        let mut found = self.columns.iter().enumerate().filter(|(_, column)| column.as_ref() == wanted);
        match (found.next(), found.next()) {
            (Some((index, _)), None) => Ok(index),
            (Some(_), Some(_)) => Err(UnknownAddress {
                reason: format!(
                    "the column `{wanted}` stands more than once, so which is meant cannot be known"
                ),
                nearest: Vec::new(),
            }),
            (None, _) => Err(UnknownAddress {
                reason: format!("there is no column `{wanted}`"),
                nearest: nearest(wanted, self.columns.iter().map(AsRef::as_ref)),
            }),
        }
    }
}

/// The names nearest in spelling, best first, at most three.
pub(crate) fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let near_max = wanted.chars().count() / 2;
    let mut scored: Vec<(usize, &str)> = names
        .map(|name| (distance(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score <= near_max)
        .collect();
    scored.sort_unstable();
    scored.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// Edits between two texts: insertions, deletions and replacements.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        let mut next = vec![before];
        for (to, above) in right.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(from != *to);
            before = replaced.min(before + 1).min(above + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{At, Header};

    #[test]
    fn a_column_is_found_or_its_neighbours_are_named() {
        let header = Header::of(["NHS Number", " Date of Birth ", "Postcode"]);
        assert_eq!(At::compile("Date of Birth", Some(&header)), Ok(At::Column(1)));
        let unknown = At::compile("Post code", Some(&header)).unwrap_err();
        assert_eq!(unknown.nearest, ["Postcode"]);
        assert_eq!(unknown.reason, "there is no column `Post code`");
    }

    #[test]
    fn a_name_that_stands_twice_is_refused() {
        let header = Header::of(["a", "b", "a"]);
        assert!(At::compile("a", Some(&header)).unwrap_err().reason.contains("more than once"));
    }
}
