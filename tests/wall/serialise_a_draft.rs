// expect: E0277
// A draft is written only by opening it, under a grant.

use crate::record::draft::Draft;

fn leak(draft: &Draft) -> String {
    serde_json::to_string(draft).unwrap_or_default()
}
