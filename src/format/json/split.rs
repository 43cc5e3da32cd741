//! Cuts a body into the texts of its units: itself where it is an object, its members where it is
//! a list. Nothing is built, so that what is kept is what was sent, letter for letter.

use super::frame::Cut;
use crate::base::limit::TREE_DEPTH_MAX;

/// The units of a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Split<'t> {
    /// True where the body is a list, however short.
    pub is_list: bool,
    /// The text of each unit, in order.
    pub units: Vec<&'t str>,
}

/// Why a body was not cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsplit {
    /// It is no JSON object or list.
    Syntax,
    /// It is nested deeper than a tree may be.
    TooDeep,
    /// It holds more units than allowed.
    TooMany,
}

/// Cuts a body. That each unit is JSON throughout is for whoever builds it to find out.
///
/// # Errors
/// Where it is neither object nor list, is nested too deep, or holds more than `units_max`.
pub fn split(text: &str, units_max: usize) -> Result<Split<'_>, Unsplit> {
    let body = text.trim_ascii();
    let Some(inner) = body.strip_prefix('[') else {
        return match one(body)? {
            (unit, "") if unit.starts_with('{') => Ok(Split { is_list: false, units: vec![unit] }),
            _ => Err(Unsplit::Syntax),
        };
    };
    let mut units = Vec::new();
    let mut rest = inner.trim_ascii_start();
    if let Some(after) = rest.strip_prefix(']') {
        return if after.is_empty() { Ok(Split { is_list: true, units }) } else { Err(Unsplit::Syntax) };
    }
    loop {
        if units.len() == units_max {
            return Err(Unsplit::TooMany);
        }
        let (unit, after) = one(rest)?;
        units.push(unit);
        match after.strip_prefix(',') {
            Some(more) => rest = more.trim_ascii_start(),
            None if after == "]" => return Ok(Split { is_list: true, units }),
            None => return Err(Unsplit::Syntax),
        }
    }
}

/// The value that a text begins with, and what stands after it and its blanks.
fn one(text: &str) -> Result<(&str, &str), Unsplit> {
    let mut cut = Cut::default();
    let (length, is_done) = cut.over(text.as_bytes());
    if cut.deepest > TREE_DEPTH_MAX {
        return Err(Unsplit::TooDeep);
    }
    // The cut ends after a bracket, quote or before a blank, so always between letters.
    match text.split_at_checked(length) {
        Some((value, rest)) if is_done && !value.is_empty() => Ok((value, rest.trim_ascii_start())),
        _ => Err(Unsplit::Syntax),
    }
}

#[cfg(test)]
mod tests {
    use super::{Unsplit, split};

    fn check(text: &str, expected: Result<(bool, &[&str]), Unsplit>) {
        let found = split(text, 3);
        let found = found.as_ref().map(|split| (split.is_list, split.units.as_slice())).map_err(|why| *why);
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_body_is_cut_into_its_units_as_they_were_written() {
        check(r#" {"a": "]}"} "#, Ok((false, &[r#"{"a": "]}"}"#])));
        check("[]", Ok((true, &[])));
        check("[ {\"a\": 1.10} , {\"é\":\n2} ]", Ok((true, &["{\"a\": 1.10}", "{\"é\":\n2}"])));
        check("[1, 2]", Ok((true, &["1", "2"])));
        check("[1,2,3,4]", Err(Unsplit::TooMany));
        let deep = "[".repeat(200);
        check(&deep, Err(Unsplit::TooDeep));
        for wrong in
            ["", "x", "1", "\"a\"", "{", "[", "[1", "[1,", "[1,]", "[,]", "{} {}", "[]]", "[1 2]", "]"]
        {
            check(wrong, Err(Unsplit::Syntax));
        }
    }
}
