//! Where the units of a document stand that nobody has declared: at the element that repeats.

use std::collections::BTreeMap;

use super::frame::Markup;
use super::passing::local;
use super::reader::XmlReader;
use crate::base::limit::{OUTLINE_DEPTH_MAX, PROFILE_COLUMNS_MAX};
use crate::format::Refused;

/// What was seen of an element by its path.
#[derive(Default)]
struct Seen {
    count: u64,
    has_children: bool,
}

impl XmlReader {
    /// The names that lead to the outermost element that repeats and holds others; to the outermost
    /// of all where none does.
    pub(crate) fn outline(mut self) -> Result<Vec<String>, Refused> {
        let mut seen: BTreeMap<Vec<String>, Seen> = BTreeMap::new();
        let mut open: Vec<String> = Vec::new();
        let mut depth = 0_usize;
        loop {
            let markup = self.markup()?;
            match markup {
                Markup::Open | Markup::Empty => {
                    if depth < OUTLINE_DEPTH_MAX {
                        if let Some(parent) = seen.get_mut(&open) {
                            parent.has_children = true;
                        }
                        open.push(String::from_utf8_lossy(local(self.name())).into_owned());
                        if seen.len() < PROFILE_COLUMNS_MAX || seen.contains_key(&open) {
                            seen.entry(open.clone()).or_default().count += 1;
                        }
                    }
                    depth += 1;
                    if markup == Markup::Empty {
                        close(&mut open, &mut depth);
                    }
                }
                Markup::Close => close(&mut open, &mut depth),
                Markup::Passing | Markup::Doctype { .. } => continue,
                Markup::End { .. } => break,
            }
            if depth == 0 {
                break;
            }
        }
        let repeats =
            seen.iter().filter(|(path, seen)| path.len() > 1 && seen.count > 1 && seen.has_children);
        let outermost = repeats.min_by_key(|(path, seen)| (path.len(), u64::MAX - seen.count));
        Ok(match outermost {
            Some((path, _)) => path.clone(),
            // One alone: the element inside the outermost, if it holds others.
            None => {
                let inner: Vec<_> = seen.iter().filter(|(path, _)| path.len() == 2).collect();
                match inner.as_slice() {
                    [(path, seen)] if seen.has_children => (*path).clone(),
                    _ => vec![self.root()],
                }
            }
        })
    }
}

fn close(open: &mut Vec<String>, depth: &mut usize) {
    *depth = depth.saturating_sub(1);
    open.truncate(*depth);
}
