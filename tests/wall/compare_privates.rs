// expect: E0369
// Two private values cannot be compared: equality tells.

use crate::base::private::Private;

fn leak(one: &Private<String>, other: &Private<String>) -> bool {
    one == other
}
