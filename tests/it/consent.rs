//! Consent: closed unless everything holds.

use proptest::prelude::*;
use wayleave::base::day::Day;
use wayleave::base::edge::Instant;
use wayleave::base::id::{PersonId, RecordId};
use wayleave::consent::decide::{Denied, Proof, Verdict, When, decide, withdrawal};
use wayleave::consent::directive::{Answer, Decided, Directive, Scope, Statement};

const STUDY: &str = "a-study";

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// Given on a day, checked, in date, yes to everything, entered the same day.
fn given(on: &str) -> Directive {
    Directive {
        record: RecordId::from_bits(1),
        version: 1,
        study: STUDY.to_owned(),
        form: Some("PI-CF".to_owned()),
        form_version: Some("2".to_owned()),
        decided: Decided::Given,
        decided_on: day(on),
        valid_to: None,
        answers: [Answer::Yes; 4],
        is_checked: true,
        entered_at: format!("{on}T09:00:00Z").parse().unwrap(),
        is_absent: false,
    }
}

fn when() -> When {
    When { at: day("2025-03-31"), known_at: "2025-03-31T12:00:00Z".parse().unwrap() }
}

fn check(directives: &[Directive], expected: Result<&str, Denied>) {
    let verdict = decide(directives, STUDY, Statement::UseCaseData, when());
    let got = match verdict {
        Verdict::Permit(evidence) => Ok(evidence.decided_on.to_string()),
        Verdict::Deny(denied) => Err(denied),
    };
    assert_eq!(got, expected.map(str::to_owned));
}

#[test]
fn only_a_whole_consent_is_a_yes() {
    check(&[given("2020-01-01")], Ok("2020-01-01"));
    check(&[], Err(Denied::NoConsent));
    check(&[Directive { study: "other".to_owned(), ..given("2020-01-01") }], Err(Denied::NoConsent));
    check(&[Directive { is_checked: false, ..given("2020-01-01") }], Err(Denied::NotChecked));
    check(&[Directive { valid_to: Some(day("2025-03-30")), ..given("2020-01-01") }], Err(Denied::Expired));
    check(&[Directive { valid_to: Some(day("2025-03-31")), ..given("2020-01-01") }], Ok("2020-01-01"));
    check(&[Directive { answers: [Answer::No; 4], ..given("2020-01-01") }], Err(Denied::SaidNo));
    check(&[Directive { answers: [Answer::NotAsked; 4], ..given("2020-01-01") }], Err(Denied::NotAsked));
    check(&[Directive { form_version: None, ..given("2020-01-01") }], Err(Denied::FormNotNamed));
    check(&[Directive { is_absent: true, ..given("2020-01-01") }], Err(Denied::Gone));
    let late = Directive { decided_on: day("2025-04-01"), ..given("2025-03-31") };
    check(&[late], Err(Denied::NotYet));
    check(
        &[Directive { entered_at: Instant::from_unix_ms(i64::MAX), ..given("2020-01-01") }],
        Err(Denied::NoConsent),
    );
}

#[test]
fn the_last_decision_stands_by_the_day_it_was_made() {
    let refused = Directive { decided: Decided::Refused, ..given("2021-01-01") };
    let withdrawn = Directive { decided: Decided::Withdrawn(Scope::NoFurtherUse), ..given("2022-01-01") };
    check(&[given("2020-01-01"), refused.clone()], Err(Denied::Refused));
    check(&[given("2020-01-01"), refused, given("2021-06-01")], Ok("2021-06-01"));
    check(&[withdrawn.clone(), given("2022-01-02")], Ok("2022-01-02"));
    check(&[withdrawn.clone(), given("2022-01-01")], Err(Denied::Disagreeing));
    // Signed before the withdrawal, entered after it.
    let entered_at = "2023-01-01T09:00:00Z".parse().unwrap();
    check(&[withdrawn.clone(), Directive { entered_at, ..given("2021-12-31") }], Err(Denied::Withdrawn));
    // Gone from the file, a withdrawal still stands.
    check(&[given("2020-01-01"), Directive { is_absent: true, ..withdrawn }], Err(Denied::Withdrawn));
}

#[test]
fn a_withdrawal_says_how_far_it_goes() {
    let no_contact = Directive { decided: Decided::Withdrawn(Scope::NoContact), ..given("2022-01-01") };
    check(&[given("2020-01-01"), no_contact.clone()], Ok("2020-01-01"));
    assert_eq!(withdrawal(&[no_contact], STUDY, when()), None);
    let no_new = Directive { decided: Decided::Withdrawn(Scope::NoNewData), ..given("2022-01-01") };
    check(&[given("2020-01-01"), no_new.clone()], Err(Denied::Withdrawn));
    assert_eq!(withdrawal(&[no_new], STUDY, when()), Some((Scope::NoNewData, day("2022-01-01"))));
}

#[test]
fn each_statement_is_its_own() {
    let answers = [Answer::Yes, Answer::Yes, Answer::No, Answer::NotAsked];
    let directives = [Directive { answers, ..given("2020-01-01") }];
    let proof = Proof::take(PersonId::from_bits(1), false, &directives, STUDY, when()).unwrap();
    assert!(proof.verdict(Statement::LinkHousing).is_permit());
    assert_eq!(*proof.verdict(Statement::LinkNhs), Verdict::Deny(Denied::SaidNo));
    assert_eq!(*proof.verdict(Statement::FreeText), Verdict::Deny(Denied::NotAsked));
}

#[test]
fn nobody_in_doubt_has_a_consent() {
    let proof = Proof::take(PersonId::from_bits(1), true, &[given("2020-01-01")], STUDY, when());
    assert_eq!(proof, Err(Denied::IdentityInDoubt));
}

fn any_directive() -> impl Strategy<Value = Directive> {
    let answer = prop::sample::select(&[Answer::Yes, Answer::Yes, Answer::No, Answer::NotAsked][..]);
    let decided = prop::sample::select(
        &[
            Decided::Given,
            Decided::Given,
            Decided::Refused,
            Decided::Withdrawn(Scope::NoContact),
            Decided::Withdrawn(Scope::NoNewData),
            Decided::Withdrawn(Scope::NoFurtherUse),
        ][..],
    );
    let some_day = || prop::sample::select(&["2020-01-01", "2021-01-01", "2025-03-31", "2026-01-01"][..]);
    (
        decided,
        some_day(),
        some_day(),
        prop::array::uniform4(answer),
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(decided, on, entered, answers, is_checked, is_absent)| Directive {
            decided,
            answers,
            is_checked,
            is_absent,
            entered_at: format!("{entered}T09:00:00Z").parse().unwrap(),
            ..given(on)
        })
}

proptest! {
    #[test]
    fn nothing_that_speaks_against_turns_a_no_into_a_yes(
        directives in prop::collection::vec(any_directive(), 0..6),
        against in any_directive().prop_filter("against", |d| d.decided != Decided::Given),
        at in 0_usize..7,
    ) {
        let mut more = directives.clone();
        more.insert(at.min(directives.len()), against);
        for statement in Statement::ALL {
            let before = decide(&directives, STUDY, *statement, when());
            let after = decide(&more, STUDY, *statement, when());
            prop_assert!(before.is_permit() || !after.is_permit());
        }
    }

    #[test]
    fn the_order_of_entry_makes_no_difference(
        directives in prop::collection::vec(any_directive(), 0..6)
    ) {
        let mut other = directives.clone();
        other.reverse();
        for statement in Statement::ALL {
            let (one, two) = (
                decide(&directives, STUDY, *statement, when()), decide(&other, STUDY, *statement, when()),
            );
            prop_assert_eq!(one.is_permit(), two.is_permit());
        }
    }

    #[test]
    fn a_yes_has_a_consent_that_says_so(directives in prop::collection::vec(any_directive(), 0..6)) {
        for statement in Statement::ALL {
            if let Verdict::Permit(evidence) = decide(&directives, STUDY, *statement, when()) {
                let is_it = |d: &&Directive| {
                    d.decided == Decided::Given && d.decided_on == evidence.decided_on && d.is_checked
                        && !d.is_absent && d.answer(*statement) == Answer::Yes
                };
                prop_assert!(directives.iter().any(|d| is_it(&d)));
                let later = |d: &&Directive| {
                    d.entered_at <= when().known_at && d.decided_on > evidence.decided_on
                        && d.decided != Decided::Withdrawn(Scope::NoContact)
                };
                prop_assert!(!directives.iter().any(|d| later(&d)));
            }
        }
    }
}
