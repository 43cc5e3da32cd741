//! One pair of subjects: which tier says that they are the same person, or why that is in doubt.
//!
//! The tiers follow the cross-check of the NHS Master Patient Service, tightened where people
//! share an address: supported living is an address shared by strangers, and twins share a birth
//! date, a family name and an address.

use std::fmt;

use crate::base::day::Day;
use crate::person::features::Features;
use crate::person::nickname;
use crate::person::normalise::outward;

/// What a link rests on, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// A reviewer said so. (No reviewer yet.)
    Confirmed,
    /// NHS number equal; birth date equal, or nearly and something else with it.
    D1,
    /// An id of one system as another holds it equal; birth date equal, or nearly and a name.
    SameKey,
    /// Family name, given name and birth date equal, and nobody else fits.
    D2,
    /// Birth date, postcode and one name equal, the other name no other, and nobody else fits.
    D3,
    /// A probability high enough. (No model yet.)
    Scored,
}

impl Tier {
    /// Every tier.
    pub const ALL: &'static [Self] =
        &[Self::Confirmed, Self::D1, Self::SameKey, Self::D2, Self::D3, Self::Scored];

    /// The word in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::D1 => "D1",
            Self::SameKey => "same-key",
            Self::D2 => "D2",
            Self::D3 => "D3",
            Self::Scored => "scored",
        }
    }

    /// The tier of that word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|tier| tier.as_str() == word)
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why two subjects may or may not be one person, and nobody can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// They agree, and have two different good NHS numbers.
    NhsConflict,
    /// One NHS number, and nothing else that agrees.
    NhsOnly,
    /// Linking them would put two different good NHS numbers into one person.
    ClusterConflict,
    /// Several subjects of one source fit.
    NotUnique,
    /// Two subjects of one source look like one person.
    PossibleDuplicate,
    /// A subject of whom too little is known. Stands against itself.
    TooLittle,
    /// A block with too many subjects was not looked through. Stands against itself.
    TooMany,
    /// A probability between the bands. (No model yet.)
    Scored,
}

impl Reason {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::NhsConflict,
        Self::NhsOnly,
        Self::ClusterConflict,
        Self::NotUnique,
        Self::PossibleDuplicate,
        Self::TooLittle,
        Self::TooMany,
        Self::Scored,
    ];

    /// The word in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NhsConflict => "nhs-conflict",
            Self::NhsOnly => "nhs-only",
            Self::ClusterConflict => "cluster-conflict",
            Self::NotUnique => "not-unique",
            Self::PossibleDuplicate => "possible-duplicate",
            Self::TooLittle => "too-little",
            Self::TooMany => "too-many",
            Self::Scored => "scored",
        }
    }

    /// The reason of that word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == word)
    }
}

/// What a pair looks like by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// A tier's rule is met. Whether they are linked depends on who else fits.
    Alike(Tier),
    /// A tier's rule is met, against two different good NHS numbers.
    Against(Tier),
    /// Only the NHS number agrees.
    NhsOnly,
    /// Nothing says that they are one.
    Apart,
}

/// How two values stand to one another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match {
    Same,
    Near,
    Different,
    Unknown,
}

/// Judges a pair.
#[must_use]
pub fn compare(a: &Features, b: &Features) -> Likeness {
    let nhs = match (&a.nhs_number, &b.nhs_number) {
        (Some(a), Some(b)) if a == b => Match::Same,
        (Some(_), Some(_)) => Match::Different,
        _ => Match::Unknown,
    };
    let birth = births(a.birth, b.birth);
    let family = is_same(&a.family, &b.family)
        || is_same(&a.family, &b.previous_family)
        || is_same(&a.previous_family, &b.family);
    let given = is_same(&a.given, &b.given);
    let near = birth == Match::Near && (family || given);
    if nhs == Match::Same {
        let is_outward = is_same(outward(&a.postcode), outward(&b.postcode));
        let agrees = birth == Match::Same || near || (birth == Match::Near && is_outward);
        return if agrees { Likeness::Alike(Tier::D1) } else { Likeness::NhsOnly };
    }
    let key = [(&a.council_id, &b.council_id), (&a.tracker_ref, &b.tracker_ref), (&a.trust_id, &b.trust_id)]
        .into_iter()
        .any(|(a, b)| a.is_some() && a == b);
    let tier = if key && (birth == Match::Same || near) {
        Tier::SameKey
    } else if birth != Match::Same {
        return Likeness::Apart;
    } else if is_same(&a.family, &b.family) && given {
        Tier::D2
    } else if is_same(&a.postcode, &b.postcode) && is_one_name(a, b, family, given) {
        Tier::D3
    } else {
        return Likeness::Apart;
    };
    if nhs == Match::Different { Likeness::Against(tier) } else { Likeness::Alike(tier) }
}

/// One name equal. With the family name alone the given name must not be another's: that is how
/// twins look.
fn is_one_name(a: &Features, b: &Features, family: bool, given: bool) -> bool {
    given || (family && nickname::may_be_one(&a.given, &b.given))
}

fn is_same(a: &str, b: &str) -> bool {
    !a.is_empty() && a == b
}

fn births(a: Option<Day>, b: Option<Day>) -> Match {
    let (Some(a), Some(b)) = (a, b) else { return Match::Unknown };
    if a == b {
        return Match::Same;
    }
    let ((ya, ma, da), (yb, mb, db)) = (a.parts(), b.parts());
    let equal = u8::from(ya == yb) + u8::from(ma == mb) + u8::from(da == db);
    // Day and month swapped: the commonest slip between systems that write dates differently.
    let is_swapped = ya == yb && ma == db && da == mb;
    if equal >= 2 || is_swapped { Match::Near } else { Match::Different }
}

#[cfg(test)]
mod tests {
    use super::{Likeness, Tier, compare};
    use crate::person::features::Features;

    /// `nhs family given birth postcode`, `-` for not known.
    fn someone(text: &str) -> Features {
        let words: Vec<&str> = text.split(' ').map(|word| if word == "-" { "" } else { word }).collect();
        Features {
            nhs_number: Some(words[0].to_owned()).filter(|digits| !digits.is_empty()),
            family: words[1].to_owned(),
            given: words[2].to_owned(),
            birth: words[3].parse().ok(),
            postcode: words[4].to_owned(),
            ..Features::default()
        }
    }

    fn check(a: &str, b: &str, expected: Likeness) {
        let (a, b) = (someone(a), someone(b));
        assert!(compare(&a, &b) == expected && compare(&b, &a) == expected, "{:?}", compare(&a, &b));
    }

    #[test]
    fn nhs_number_with_a_birth_date() {
        let d1 = Likeness::Alike(Tier::D1);
        check("1 gray ann 1960-02-03 -", "1 smith jo 1960-02-03 -", d1);
        check("1 gray ann 1960-02-03 -", "1 gray jo 1960-03-02 -", d1);
        check("1 gray ann 1960-02-03 LE13AB", "1 smith jo 1960-02-04 LE19ZZ", d1);
        check("1 gray ann 1960-02-03 -", "1 smith jo 1960-02-04 -", Likeness::NhsOnly);
        check("1 gray ann 1960-02-03 -", "1 gray ann - -", Likeness::NhsOnly);
        check("1 gray ann 1960-02-03 -", "1 gray ann 1971-05-06 -", Likeness::NhsOnly);
    }

    #[test]
    fn names_and_birth_date() {
        check("- gray ann 1960-02-03 -", "1 gray ann 1960-02-03 -", Likeness::Alike(Tier::D2));
        check("2 gray ann 1960-02-03 -", "1 gray ann 1960-02-03 -", Likeness::Against(Tier::D2));
        check("- gray ann 1960-02-03 -", "- gray ann 1960-02-04 -", Likeness::Apart);
        check("- - ann 1960-02-03 -", "- - ann 1960-02-03 -", Likeness::Apart);
    }

    #[test]
    fn a_shared_address_is_no_evidence_and_twins_stay_two() {
        check("- gray bob 1960-02-03 LE13AB", "- gray robert 1960-02-03 LE13AB", Likeness::Alike(Tier::D3));
        check("- gray ann 1960-02-03 LE13AB", "- jones ann 1960-02-03 LE13AB", Likeness::Alike(Tier::D3));
        check("- gray ann 1960-02-03 LE13AB", "- gray jean 1960-02-03 LE13AB", Likeness::Apart);
        check("- gray ann 1960-02-03 LE13AB", "- gray ann 1985-02-03 LE13AB", Likeness::Apart);
        check("- gray ann - LE13AB", "- gray ann - LE13AB", Likeness::Apart);
    }

    #[test]
    fn an_id_of_another_system_needs_a_birth_date_too() {
        let mut tracker = someone("- gray ann 1960-02-03 -");
        let mut council = someone("- smith jo 1960-02-03 -");
        tracker.council_id = Some("LL0000001".to_owned());
        council.council_id = Some("LL0000001".to_owned());
        assert_eq!(compare(&tracker, &council), Likeness::Alike(Tier::SameKey));
        council.birth = "1981-12-30".parse().ok();
        assert_eq!(compare(&tracker, &council), Likeness::Apart);
    }
}
