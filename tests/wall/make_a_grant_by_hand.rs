// expect: E0451
// A grant comes from `begin` alone.

use crate::base::private::{Grant, Link};

fn free() -> Grant<Link> {
    Grant { actor: String::new(), opened: 0.into(), closed: true, purpose: std::marker::PhantomData }
}
