//! Pseudonyms: keyed codes over random ids, never over an identifier.
//!
//! A pseudonym is 80 bits of HMAC-SHA-256 over the person's random id, written in Crockford's
//! base 32 with a check symbol. A leaked study key and a leaked extract together lead to nobody
//! without the operational store. Records and settings have their own label, so that no code of
//! one kind can equal one of another.

use std::fmt;

use crate::base::id::{PersonId, RecordId};
use crate::base::seal::StudyKey;
use crate::record::kind::Kind;

/// Crockford's alphabet: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The first part of every input; a second form of pseudonym gets another.
const LABEL: &[u8] = b"pi-gw/psn/v1";
/// x^5 + x^2 + 1, without its leading term: the polynomial of GF(32).
const POLYNOMIAL: u8 = 0b0_0101;

/// For whom pseudonyms are: they cannot be compared across studies, recipients or epochs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// What the text begins with, such as `S01`.
    pub prefix: String,
    /// The study.
    pub study: String,
    /// The organisation.
    pub recipient: String,
    /// The life of the key.
    pub epoch: u32,
}

/// A person's pseudonym in one domain: `S01-XXXX-XXXX-XXXX-XXXX-C`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pseudonym(String);

/// The pseudonym of a record or a setting: 26 small letters and digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordPseudonym(String);

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RecordPseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Domain {
    /// A person's pseudonym.
    #[must_use]
    pub fn person(&self, key: &StudyKey, person: PersonId) -> Pseudonym {
        let code = self.code(key, None, person.bits());
        let mut symbols = symbols(code.iter().take(10).copied());
        symbols.push(check(&symbols));
        let letters: Vec<u8> = symbols.iter().map(|symbol| letter(*symbol)).collect();
        let groups: Vec<String> =
            letters.chunks(4).map(|group| group.iter().map(|byte| char::from(*byte)).collect()).collect();
        Pseudonym(format!("{}-{}", self.prefix, groups.join("-")))
    }

    /// The pseudonym of a record.
    #[must_use]
    pub fn record(&self, key: &StudyKey, kind: Kind, record: RecordId) -> RecordPseudonym {
        self.long(key, kind.as_str(), record.bits())
    }

    /// The pseudonym of the one merged record that says who somebody is.
    #[must_use]
    pub fn person_record(&self, key: &StudyKey, person: PersonId) -> RecordPseudonym {
        self.long(key, "person-record", person.bits())
    }

    fn long(&self, key: &StudyKey, label: &str, id: u128) -> RecordPseudonym {
        let code = self.code(key, Some(label), id);
        let letters = symbols(code.iter().take(16).copied());
        RecordPseudonym(
            letters.into_iter().map(|symbol| char::from(letter(symbol)).to_ascii_lowercase()).collect(),
        )
    }

    fn code(&self, key: &StudyKey, label: Option<&str>, id: u128) -> [u8; 32] {
        let epoch = self.epoch.to_string();
        let id = id.to_be_bytes();
        let mut parts: Vec<&[u8]> =
            vec![LABEL, self.study.as_bytes(), self.recipient.as_bytes(), epoch.as_bytes()];
        parts.extend(label.map(str::as_bytes));
        parts.push(&id);
        key.code(&parts)
    }
}

/// Bytes in groups of five bits, the last one filled up with zeros.
fn symbols(bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    let (mut symbols, mut held, mut bits) = (Vec::new(), 0_u16, 0_u8);
    for byte in bytes {
        held = (held << 8) | u16::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            symbols.push(low_five(held >> bits));
            held &= (1 << bits) - 1;
        }
    }
    if bits > 0 {
        symbols.push(low_five(held << (5 - bits)));
    }
    symbols
}

fn low_five(value: u16) -> u8 {
    let [_, low] = value.to_be_bytes();
    low & 0b1_1111
}

fn letter(symbol: u8) -> u8 {
    ALPHABET.get(usize::from(symbol)).copied().unwrap_or(b'0')
}

/// The check symbol: `c = 2c + v` in GF(32). Catches every single wrong symbol and every swap of
/// two neighbours before it, and stays inside the alphabet. The one swap it cannot see is its own
/// with the symbol before it.
fn check(symbols: &[u8]) -> u8 {
    symbols.iter().fold(0, |check, symbol| {
        let doubled = if check & 0b1_0000 == 0 { check << 1 } else { (check << 1) ^ 0b10_0000 ^ POLYNOMIAL };
        doubled ^ symbol
    })
}

/// True if the text is a pseudonym with the right check symbol.
#[must_use]
pub fn is_pseudonym(text: &str) -> bool {
    let mut groups = text.split('-');
    let Some(prefix) = groups.next() else { return false };
    let symbols: Option<Vec<u8>> = groups
        .clone()
        .flat_map(str::bytes)
        .map(|byte| ALPHABET.iter().position(|l| *l == byte).and_then(|at| u8::try_from(at).ok()))
        .collect();
    let shape = groups.map(str::len).eq([4, 4, 4, 4, 1]) && prefix.starts_with('S');
    match symbols.as_deref().and_then(<[u8]>::split_last) {
        Some((last, first)) => shape && check(first) == *last,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_ne, proptest};

    use super::{ALPHABET, Domain, is_pseudonym};
    use crate::base::id::{PersonId, RecordId};
    use crate::base::seal::StudyKey;
    use crate::record::kind::Kind;

    fn domain() -> Domain {
        Domain {
            prefix: "S01".to_owned(),
            study: "promoting-independence".to_owned(),
            recipient: "university".to_owned(),
            epoch: 1,
        }
    }

    #[test]
    fn a_known_answer() {
        // HMAC-SHA256 of the input by hand: key 32 times 07, person 1.
        let key = StudyKey::from_bytes([7; 32]);
        let text = domain().person(&key, PersonId::from_bits(1)).to_string();
        assert_eq!(text, "S01-PDKX-D00V-1CEV-A31K-X");
        assert!(is_pseudonym(&text));
        let record = domain().record(&key, Kind::Star, RecordId::from_bits(1)).to_string();
        assert_eq!(record.len(), 26);
        assert_ne!(record, domain().record(&key, Kind::Goal, RecordId::from_bits(1)).to_string());
        let other = Domain { epoch: 2, ..domain() };
        assert_ne!(text, other.person(&key, PersonId::from_bits(1)).to_string());
    }

    #[test]
    fn every_single_slip_and_every_swap_is_caught() {
        let key = StudyKey::from_bytes([9; 32]);
        let text = domain().person(&key, PersonId::from_bits(42)).to_string();
        let places: Vec<usize> = (4..text.len()).filter(|at| text.as_bytes()[*at] != b'-').collect();
        for at in &places {
            for letter in ALPHABET.iter().filter(|letter| **letter != text.as_bytes()[*at]) {
                let mut wrong = text.clone().into_bytes();
                wrong[*at] = *letter;
                assert!(!is_pseudonym(std::str::from_utf8(&wrong).unwrap()));
            }
        }
        for pair in places[..places.len() - 1].windows(2) {
            let mut wrong = text.clone().into_bytes();
            wrong.swap(pair[0], pair[1]);
            let is_same = wrong == text.as_bytes();
            assert_eq!(is_pseudonym(std::str::from_utf8(&wrong).unwrap()), is_same);
        }
    }

    proptest! {
        #[test]
        fn every_pseudonym_reads_as_one(key in any::<[u8; 32]>(), a in any::<u128>(), b in any::<u128>()) {
            let key = StudyKey::from_bytes(key);
            let one = domain().person(&key, PersonId::from_bits(a));
            prop_assert!(is_pseudonym(&one.to_string()));
            if a != b {
                prop_assert_ne!(one, domain().person(&key, PersonId::from_bits(b)));
            }
        }
    }
}
