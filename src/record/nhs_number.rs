//! The NHS number: its check digit and what is plausible.
//!
//! NHS Data Dictionary, *NHS NUMBER*: ten digits, the last a Modulus 11 check digit.

/// What is to be said of a text that should be an NHS number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Ten digits with the right check digit, and plausible.
    Good,
    /// Not ten digits.
    Shape,
    /// The check digit is wrong.
    CheckDigit,
    /// Passes the check, yet is no number that was ever issued: all digits equal.
    Implausible,
}

/// Judges ten digits without blanks.
#[must_use]
pub fn judge(digits: &str) -> Verdict {
    let bytes = digits.as_bytes();
    let Some((check, first)) = bytes.split_last().filter(|(_, first)| first.len() == 9) else {
        return Verdict::Shape;
    };
    if !bytes.iter().all(u8::is_ascii_digit) {
        return Verdict::Shape;
    }
    let sum: u32 =
        first.iter().zip((2..=10).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    // A remainder of 0 gives the check digit 11, written 0; 1 gives 10, which is never issued.
    let expected = match 11 - sum % 11 {
        11 => 0,
        other => other,
    };
    if expected != u32::from(check - b'0') {
        return Verdict::CheckDigit;
    }
    if first.iter().all(|digit| digit == check) {
        return Verdict::Implausible;
    }
    Verdict::Good
}

/// True for the range kept for tests and invented people (begins 999).
#[must_use]
pub fn is_invented(digits: &str) -> bool {
    digits.starts_with("999")
}

#[cfg(test)]
mod tests {
    use super::{Verdict, judge};

    #[test]
    fn published_numbers() {
        for good in ["9434765919", "9449305552", "9912003888", "9000000009", "4505577104"] {
            assert_eq!(judge(good), Verdict::Good, "{good}");
        }
        for wrong in ["9912003890", "9000000015", "9000543664"] {
            assert_eq!(judge(wrong), Verdict::CheckDigit, "{wrong}");
        }
        for odd in ["0000000000", "9999999999", "1111111111"] {
            assert_eq!(judge(odd), Verdict::Implausible, "{odd}");
        }
        for shape in ["", "943476591", "94347659190", "943 476 59", "943476591X"] {
            assert_eq!(judge(shape), Verdict::Shape, "{shape}");
        }
    }
}
