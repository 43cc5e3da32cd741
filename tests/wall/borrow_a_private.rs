// expect: E0308
// A private value does not turn into what it holds.

use crate::base::private::Private;

fn leak(name: &Private<String>) -> &str {
    name
}
