//! When a record block takes a unit: conditions as data.

use crate::base::day::Day;
use crate::format::{At, Unit};
use crate::mapping::op::Op;
use crate::mapping::op::value::Value;

/// A condition, with its cells named (`String`) or found ([`At`]).
#[derive(Debug, Clone)]
pub enum Condition<A> {
    /// All hold.
    All(Vec<Condition<A>>),
    /// At least one holds.
    Any(Vec<Condition<A>>),
    /// It does not hold.
    Not(Box<Condition<A>>),
    /// One cell is as it should be.
    Test(A, Test),
}

/// What is asked of a cell.
#[derive(Debug, Clone)]
pub enum Test {
    /// It is just this.
    Is(String),
    /// It is one of these.
    In(Vec<String>),
    /// It is blank.
    Blank,
    /// It is not blank.
    NotBlank,
    /// It is a day before this one.
    Before(Day, Op),
    /// It is a day after this one.
    After(Day, Op),
    /// It matches: `*` any characters, `?` one.
    Matches(String),
}

impl<A> Condition<A> {
    /// The same condition with its cells found.
    ///
    /// # Errors
    /// The first that is not.
    pub fn bind<B, E>(&self, find: &mut impl FnMut(&A) -> Result<B, E>) -> Result<Condition<B>, E> {
        let mut several = |conditions: &[Self]| {
            conditions.iter().map(|one| one.bind(find)).collect::<Result<Vec<Condition<B>>, E>>()
        };
        Ok(match self {
            Self::All(conditions) => Condition::All(several(conditions)?),
            Self::Any(conditions) => Condition::Any(several(conditions)?),
            Self::Not(condition) => Condition::Not(Box::new(condition.bind(find)?)),
            Self::Test(address, test) => Condition::Test(find(address)?, test.clone()),
        })
    }

    /// Every cell it asks about.
    pub fn cells<'c>(&'c self, out: &mut Vec<(&'c A, &'c Test)>) {
        match self {
            Self::All(conditions) | Self::Any(conditions) => {
                for condition in conditions {
                    condition.cells(out);
                }
            }
            Self::Not(condition) => condition.cells(out),
            Self::Test(address, test) => out.push((address, test)),
        }
    }

    /// The cells that have to be just one text, which is what is written into them.
    pub fn constants<'c>(&'c self, out: &mut Vec<(&'c A, &'c str)>) {
        match self {
            Self::All(conditions) => {
                for condition in conditions {
                    condition.constants(out);
                }
            }
            Self::Test(address, Test::Is(text)) => out.push((address, text)),
            Self::Any(_) | Self::Not(_) | Self::Test(..) => {}
        }
    }

    /// Whether it holds, with a way to look at a cell.
    pub fn holds<'u>(&self, look: &impl Fn(&A) -> Value<'u>) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(look)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(look)),
            Self::Not(condition) => !condition.holds(look),
            Self::Test(address, test) => test.holds(look(address)),
        }
    }
}

impl Condition<At> {
    /// Whether it holds for a unit.
    #[must_use]
    pub fn takes(&self, unit: &Unit<'_>) -> bool {
        self.holds(&|at: &At| Value::of_cell(unit.cell(at)).unwrap_or(Value::Absent))
    }
}

impl Test {
    pub(crate) fn holds(&self, value: Value<'_>) -> bool {
        match self {
            Self::Blank => value.is_blank(),
            Self::NotBlank => !value.is_blank(),
            Self::Is(text) => !value.is_blank() && value.plain() == text.as_str(),
            Self::In(texts) => {
                let text = value.plain();
                texts.iter().any(|one| text == one.as_str())
            }
            Self::Before(day, op) => day_of(value, op).is_some_and(|found| found < *day),
            Self::After(day, op) => day_of(value, op).is_some_and(|found| found > *day),
            Self::Matches(pattern) => !value.is_blank() && matches(pattern, &value.plain()),
        }
    }
}

fn day_of(value: Value<'_>, op: &Op) -> Option<Day> {
    if value.is_blank() {
        return None;
    }
    op.read(value).and_then(Value::day).ok()
}

/// Whether a text matches a pattern of `*` and `?`, whole.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // Where to go on if a star has to take one character more.
    let mut star: Option<(usize, usize)> = None;
    let (mut at, mut from) = (0, 0);
    while let Some(letter) = text.get(from) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == letter => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((star_at, star_from)) = star else { return false };
                star = Some((star_at, star_from + 1));
                at = star_at + 1;
                from = star_from + 1;
            }
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("A0*", "A01", true),
            ("A0*", "A0", true),
            ("A0?", "A0", false),
            ("*x*", "axb", true),
            ("*ab", "aab", true),
            ("", "", true),
            ("?", "ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
