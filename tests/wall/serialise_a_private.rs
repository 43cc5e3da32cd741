// expect: E0277
// A private value has no way to be serialised.

use crate::base::private::Private;

fn leak(name: &Private<String>) -> String {
    serde_json::to_string(name).unwrap_or_default()
}
