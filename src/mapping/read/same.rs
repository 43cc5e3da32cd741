//! What tells a record apart for every feed of its source.

use super::key::joined;
use super::watch::Watch;
use super::{BoundBlock, Reader};
use crate::base::private::Private;
use crate::mapping::{KEY_SEPARATOR, Same};
use crate::record::draft::Draft;

impl<W: Watch> Reader<'_, '_, W> {
    /// How a record stands to what other feeds tell; none where its block says nothing of it.
    pub(super) fn same(
        &mut self,
        bound: &BoundBlock,
        (key, has_row_id): (&str, bool),
        keyed: &[(usize, String)],
        draft: &Draft,
    ) -> Option<Same> {
        let of = bound.block.same_as.clone()?;
        let parts = has_row_id.then(|| self.parts(&bound.block.key, &bound.key, keyed)).flatten();
        let plain_key = parts.map(|parts| joined(&parts));
        let mut told = plain_key.as_deref().unwrap_or(key).split(KEY_SEPARATOR).enumerate();
        let has_own = has_row_id || told.any(|(index, part)| of.own.contains(&index) && !part.is_empty());
        let words = of.fields.iter().map(|field| draft.find(field).and_then(Draft::text));
        let words: Option<Vec<&str>> = words.collect();
        let text = words.filter(|words| !words.is_empty()).map(|words| {
            Private::new(words.join(KEY_SEPARATOR.encode_utf8(&mut [0; KEY_SEPARATOR.len_utf8()])))
        });
        Some(Same { of, text, plain_key: plain_key.map(Private::new), has_own })
    }
}
