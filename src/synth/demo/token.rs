//! Every token of the demo by which somebody could be known, in every usual spelling.

use std::collections::BTreeSet;

use crate::base::day::Day;
use crate::synth::SynthError;
use crate::synth::calendar::{packed, slashed};
use crate::synth::dirt::{nickname, unmarked};
use crate::synth::life::View;
use crate::synth::render::costs::spaced;
use crate::synth::words::WORKERS;
use crate::synth::world;

/// What a token is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenKind {
    /// A given or family name: a whole token of three letters or more, any case.
    Name,
    /// An NHS number.
    NhsNumber,
    /// A day of birth.
    BirthDate,
    /// A reference or identifier of one of the systems.
    Identifier,
    /// A full postcode.
    Postcode,
}

/// One token to search for, as it would be written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token {
    /// What it is of.
    pub kind: TokenKind,
    /// The spelling, in lower case. Search for it as a whole token, any case.
    pub text: String,
}

/// Every identifying token of the demo: of the programme's people, of everybody else in the files,
/// and the names of staff.
///
/// Postcodes of care homes are among them, since they are full postcodes of whoever lives there.
pub fn identifying_tokens() -> Result<Vec<Token>, SynthError> {
    let world = world::demo()?;
    let mut tokens = BTreeSet::new();
    for life in world.lives.iter().chain(&world.others) {
        let who = &life.who;
        names(&who.given, &mut tokens);
        names(&who.family, &mut tokens);
        numbers(&who.number, &mut tokens);
        days(who.born, &mut tokens);
        for address in [&who.home, &who.before] {
            postcode(&address.post, &mut tokens);
        }
        for spell in &life.spells {
            postcode(&spell.post, &mut tokens);
        }
        for view in [&life.council, &life.housing, &life.trust].into_iter().flatten() {
            of_view(view, &mut tokens);
        }
    }
    for worker in WORKERS {
        names(worker, &mut tokens);
    }
    // Whoever the planted faults are about.
    names("Quillon Nonesuch", &mut tokens);
    Ok(tokens.into_iter().collect())
}

fn of_view(view: &View, tokens: &mut BTreeSet<Token>) {
    names(&view.given, tokens);
    names(&view.family, tokens);
    days(view.born, tokens);
    postcode(&view.home.post, tokens);
    add(TokenKind::Identifier, &view.id, tokens);
    if let Some(number) = &view.number {
        numbers(number, tokens);
    }
}

fn add(kind: TokenKind, text: &str, tokens: &mut BTreeSet<Token>) {
    tokens.insert(Token { kind, text: text.to_lowercase() });
}

/// The whole name, its parts of three letters or more, its short form, and each without its marks.
fn names(name: &str, tokens: &mut BTreeSet<Token>) {
    for spelling in [name.to_owned(), unmarked(name), nickname(name)] {
        let parts = spelling.split(|letter: char| !letter.is_alphabetic());
        for part in parts.chain([spelling.as_str()]) {
            if part.chars().filter(|letter| letter.is_alphabetic()).count() >= 3 {
                add(TokenKind::Name, part, tokens);
            }
        }
    }
}

fn numbers(number: &str, tokens: &mut BTreeSet<Token>) {
    let spaced = spaced(number);
    add(TokenKind::NhsNumber, number, tokens);
    add(TokenKind::NhsNumber, &spaced.replace(' ', "-"), tokens);
    add(TokenKind::NhsNumber, &spaced, tokens);
}

/// A day as the three systems and people write it.
fn days(day: Day, tokens: &mut BTreeSet<Token>) {
    let (year, month, number) = day.parts();
    let names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let name = usize::try_from(month - 1).ok().and_then(|at| names.get(at)).copied().unwrap_or_default();
    let short: String = name.chars().take(3).collect();
    let spellings = [
        day.to_string(),
        slashed(day),
        packed(day),
        format!("{number}/{month}/{year}"),
        format!("{number:02}-{month:02}-{year}"),
        format!("{number:02}.{month:02}.{year}"),
        format!("{number:02}/{month:02}/{:02}", year % 100),
        format!("{month:02}/{number:02}/{year}"),
        format!("{number} {name} {year}"),
        format!("{number} {short} {year}"),
        format!("{number:02}-{short}-{year}"),
    ];
    for spelling in spellings {
        add(TokenKind::BirthDate, &spelling, tokens);
    }
}

fn postcode(post: &str, tokens: &mut BTreeSet<Token>) {
    if !post.is_empty() {
        add(TokenKind::Postcode, post, tokens);
        add(TokenKind::Postcode, &post.replace(' ', ""), tokens);
    }
}
