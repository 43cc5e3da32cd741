// expect: E0277
// A private value has no way to be printed for debugging.

use crate::base::private::Private;

fn leak(name: &Private<String>) -> String {
    format!("{name:?}")
}
