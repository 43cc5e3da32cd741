// expect: E0277
// The purposes are a closed list.

use crate::base::private::Purpose;

struct Curiosity;

impl Purpose for Curiosity {
    const NAME: &str = "curiosity";
}
