//! Ids that say what they are of: `run_0190…`, `per_8f3c…`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::edge::Edge;

/// Why a text is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id as `{prefix}_` and 32 hexadecimal digits")]
pub struct NotAnId {
    /// The prefix that was expected.
    pub prefix: &'static str,
}

fn parse(text: &str, prefix: &'static str) -> Result<u128, NotAnId> {
    let digits = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|digits| digits.len() == 32)
        .ok_or(NotAnId { prefix })?;
    u128::from_str_radix(digits, 16).map_err(|_digits| NotAnId { prefix })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What its text begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The id of these 128 bits.
            #[must_use]
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }

            /// Its 128 bits.
            #[must_use]
            pub const fn bits(self) -> u128 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{:032x}", Self::PREFIX, self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse(text, Self::PREFIX).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

macro_rules! ordered_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        id!($(#[$doc])* $name, $prefix);

        impl $name {
            /// A new one: `UUIDv7` (RFC 9562, section 5.7), so that id order is time order.
            #[must_use]
            pub fn mint(edge: &Edge) -> Self {
                let ms = u64::try_from(edge.now().unix_ms()).unwrap_or_default();
                let id = uuid::Builder::from_unix_timestamp_millis(ms, &edge.bytes()).into_uuid();
                Self(id.as_u128())
            }
        }
    };
}

ordered_id!(/// One run of a feed through the four steps.
    RunId, "run");
ordered_id!(/// One file or request as it arrived.
    BatchId, "bat");
ordered_id!(/// One person as one source knows them.
    SubjectId, "sub");
ordered_id!(/// One record, through all its versions.
    RecordId, "rec");
ordered_id!(/// One run of the release job.
    ReleaseId, "rel");
ordered_id!(/// Something to be told to the evaluation side.
    IntentId, "int");
ordered_id!(/// A notice that the evaluation side must acknowledge.
    NoticeId, "ntc");
ordered_id!(/// That a version of a record is to go to a partner.
    DispatchId, "dsp");
ordered_id!(/// What a person said about an agreement.
    ObjectionId, "obj");
ordered_id!(/// What an officer said of a person by hand.
    RestrictionId, "rst");
ordered_id!(/// One request that was kept, and its receipt.
    ReceiptId, "rct");
ordered_id!(/// One message that goes out by MESH or MLLP.
    SentId, "out");
ordered_id!(/// Something that somebody is to be told.
    AlertId, "alt");
ordered_id!(/// A key of a client of the web.
    ApiKeyId, "key");
ordered_id!(/// A mapping that is tried beside a live one.
    ShadowId, "shd");
ordered_id!(/// One extract on the evaluation side.
    ExtractId, "ext");
id!(/// A person: a set of subjects. 128 random bits, never derived from anything.
    PersonId, "per");

impl PersonId {
    /// A new one, of 128 random bits.
    #[must_use]
    pub fn mint(edge: &Edge) -> Self {
        Self(u128::from_be_bytes(edge.bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::{PersonId, RunId};

    #[test]
    fn text_says_the_kind_and_comes_back() {
        let id = RunId::from_bits(7);
        assert_eq!(id.to_string(), "run_00000000000000000000000000000007");
        assert_eq!(id.to_string().parse::<RunId>(), Ok(id));
        assert!(id.to_string().parse::<PersonId>().is_err());
    }
}
