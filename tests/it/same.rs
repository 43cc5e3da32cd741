//! Whether two evaluation databases hold the same, row for row.
//!
//! What is drawn at random in each run is renamed before the rows are compared: two databases are
//! the same if there is a renaming under which their rows are. Each random id is named after the
//! rows it stands in, and those after the ids beside it, round after round; so a record that
//! hangs on the wrong person, or a reference to the wrong care home, is a difference.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use crate::dump::Dump;

/// What two runs may differ in.
pub(crate) enum Free {
    /// The words that stand in this column of a table are drawn anew in each run: renamed,
    /// wherever they stand.
    Drawn(&'static str, &'static str),
    /// This column of a table, or this member (`column.member`) of the document in it, is left out.
    Out(&'static str, &'static str),
}

/// A second release of the same intents, made with the same study key, is itself another release:
/// it has an id and an instant of its own, and so has the message that closes it. That message
/// proves its place in the audit, where each claim and each interrupted run has its entry, each
/// with its instant: the signed head, the entry and the proof are of that log and no other.
/// Nothing else may differ: not a message id, not a sequence.
pub(crate) const AFTER_RELEASE: [Free; 7] = [
    Free::Drawn("closed_release", "release"),
    Free::Drawn("closed_release", "message_id"),
    Free::Out("closed_release", "cut_off"),
    Free::Out("closed_release", "body.cut_off"),
    Free::Out("closed_release", "body.checkpoint"),
    Free::Out("closed_release", "body.entry"),
    Free::Out("closed_release", "body.proof"),
];

/// A second sync draws ids for people and records at random: pseudonyms come from them, and
/// message ids from both. Within one person the records are numbered in the order of their ids, and
/// so in another order. What the numbers decide, which version stands, is compared with everything
/// else.
pub(crate) const AFTER_SYNC: [Free; 18] = [
    Free::Drawn("closed_release", "release"),
    Free::Drawn("closed_release", "message_id"),
    Free::Out("closed_release", "cut_off"),
    Free::Out("closed_release", "body.cut_off"),
    Free::Out("closed_release", "body.checkpoint"),
    Free::Out("closed_release", "body.entry"),
    Free::Out("closed_release", "body.proof"),
    Free::Drawn("subject", "pseudonym"),
    Free::Drawn("record", "record_pseudonym"),
    Free::Drawn("setting", "setting_pseudonym"),
    Free::Drawn("inbox", "message_id"),
    Free::Drawn("withdrawal", "notice"),
    Free::Drawn("notice", "notice_id"),
    Free::Out("subject", "sequence"),
    Free::Out("subject", "superseded_sequence"),
    Free::Out("withdrawal", "sequence"),
    Free::Out("record", "sequence"),
    Free::Out("setting", "sequence"),
];

/// Rounds of naming: an id is told from another by what stands so many steps away from it.
const ROUNDS: usize = 4;

/// The rows of a database, ids renamed, sorted; after each round.
pub(crate) struct Rows(Vec<Vec<String>>);

impl Rows {
    pub(crate) fn of(dump: &Dump, free: &[Free]) -> Self {
        let drawn = drawn(dump, free);
        let mut rows: Vec<String> = Vec::new();
        for (table, lines) in dump {
            rows.extend(lines.iter().map(|line| format!("{table} {}", left(table, line, free))));
        }
        let rows: Vec<Vec<&str>> = rows.iter().map(|row| pieces(row)).collect();
        let mut names: HashMap<&str, u64> = drawn.iter().map(|id| (id.as_str(), 0)).collect();
        let mut rounds = vec![shown(&rows, &names)];
        for _round in 0..ROUNDS {
            names = named_anew(&rows, &names);
            rounds.push(shown(&rows, &names));
        }
        Self(rounds)
    }

    /// The first rows that one has and the other has not, in the first round that tells them
    /// apart: what differs, before what stands beside it.
    pub(crate) fn difference(&self, found: &Self) -> Option<String> {
        self.0.iter().zip(&found.0).enumerate().find_map(|(round, (expected, found))| {
            Self::of_round(expected, found).map(|told| format!("in round {round}\n{told}"))
        })
    }

    fn of_round(expected: &[String], found: &[String]) -> Option<String> {
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for row in expected {
            *counts.entry(row).or_default() += 1;
        }
        for row in found {
            *counts.entry(row).or_default() -= 1;
        }
        let told = |sign: &'static str, wanted: fn(i64) -> bool| {
            let rows: Vec<String> = counts
                .iter()
                .filter(|(_, count)| wanted(**count))
                .map(|(row, _)| format!("{sign} {}", row.chars().take(1_500).collect::<String>()))
                .collect();
            format!("{} rows {sign}\n{}", rows.len(), rows[..rows.len().min(4)].join("\n"))
        };
        if counts.values().all(|count| *count == 0) {
            return None;
        }
        Some(format!("{}\n{}", told("-", |count| count > 0), told("+", |count| count < 0)))
    }
}

fn shown(rows: &[Vec<&str>], names: &HashMap<&str, u64>) -> Vec<String> {
    let piece = |piece: &&str| names.get(piece).map_or((*piece).to_owned(), |name| format!("#{name:x}"));
    let mut shown: Vec<String> = rows.iter().map(|row| row.iter().map(piece).collect()).collect();
    shown.sort();
    shown
}

fn drawn(dump: &Dump, free: &[Free]) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for one in free {
        let Free::Drawn(table, column) = one else { continue };
        for line in &dump[*table] {
            let row: Value = serde_json::from_str(line).unwrap();
            ids.extend(row[*column].as_str().filter(|id| !id.is_empty()).map(str::to_owned));
        }
    }
    ids
}

/// A row without what is left out of its table.
fn left(table: &str, line: &str, free: &[Free]) -> String {
    let mut row: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
    for one in free {
        let Free::Out(of, place) = one else { continue };
        if *of != table {
            continue;
        }
        match place.split_once('.') {
            None => {
                row.remove(*place);
            }
            Some((column, member)) => {
                let Some(cell) = row.get_mut(column) else { continue };
                let mut body: serde_json::Map<String, Value> =
                    serde_json::from_str(cell.as_str().unwrap()).unwrap();
                body.remove(member);
                *cell = serde_json::to_string(&body).unwrap().into();
            }
        }
    }
    serde_json::to_string(&row).unwrap()
}

/// A text in words, and what stands between them.
fn pieces(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let kind = is_word(first);
        let end = rest.find(|c| is_word(c) != kind).unwrap_or(rest.len());
        pieces.push(&rest[..end]);
        rest = &rest[end..];
    }
    pieces
}

/// One round: each id is named after the rows it stands in, with the names of the ids beside it.
fn named_anew<'t>(rows: &[Vec<&'t str>], names: &HashMap<&'t str, u64>) -> HashMap<&'t str, u64> {
    let mut stands_in: HashMap<&str, Vec<u64>> = HashMap::new();
    for row in rows {
        let ids: BTreeSet<&str> = row.iter().copied().filter(|piece| names.contains_key(piece)).collect();
        for id in ids {
            let mut hash = DefaultHasher::new();
            for piece in row {
                match names.get(piece) {
                    Some(_) if *piece == id => "itself".hash(&mut hash),
                    Some(name) => name.hash(&mut hash),
                    None => piece.hash(&mut hash),
                }
            }
            stands_in.entry(id).or_default().push(hash.finish());
        }
    }
    let name = |id: &'t str| {
        let mut rows = stands_in.remove(id).unwrap_or_default();
        rows.sort_unstable();
        let mut hash = DefaultHasher::new();
        rows.hash(&mut hash);
        (id, hash.finish())
    };
    names.keys().copied().map(name).collect()
}

#[test]
fn a_renaming_is_no_difference_and_a_row_on_the_wrong_person_is() {
    const FREE: [Free; 2] = [Free::Drawn("person", "id"), Free::Out("person", "number")];
    let dump = |people: &[(&str, i64)], stars: &[(&str, i64)]| -> Dump {
        let line = |row: serde_json::Value| row.to_string();
        [
            (
                "person".to_owned(),
                people.iter().map(|(id, n)| line(serde_json::json!({"id": id, "number": n}))).collect(),
            ),
            (
                "star".to_owned(),
                stars.iter().map(|(of, score)| line(serde_json::json!({"of": of, "score": score}))).collect(),
            ),
        ]
        .into()
    };
    let first = Rows::of(&dump(&[("a", 1), ("b", 2)], &[("a", 3), ("a", 4), ("b", 3)]), &FREE);
    let renamed = Rows::of(&dump(&[("y", 5), ("x", 6)], &[("x", 3), ("y", 3), ("x", 4)]), &FREE);
    assert_eq!(first.difference(&renamed), None);
    let moved = Rows::of(&dump(&[("x", 1), ("y", 2)], &[("x", 3), ("y", 3), ("y", 3)]), &FREE);
    assert!(first.difference(&moved).is_some());
    let on_another = Rows::of(&dump(&[("x", 1), ("y", 2)], &[("x", 3), ("y", 4), ("y", 3)]), &FREE);
    assert_eq!(first.difference(&on_another), None, "only the names changed");
    let split = Rows::of(&dump(&[("x", 1), ("y", 2)], &[("x", 4), ("y", 3), ("y", 3)]), &FREE);
    assert!(first.difference(&split).is_some(), "the same rows, hung on other people");
}
