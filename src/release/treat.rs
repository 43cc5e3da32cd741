//! What is done to one value before it leaves.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

use crate::base::day::Day;
use crate::base::id::RecordId;
use crate::base::private::{Grant, Release};
use crate::record::draft::Draft;
use crate::record::schema::Holds;
use crate::release::protocol::{Band, Group, ReleasedField, Treatment};

/// A value that may leave, by how it must be looked through first.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::release) enum Treated {
    /// A word of a closed list: exempt from the scan.
    Coded(String),
    /// A setting, to be named by its pseudonym: exempt from the scan.
    Setting(RecordId),
    /// A truth value: exempt from the scan.
    Truth(bool),
    /// Anything else.
    Open(Value),
}

/// Why a value was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// It is no code, or in no group.
    Code,
    /// No setting of that name is known.
    Setting,
}

/// What a treatment needs to know beside the value.
pub struct Around<'a> {
    /// The day the person started in the programme.
    pub start: Option<Day>,
    /// The setting of a name.
    pub setting: &'a dyn Fn(&str) -> Option<RecordId>,
}

/// Treats a value. `Ok(None)` where there is none.
pub(in crate::release) fn treat(
    field: &ReleasedField,
    value: Option<&Draft>,
    around: &Around<'_>,
    grant: &Grant<Release>,
) -> Result<Option<Treated>, LeftOut> {
    let Some(value) = value.filter(|value| !matches!(value, Draft::Null)) else { return Ok(None) };
    Ok(match &field.treatment {
        Treatment::Keep => keep(field, value),
        Treatment::Code => Some(code(field, value.text().ok_or(LeftOut::Code)?)?),
        Treatment::Group(groups) => {
            Some(Treated::Coded(group(groups, value.text().ok_or(LeftOut::Code)?)?.to_owned()))
        }
        Treatment::Band(bands) => number(value)
            .and_then(|number| number.floor().to_i64())
            .and_then(|number| band(bands, number))
            .map(|code| Treated::Coded(code.to_owned())),
        Treatment::AgeBandAtStart(bands) => {
            let birth = value.private().and_then(|birth| birth.open(grant).parse::<Day>().ok());
            match (birth, around.start) {
                (Some(birth), Some(start)) if birth <= start => {
                    band(bands, i64::from(birth.whole_years_to(start)))
                        .map(|code| Treated::Coded(code.to_owned()))
                }
                _ => None,
            }
        }
        Treatment::PseudonymiseSetting => {
            let name = value.text().ok_or(LeftOut::Setting)?;
            Some(Treated::Setting((around.setting)(name).ok_or(LeftOut::Setting)?))
        }
        Treatment::District => value
            .private()
            .and_then(|postcode| postcode.open(grant).split(' ').next())
            .map(|outward| Treated::Open(Value::String(outward.to_owned()))),
        Treatment::Year => day(value).map(|day| Treated::Open(Value::from(day.parts().0))),
        Treatment::Month => day(value).map(|day| {
            let (year, month, _) = day.parts();
            Treated::Open(Value::String(format!("{year:04}-{month:02}")))
        }),
        Treatment::Round(to) => number(value).and_then(|number| rounded(number, *to)),
    })
}

fn keep(field: &ReleasedField, value: &Draft) -> Option<Treated> {
    match (value, &field.from.holds) {
        (Draft::Bool(truth), _) => Some(Treated::Truth(*truth)),
        (Draft::Text(word), Holds::Word(words)) if words.contains(word) => Some(Treated::Coded(word.clone())),
        (Draft::Text(_) | Draft::Number(_), _) => Some(Treated::Open(value.to_shown())),
        _ => None,
    }
}

/// A code the protocol lists is exempt from the scan; another is looked through.
fn code(field: &ReleasedField, word: &str) -> Result<Treated, LeftOut> {
    let is_code = !word.is_empty()
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    match field.labels.contains_key(word) {
        true => Ok(Treated::Coded(word.to_owned())),
        false if is_code => Ok(Treated::Open(Value::String(word.to_owned()))),
        false => Err(LeftOut::Code),
    }
}

fn group<'g>(groups: &'g [Group], word: &str) -> Result<&'g str, LeftOut> {
    groups.iter().find(|group| group.of.contains(word)).map(|group| group.code.as_str()).ok_or(LeftOut::Code)
}

fn band(bands: &[Band], number: i64) -> Option<&str> {
    bands
        .iter()
        .find(|band| band.from.is_none_or(|from| from <= number) && band.to.is_none_or(|to| number <= to))
        .map(|band| band.code.as_str())
}

fn number(value: &Draft) -> Option<Decimal> {
    match value {
        Draft::Number(number) => Some(*number),
        _ => None,
    }
}

fn day(value: &Draft) -> Option<Day> {
    value.text().and_then(|text| text.parse().ok())
}

fn rounded(number: Decimal, to: u32) -> Option<Treated> {
    let to = Decimal::from(to);
    let whole = number.checked_div(to)?.round().checked_mul(to)?;
    Some(Treated::Open(Draft::Number(whole).to_shown()))
}
