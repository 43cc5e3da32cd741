//! Identifying values: the one type that cannot be printed, compared or serialised.
//!
//! Opening a [`Private`] takes a [`Grant`], which counts what it opened. A grant is closed into
//! a [`Receipt`], and the receipt is written to the audit in the same transaction as the work.
//!
//! Two things are done with a private value that are not opening, because nothing of the value
//! can be read from the result: sealing it and taking its keyed hash (both in
//! [`seal`](crate::base::seal)), and checking it against a JSON Schema (in `record`). They go
//! through `Private::inspect`, whose callers a test lists.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Deserializer};
use zeroize::Zeroize;

/// The name under which a private leaf is asked for when a typed record is read. Only a
/// [`Private`] field asks by this name, so no other type can be given one.
pub const PRIVATE_NEWTYPE: &str = "wayleave::Private";

/// What stands in text in place of a private value.
pub const WITHHELD: &str = "(withheld)";

/// An identifying value. Overwritten when dropped.
pub struct Private<T: Zeroize>(T);

impl<T: Zeroize> Private<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for a purpose that is on record.
    pub fn open<'v, P: Purpose>(&'v self, grant: &Grant<P>) -> &'v T {
        grant.opened.fetch_add(1, Ordering::Relaxed);
        &self.0
    }

    /// Another private value, worked out from this one: hidden as it was.
    pub(crate) fn derive<U: Zeroize>(&self, to: impl FnOnce(&T) -> U) -> Private<U> {
        Private(to(&self.0))
    }

    /// The value, for a check or a transformation from which it cannot be read back.
    pub(crate) const fn inspect(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + Clone> Clone for Private<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Zeroize> Drop for Private<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Private<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Inner<T>(PhantomData<T>);
        impl<'de, T: Zeroize + Deserialize<'de>> serde::de::Visitor<'de> for Inner<T> {
            type Value = Private<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an identifying value")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Private<T>, D::Error> {
                // The inner error may quote the value, so it is dropped.
                T::deserialize(from)
                    .map(Private)
                    .map_err(|_quoting| serde::de::Error::custom("an identifying value has the wrong shape"))
            }
        }
        deserializer.deserialize_newtype_struct(PRIVATE_NEWTYPE, Inner(PhantomData))
    }
}

impl Zeroize for crate::base::day::Day {
    fn zeroize(&mut self) {
        if let Some(epoch) = Self::new(1970, 1, 1) {
            *self = epoch;
        }
    }
}

/// Why identifying values are opened. Closed: each purpose stands below.
pub trait Purpose: sealed::Sealed + Send + Sync + 'static {
    /// The word in the audit.
    const NAME: &'static str;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident, $word:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;
        impl sealed::Sealed for $name {}
        impl Purpose for $name {
            const NAME: &'static str = $word;
        }
    )*};
}

purposes! {
    /// Writing records out in another format, at the command line.
    Convert, "convert";
    /// Comparing subjects to find out who is the same person.
    Link, "link";
    /// Deriving a released field, such as age from birth date.
    Release, "release";
    /// Merging a patch over the current version of a record.
    Merge, "merge";
    /// Showing a person to a named member of staff.
    Show, "show";
    /// Writing the fix list for the sender.
    FixList, "fix-list";
    /// Writing units that were set aside out, for whoever is to put them right.
    SetAside, "set-aside";
    /// Writing to a partner under an agreement.
    Exchange, "exchange";
    /// Finding whom a withdrawal or consent entered by hand is about.
    Directive, "directive";
    /// Checking mapping cases, on invented people only.
    Cases, "cases";
}

/// Leave to open identifying values, for one purpose, by one actor.
///
/// Must be closed. One that is dropped unclosed stops a debug build, so a test fails.
#[must_use = "a grant is closed into a receipt for the audit"]
pub struct Grant<P: Purpose> {
    actor: String,
    opened: AtomicU64,
    closed: bool,
    purpose: PhantomData<P>,
}

/// What a grant opened, for the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a receipt is written to the audit"]
pub struct Receipt {
    /// Who: a role and account, such as `worker` or `cli:jsmith`.
    pub actor: String,
    /// Why.
    pub purpose: &'static str,
    /// How many values were opened.
    pub opened: u64,
}

impl<P: Purpose> Grant<P> {
    /// Begins. A test lists the callers.
    pub fn begin(actor: &str) -> Self {
        Self { actor: actor.to_owned(), opened: AtomicU64::new(0), closed: false, purpose: PhantomData }
    }

    /// Ends, and says what was opened.
    pub fn close(mut self) -> Receipt {
        self.closed = true;
        Receipt {
            actor: std::mem::take(&mut self.actor),
            purpose: P::NAME,
            opened: self.opened.load(Ordering::Relaxed),
        }
    }
}

impl<P: Purpose> Drop for Grant<P> {
    fn drop(&mut self) {
        debug_assert!(
            self.closed || std::thread::panicking(),
            "a grant for `{}` was dropped without being closed",
            P::NAME
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{Grant, Link, Private};

    #[test]
    fn a_grant_counts_what_it_opened() {
        let name = Private::new(String::from("Canary"));
        let grant = Grant::<Link>::begin("test");
        assert_eq!(name.open(&grant), "Canary");
        assert_eq!(name.open(&grant), "Canary");
        let receipt = grant.close();
        assert_eq!((receipt.purpose, receipt.opened), ("link", 2));
    }

    #[test]
    #[should_panic(expected = "dropped without being closed")]
    fn an_unclosed_grant_is_an_error() {
        drop(Grant::<Link>::begin("test"));
    }
}
