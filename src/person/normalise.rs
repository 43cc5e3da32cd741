//! Names and postcodes in the one form in which they are compared and hashed.
//!
//! A name is decomposed (Unicode NFKD), loses its marks, has its case folded and keeps its
//! letters only, of any script: `José` stays apart from `Jos`, and nothing becomes a question
//! mark. Titles in front are dropped.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::base::day::Day;
use crate::base::private::Private;

/// Titles that stand in front of a name in exports, in folded form (NHS Data Dictionary, PERSON
/// TITLE, and those seen in council exports).
const TITLES: [&str; 16] = [
    "mr",
    "mrs",
    "miss",
    "ms",
    "mx",
    "master",
    "dr",
    "doctor",
    "prof",
    "professor",
    "rev",
    "revd",
    "reverend",
    "sir",
    "lady",
    "dame",
];

/// A name for comparing: its letters, run together. Empty where it has none.
///
/// `Mrs O'Brien-Smith`, `OBRIEN SMITH` and `O’Brien Smith` are one name.
#[must_use]
pub fn name(text: &str) -> String {
    parts(text).concat()
}

/// The parts of a name, hyphens and blanks apart, titles in front dropped.
#[must_use]
pub fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = text.split(is_break).map(letters).filter(|part| !part.is_empty()).collect();
    let titles = parts.iter().take_while(|part| TITLES.contains(&part.as_str())).count();
    // Someone whose only name is `Master` keeps it.
    parts.drain(..titles.min(parts.len().saturating_sub(1)));
    parts
}

/// A postcode for comparing: capitals and digits, no blank. Empty for a placeholder.
///
/// `ZZ99 3…` is a pseudo postcode: no fixed abode, not known (NHS Data Dictionary, POSTCODE).
#[must_use]
pub fn postcode(text: &str) -> String {
    let kept: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    if kept.starts_with("ZZ99") { String::new() } else { kept }
}

/// The outward part of a postcode in that form: all but the last three.
#[must_use]
pub fn outward(postcode: &str) -> &str {
    postcode.len().checked_sub(3).and_then(|end| postcode.get(..end)).unwrap_or_default()
}

/// True for a birth date that stands for *not known* in exports.
#[must_use]
pub fn is_placeholder(birth: Day) -> bool {
    matches!(birth.parts(), (1900 | 1800, 1, 1) | (9999, 12, 31) | (1899, 12, 30 | 31))
}

/// [`name`], of a private text.
#[must_use]
pub fn private_name(text: &Private<String>) -> Private<String> {
    text.derive(|text| name(text))
}

/// [`postcode`], of a private text.
#[must_use]
pub fn private_postcode(text: &Private<String>) -> Private<String> {
    text.derive(|text| postcode(text))
}

/// A birth date as it is hashed, `YYYY-MM-DD`; empty for a placeholder.
#[must_use]
pub fn private_birth(birth: &Private<Day>) -> Private<String> {
    birth.derive(|birth| if is_placeholder(*birth) { String::new() } else { birth.to_string() })
}

fn is_break(c: char) -> bool {
    // The hyphens of Unicode's Dash property that stand in names.
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '/' | ',' | '.')
}

fn letters(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        // Up and down again, so that `ß` is `ss` and both small sigmas are one.
        for upper in c.to_uppercase() {
            for lower in upper.to_lowercase() {
                match unmarked(lower) {
                    Some(plain) => folded.push_str(plain),
                    None => folded.push(lower),
                }
            }
        }
    }
    folded.nfkd().filter(|c| !is_combining_mark(*c) && c.is_alphabetic()).collect()
}

/// Letters whose stroke or ligature Unicode does not decompose.
const fn unmarked(c: char) -> Option<&'static str> {
    Some(match c {
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ı' => "i",
        'ħ' => "h",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::{is_placeholder, name, outward, parts, postcode};

    fn check(text: &str, expected: &str) {
        assert_eq!(name(text), expected, "{text}");
    }

    #[test]
    fn one_name_in_many_spellings() {
        check("Mrs O'Brien-Smith", "obriensmith");
        check("OBRIEN  SMITH", "obriensmith");
        check("O\u{2019}Brien\u{2013}Smith", "obriensmith");
        check("José", "jose");
        check("Jose\u{301}", "jose");
        check("Łukasz", "lukasz");
        check("Weiß", "weiss");
        check("Søren", "soren");
        check("Σωκράτης", "σωκρατησ");
        check("Master", "master");
        check("Dr. Master", "master");
        check(" 12 ", "");
        assert_eq!(parts("Ms Anne-Marie"), ["anne", "marie"]);
    }

    #[test]
    fn postcodes_and_their_placeholders() {
        assert_eq!(postcode(" le1  3ab "), "LE13AB");
        assert_eq!(postcode("ZZ99 3VZ"), "");
        assert_eq!(outward("LE13AB"), "LE1");
        assert_eq!(outward("LE"), "");
        assert!(is_placeholder("1900-01-01".parse().unwrap()));
        assert!(!is_placeholder("1900-01-02".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn normal_form_is_fixed(text in "\\PC*") {
            let once = name(&text);
            prop_assert_eq!(name(&once), once.clone());
            let code = postcode(&text);
            prop_assert_eq!(postcode(&code), code.clone());
        }

        #[test]
        fn case_and_blanks_make_no_difference(text in "[a-zA-ZÀ-ž' -]{0,24}") {
            prop_assert_eq!(name(&text.to_uppercase()), name(&text));
            prop_assert_eq!(name(&format!(" {text} ")), name(&text));
        }
    }
}
