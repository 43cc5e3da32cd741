//! Blocks: keyed hashes by which a person in one source is found among those of another, without
//! opening anything.
//!
//! What a block is made of stands in its normal form, so that `O'Brien` and `OBRIEN` are in one
//! block. A person without the parts has no such block: strangers are never alike by what is not
//! known of them.

use crate::base::day::Day;
use crate::base::private::Private;
use crate::base::seal::{Hasher, IndexKey, KeyedHash};
use crate::person::normalise;
use crate::record::draft::Draft;
use crate::record::nhs_number;

/// The NHS number.
pub const NHS_NUMBER: &str = "nhs-number";
/// Family name, given name and birth date.
pub const NAME_BIRTH: &str = "name-birth";
/// Birth date and full postcode.
pub const BIRTH_POSTCODE: &str = "birth-postcode";
/// Identifier in the council's case system.
pub const COUNCIL_ID: &str = "council-id";
/// Reference in a housing tracker.
pub const TRACKER_REF: &str = "tracker-ref";
/// Identifier at the trust.
pub const TRUST_ID: &str = "trust-id";

/// The blocks by which a source's row is held against those who are known. A tracker's reference
/// or a trust's number is a running one, which another tracker or trust may have given too.
pub const KNOWN_BLOCKS: &[&str] = &[NHS_NUMBER, NAME_BIRTH, BIRTH_POSTCODE, COUNCIL_ID];
/// The blocks of which one is enough to tell who somebody is (see
/// [`is_enough`](crate::person::features::Features::is_enough)).
pub const SURE_BLOCKS: &[&str] = &[NHS_NUMBER, NAME_BIRTH];

/// Makes the blocks of a person.
#[derive(Clone)]
pub struct Blocker {
    nhs_number: Hasher,
    name_birth: Hasher,
    birth_postcode: Hasher,
    council_id: Hasher,
    tracker_ref: Hasher,
    trust_id: Hasher,
}

impl Blocker {
    /// One that hashes under a key.
    #[must_use]
    pub fn new(key: &IndexKey) -> Self {
        Self {
            nhs_number: key.hasher("block/nhs-number"),
            name_birth: key.hasher("block/name-birth"),
            birth_postcode: key.hasher("block/birth-postcode"),
            council_id: key.hasher("block/council-id"),
            tracker_ref: key.hasher("block/tracker-ref"),
            trust_id: key.hasher("block/trust-id"),
        }
    }

    /// The blocks of a person record.
    #[must_use]
    pub fn blocks(&self, person: &Draft) -> Vec<(&'static str, KeyedHash)> {
        let name = |field| leaf(person, field).map(normalise::private_name);
        let birth = leaf(person, "birth_date").map(birth);
        let given = name("given_name");
        let mut blocks = Vec::with_capacity(4);
        let mut push = |block, hasher: &Hasher, parts: &[Option<&Private<String>>]| {
            let parts: Option<Vec<_>> = parts.iter().copied().collect();
            if let Some(hash) = parts.and_then(|parts| hasher.all_private(&parts)) {
                blocks.push((block, hash));
            }
        };
        let number = leaf(person, "nhs_number").map(good_number);
        push(NHS_NUMBER, &self.nhs_number, &[number.as_ref()]);
        for family in [name("family_name"), name("previous_family_name")] {
            push(NAME_BIRTH, &self.name_birth, &[family.as_ref(), given.as_ref(), birth.as_ref()]);
        }
        let postcode = leaf(person, "postcode").map(normalise::private_postcode);
        push(BIRTH_POSTCODE, &self.birth_postcode, &[birth.as_ref(), postcode.as_ref()]);
        let ids = [
            (COUNCIL_ID, &self.council_id, "council_id"),
            (TRACKER_REF, &self.tracker_ref, "tracker_ref"),
            (TRUST_ID, &self.trust_id, "trust_id"),
        ];
        for (block, hasher, field) in ids {
            let id = leaf(person, field).map(|id| id.derive(|id| id.trim().to_uppercase()));
            push(block, hasher, &[id.as_ref()]);
        }
        blocks
    }
}

fn leaf<'d>(person: &'d Draft, field: &str) -> Option<&'d Private<String>> {
    person.find(field).and_then(Draft::private)
}

/// The number, or nothing where it is not a good one.
fn good_number(number: &Private<String>) -> Private<String> {
    number.derive(|digits| match nhs_number::judge(digits) {
        nhs_number::Verdict::Good => digits.clone(),
        _ => String::new(),
    })
}

/// The day, or nothing where it only stands for *not known*.
fn birth(text: &Private<String>) -> Private<String> {
    text.derive(|text| match text.parse::<Day>() {
        Ok(day) if !normalise::is_placeholder(day) => text.clone(),
        _ => String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::Blocker;
    use crate::base::private::Private;
    use crate::base::seal::IndexKey;
    use crate::record::draft::Draft;

    fn blocks(fields: &[(&'static str, &str)]) -> Vec<(&'static str, crate::base::seal::KeyedHash)> {
        let mut person = Draft::empty();
        for (name, value) in fields {
            person.set(name, Draft::Private(Private::new((*value).to_owned())));
        }
        Blocker::new(&IndexKey::from_bytes([7; 32])).blocks(&person)
    }

    #[test]
    fn one_spelling_is_as_good_as_another() {
        let a = blocks(&[("family_name", "O'Brien"), ("given_name", "Zoë"), ("birth_date", "1960-02-03")]);
        let b = blocks(&[("family_name", "OBRIEN"), ("given_name", "Zoe"), ("birth_date", "1960-02-03")]);
        assert_eq!(a.len(), 1);
        assert!(a == b);
    }

    #[test]
    fn what_is_not_known_makes_nobody_alike() {
        assert!(blocks(&[("family_name", "Gray"), ("given_name", "Ann")]).is_empty());
        assert!(
            blocks(&[("family_name", "Gray"), ("given_name", "Ann"), ("birth_date", "1900-01-01")])
                .is_empty()
        );
        assert!(blocks(&[("nhs_number", "1111111111")]).is_empty());
        assert!(
            blocks(&[("family_name", "-"), ("given_name", "Ann"), ("birth_date", "1960-02-03")]).is_empty()
        );
    }
}
