// expect: E0277
// A key cannot be printed.

use crate::base::seal::DataKey;

fn leak(key: &DataKey) -> String {
    format!("{key:?}")
}
