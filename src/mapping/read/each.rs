//! Several records out of one unit: the block is read once for each item of a list in it.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use super::watch::{Seen, Watch};
use super::{BoundBlock, BoundPart, Reader};
use crate::base::finding::Code;
use crate::base::limit::EACH_ITEMS_MAX;
use crate::format::json::TreePath;
use crate::format::{At, Unit};
use crate::mapping::Made;

impl<W: Watch> Reader<'_, '_, W> {
    /// The records that a block makes of the unit: one, or one for each item. Without an item it is read
    /// all the same, so that what is missing is said.
    pub(super) fn records(&mut self, bound: &BoundBlock, records: &mut Vec<Made>) {
        let (Some(each), Unit::Tree(tree)) = (&bound.block.each, self.unit) else {
            return self.one(bound, records);
        };
        let items = each.path.items(tree);
        if items.len() > EACH_ITEMS_MAX {
            let expected = format!("expected at most {EACH_ITEMS_MAX} items");
            return self.reject(Code::MapShape, Some(&each.address), &expected);
        }
        if items.len() < 2 {
            return self.one(bound, records);
        }
        for item in items {
            self.item = Some((Arc::clone(&bound.block), item));
            self.one(&bound.of_item(&each.path, item), records);
        }
        self.item = None;
    }

    fn one(&mut self, bound: &BoundBlock, records: &mut Vec<Made>) {
        let Some(made) = self.record(bound) else { return };
        self.watch.seen(Seen::Made(&made));
        records.push(made);
    }

    /// An address as it is told: an item that is read by its number.
    pub(super) fn named<'t>(&self, address: &'t str) -> Cow<'t, str> {
        let Some((block, item)) = &self.item else { return Cow::Borrowed(address) };
        let Some(each) = &block.each else { return Cow::Borrowed(address) };
        let Some(rest) = address.strip_prefix(each.address.as_str()) else { return Cow::Borrowed(address) };
        let mut list = each.address.as_str();
        while let (true, Some((before, _))) = (list.ends_with(']'), list.rsplit_once('[')) {
            list = before;
        }
        Cow::Owned(format!("{list}[{item}]{rest}"))
    }
}

impl BoundBlock {
    /// The block for one item: what leads through the items leads through this one.
    fn of_item(&self, each: &TreePath, item: usize) -> Self {
        let of_item = |at: &At| match at {
            At::Tree(path) => At::Tree(path.of_item(each, item)),
            other => other.clone(),
        };
        let parts = |parts: &[BoundPart]| {
            let of_part = |part: &BoundPart| match part {
                BoundPart::Cell(at) => BoundPart::Cell(of_item(at)),
                BoundPart::Field(index) => BoundPart::Field(*index),
            };
            parts.iter().map(of_part).collect()
        };
        Self {
            number: self.number,
            block: Arc::clone(&self.block),
            when: None,
            key: parts(&self.key),
            subject: parts(&self.subject),
            row_id: None,
            rows: Mutex::default(),
            source_time: self.source_time.as_ref().map(of_item),
            cells: self.cells.iter().map(|cells| cells.iter().map(of_item).collect()).collect(),
        }
    }
}
