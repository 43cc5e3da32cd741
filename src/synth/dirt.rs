//! The small untruths of real systems, at declared rates, each one written down.

use crate::base::day::Day;
use crate::synth::calendar::{plus, swapped};
use crate::synth::life::{Address, View, Who};
use crate::synth::seed::Seed;
use crate::synth::words::NICKNAMES;

/// How often, in a thousand people, one system has each thing wrong.
#[derive(Clone, Copy)]
pub struct Rates {
    /// No NHS number.
    pub no_number: u32,
    /// A given name by its short form.
    pub nickname: u32,
    /// One letter of a name mistyped.
    pub typo: u32,
    /// Marks lost from a name: Zoë as Zoe, O’Brien as O'Brien.
    pub marks_lost: u32,
    /// Day and month of birth changed over.
    pub swapped_birth: u32,
    /// Year of birth off by one.
    pub wrong_year: u32,
    /// The address before the last move.
    pub old_address: u32,
}

/// A council's case system: numbers traced now and then, names typed by many.
pub const COUNCIL: Rates = Rates {
    no_number: 150,
    nickname: 40,
    typo: 30,
    marks_lost: 300,
    swapped_birth: 10,
    wrong_year: 10,
    old_address: 80,
};

/// A housing association's tracker: few numbers, names as people give them.
pub const HOUSING: Rates = Rates {
    no_number: 600,
    nickname: 120,
    typo: 40,
    marks_lost: 100,
    swapped_birth: 15,
    wrong_year: 10,
    old_address: 30,
};

/// A trust: numbers traced, names from the spine.
pub const TRUST: Rates = Rates {
    no_number: 50,
    nickname: 10,
    typo: 15,
    marks_lost: 500,
    swapped_birth: 5,
    wrong_year: 5,
    old_address: 120,
};

/// How often, in a thousand rows of a world from a seed, a row goes wrong.
#[derive(Clone, Copy)]
pub struct RowRates {
    /// The row is sent again in the same file.
    pub re_sent: u32,
    /// A copy of the row stands beside it with a code of no list, of an event of its own.
    pub wrong_code: u32,
}

/// Rows sent again by an export that was started twice, and words typed where a list was meant.
pub const ROWS: RowRates = RowRates { re_sent: 8, wrong_code: 4 };

/// What was made untrue about a person in one system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Untruth {
    /// No NHS number.
    NoNumber,
    /// The given name by its short form.
    Nickname,
    /// One letter of a name mistyped.
    Typo,
    /// Marks lost from a name.
    MarksLost,
    /// Day and month of birth changed over.
    SwappedBirth,
    /// Year of birth off by one.
    WrongYear,
    /// The address before the last move.
    OldAddress,
}

impl Untruth {
    /// Its name in the truth file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoNumber => "no-nhs-number",
            Self::Nickname => "nickname",
            Self::Typo => "typo",
            Self::MarksLost => "marks-lost",
            Self::SwappedBirth => "day-and-month-swapped",
            Self::WrongYear => "wrong-birth-year",
            Self::OldAddress => "old-address",
        }
    }
}

/// The person as a system without faults would write them.
#[must_use]
pub fn clean(who: &Who, id: String) -> View {
    View {
        id,
        number: Some(who.number.clone()),
        given: who.given.clone(),
        family: who.family.clone(),
        born: who.born,
        home: who.home.clone(),
        other_id: None,
    }
}

/// Makes one thing untrue. Nothing is done, and nothing said, where it would change nothing.
pub fn make(view: &mut View, untruth: Untruth, before: &Address, seed: &mut Seed) -> Option<Untruth> {
    match untruth {
        Untruth::NoNumber => view.number.take().map(|_number| untruth),
        Untruth::Nickname => {
            let short = nickname(&view.given);
            set(&mut view.given, short).then_some(untruth)
        }
        Untruth::Typo => {
            let name = if seed.chance(500) { &mut view.given } else { &mut view.family };
            let mistyped = typo(name, seed);
            set(name, mistyped).then_some(untruth)
        }
        Untruth::MarksLost => {
            let (given, family) = (unmarked(&view.given), unmarked(&view.family));
            let (one, two) = (set(&mut view.given, given), set(&mut view.family, family));
            (one || two).then_some(untruth)
        }
        Untruth::SwappedBirth => swapped(view.born).map(|day| {
            view.born = day;
            untruth
        }),
        Untruth::WrongYear => {
            view.born = other_year(view.born);
            Some(untruth)
        }
        Untruth::OldAddress => (view.home != *before).then(|| {
            view.home = before.clone();
            untruth
        }),
    }
}

/// Dirties one system's view of a person at its rates; says what was done.
pub fn soil(view: &mut View, rates: &Rates, before: &Address, seed: &mut Seed) -> Vec<Untruth> {
    let drawn = [
        (rates.no_number, Untruth::NoNumber),
        (rates.nickname, Untruth::Nickname),
        (rates.typo, Untruth::Typo),
        (rates.marks_lost, Untruth::MarksLost),
        (rates.swapped_birth, Untruth::SwappedBirth),
        (rates.wrong_year, Untruth::WrongYear),
        (rates.old_address, Untruth::OldAddress),
    ];
    let mut done = Vec::new();
    for (per_mille, untruth) in drawn {
        if seed.chance(per_mille) {
            done.extend(make(view, untruth, before, seed));
        }
    }
    done
}

fn set(name: &mut String, to: String) -> bool {
    let changed = *name != to;
    *name = to;
    changed
}

/// The short form of a given name, or the name.
#[must_use]
pub fn nickname(given: &str) -> String {
    let short = NICKNAMES.iter().find(|(long, _)| *long == given);
    short.map_or_else(|| given.to_owned(), |(_, short)| (*short).to_owned())
}

/// The name with two neighbouring letters changed over, never the first.
pub fn typo(name: &str, seed: &mut Seed) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    if letters.len() < 4 {
        return name.to_owned();
    }
    let at = 1 + seed.place(letters.len() - 2);
    letters.swap(at, at + 1);
    letters.into_iter().collect()
}

/// The name with its marks lost.
#[must_use]
pub fn unmarked(name: &str) -> String {
    let plain = |letter: char| match letter {
        'é' | 'ë' | 'è' => 'e',
        'ü' | 'ú' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        'â' => 'a',
        '’' => '\'',
        other => other,
    };
    name.chars().map(plain).collect()
}

fn other_year(born: Day) -> Day {
    let (year, month, day) = born.parts();
    Day::new(year + 1, month, day).unwrap_or_else(|| plus(born, 365))
}

#[cfg(test)]
mod tests {
    use super::{nickname, typo, unmarked};
    use crate::synth::seed::Seed;

    #[test]
    fn names_are_soiled_as_people_soil_them() {
        assert_eq!(unmarked("Zoë O’Brien"), "Zoe O'Brien");
        assert_eq!(nickname("Patrick"), "Paddy");
        assert_eq!(nickname("Xanthe"), "Xanthe");
        let typed = typo("Greenhalgh", &mut Seed::new(3));
        assert_eq!(typed.len(), "Greenhalgh".len());
        assert!(typed.starts_with('G'));
    }
}
