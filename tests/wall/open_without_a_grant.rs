// expect: E0061
// Opening takes a grant.

use crate::base::private::Private;

fn leak(name: &Private<String>) -> &String {
    name.open()
}
