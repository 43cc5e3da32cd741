// expect: E0277
// A draft cannot be printed.

use crate::record::draft::Draft;

fn leak(draft: &Draft) -> String {
    format!("{draft:?}")
}
