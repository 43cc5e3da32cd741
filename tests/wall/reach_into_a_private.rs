// expect: E0616
// What a private value holds is no public field.

use crate::base::private::Private;

fn leak(name: &Private<String>) -> &String {
    &name.0
}
