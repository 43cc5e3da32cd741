//! One value as a cell of a CSV.

use serde_json::Value;

use crate::base::day::Day;
use crate::base::edge::Instant;
use crate::evaluation::door::protocol::{Field, Holds};

/// Why there is no value: the word in a message, the code in a cell, what it means.
pub(crate) const MISSING: [(&str, &str, &str); 5] = [
    ("", "", "no value is recorded"),
    ("no-consent", "-96", "no consent for this source"),
    ("not-applicable", "-97", "not applicable"),
    ("not-asked", "-98", "not asked"),
    ("suppressed", "-99", "suppressed"),
];

/// The code for a reason.
pub(crate) fn missing(reason: &str) -> Option<&'static str> {
    MISSING.iter().find(|(word, _, _)| *word == reason).map(|(_, code, _)| *code)
}

/// The text of a value, or what was expected of it.
pub(crate) fn text(value: &Value, field: &Field) -> Result<String, String> {
    if !field.codes.is_empty() && !field.codes.iter().any(|coded| coded.code == *value) {
        return Err("one of its codes".to_owned());
    }
    let plain = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return Err("one plain value".to_owned()),
    };
    if !fits(value, &plain, field.holds) {
        return Err(format!("a value of type `{}`", field.holds.as_str()));
    }
    if MISSING.iter().any(|(_, code, _)| *code == plain) {
        return Err("a value that is not the code of a missing one".to_owned());
    }
    Ok(neutral(plain, field.holds))
}

fn fits(value: &Value, plain: &str, holds: Holds) -> bool {
    match holds {
        Holds::String => value.is_string(),
        Holds::Boolean => value.is_boolean(),
        Holds::Integer => value.is_i64() || value.is_u64(),
        Holds::Number => value.is_number(),
        Holds::Date | Holds::Datetime | Holds::Year | Holds::Yearmonth => is_text_of(plain, holds),
    }
}

/// Whether the text of a cell is of that type.
pub(crate) fn is_text_of(text: &str, holds: Holds) -> bool {
    match holds {
        Holds::String => true,
        Holds::Boolean => matches!(text, "true" | "false"),
        Holds::Integer => text.parse::<i64>().is_ok(),
        Holds::Number => text.parse::<f64>().is_ok_and(f64::is_finite),
        Holds::Date => text.parse::<Day>().is_ok(),
        Holds::Datetime => text.parse::<Instant>().is_ok(),
        Holds::Year => text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()),
        Holds::Yearmonth => format!("{text}-01").parse::<Day>().is_ok(),
    }
}

/// A text that a spreadsheet would run as a formula is given an apostrophe before it, which makes
/// it text there. Codes and pseudonyms never begin so.
fn neutral(plain: String, holds: Holds) -> String {
    let is_formula = holds == Holds::String && plain.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{plain}") } else { plain }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Field, text};

    fn check(holds: &str, value: &Value, expected: Result<&str, &str>) {
        let field: Field = serde_json::from_value(json!({"name": "f", "label": "F", "type": holds})).unwrap();
        let found = text(value, &field);
        match expected {
            Ok(cell) => assert_eq!(found.as_deref(), Ok(cell)),
            Err(part) => assert!(found.unwrap_err().contains(part)),
        }
    }

    #[test]
    fn a_value_is_what_its_type_says_or_refused() {
        check("date", &json!("2024-02-29"), Ok("2024-02-29"));
        check("date", &json!("2023-02-29"), Err("`date`"));
        check("integer", &json!(7), Ok("7"));
        check("integer", &json!("7"), Err("`integer`"));
        check("integer", &json!(-99), Err("missing"));
        check("number", &json!(1501.79), Ok("1501.79"));
        check("boolean", &json!(true), Ok("true"));
        check("string", &json!(["a"]), Err("plain"));
        check("year", &json!(2024), Ok("2024"));
        check("yearmonth", &json!("2024-13"), Err("`yearmonth`"));
        check("datetime", &json!("2024-03-31T09:00:00Z"), Ok("2024-03-31T09:00:00Z"));
    }

    #[test]
    fn no_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-1+1", "@sum", "\tx"] {
            check("string", &json!(formula), Ok(&format!("'{formula}")));
        }
        check("number", &json!(-1.5), Ok("-1.5"));
    }
}
