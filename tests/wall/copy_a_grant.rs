// expect: E0277
// A grant is one act: it cannot be copied.

use crate::base::private::{Grant, Link};

fn twice(grant: &Grant<Link>) -> Grant<Link> {
    Grant::clone(grant)
}
