//! Passing through an element to its end, by its tags alone. An end tag that does not match closes
//! what it can, so that one broken unit breaks no other.

use super::frame::Markup;
use crate::base::limit::TREE_DEPTH_MAX;

/// How an element came to its end.
#[derive(Clone, Copy, Default)]
pub(super) struct Passed {
    pub(super) depth: usize,
    pub(super) elements: usize,
    pub(super) has_wrong_tags: bool,
}

/// An element on the way to its end.
#[derive(Default)]
pub(super) struct Passing {
    pub(super) passed: Passed,
    open: Open,
    /// Tags nested deeper than any tree: counted, without their names.
    deeper: u64,
}

/// Where a tag leaves the element that is being passed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    Inside,
    End,
    /// Its own end tag is missing: this is that of the element round it.
    EndOfOuter,
}

impl Passing {
    pub(super) fn begin(&mut self, name: &[u8]) {
        self.passed = Passed { depth: 1, ..Passed::default() };
        self.open.clear();
        self.open.push(name);
        self.deeper = 0;
    }

    pub(super) fn meet(&mut self, tag: Markup, name: &[u8], outer: Option<&String>) -> Met {
        match tag {
            Markup::Open if self.open.depth() > TREE_DEPTH_MAX => {
                self.passed.elements += 1;
                self.deeper += 1;
            }
            Markup::Open => {
                self.passed.elements += 1;
                self.open.push(name);
                self.passed.depth = self.passed.depth.max(self.open.depth());
            }
            Markup::Close if self.deeper > 0 => self.deeper -= 1,
            Markup::Close => {
                let at = self.open.find(name);
                self.passed.has_wrong_tags |= at.is_none_or(|at| at + 1 != self.open.depth());
                if at.is_none() && outer.is_some_and(|outer| outer.as_bytes() == local(name)) {
                    return Met::EndOfOuter;
                }
                self.open.truncate(at.unwrap_or(self.open.depth()));
                if self.open.depth() == 0 {
                    return Met::End;
                }
            }
            _ => self.passed.elements += 1,
        }
        Met::Inside
    }
}

/// The names of elements that are open, one after another.
#[derive(Default)]
struct Open {
    names: Vec<u8>,
    starts: Vec<usize>,
}

impl Open {
    fn clear(&mut self) {
        self.truncate(0);
    }

    fn depth(&self) -> usize {
        self.starts.len()
    }

    fn push(&mut self, name: &[u8]) {
        self.starts.push(self.names.len());
        self.names.extend_from_slice(name);
    }

    /// The innermost one of that name.
    fn find(&self, name: &[u8]) -> Option<usize> {
        let mut end = self.names.len();
        for (at, start) in self.starts.iter().enumerate().rev() {
            if self.names.get(*start..end) == Some(name) {
                return Some(at);
            }
            end = *start;
        }
        None
    }

    fn truncate(&mut self, depth: usize) {
        if let Some(start) = self.starts.get(depth) {
            self.names.truncate(*start);
            self.starts.truncate(depth);
        }
    }
}

/// A name without its prefix.
pub(super) fn local(name: &[u8]) -> &[u8] {
    name.iter().position(|byte| *byte == b':').and_then(|at| name.get(at + 1..)).unwrap_or(name)
}
