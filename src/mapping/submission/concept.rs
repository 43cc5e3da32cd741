//! The ids of SNOMED CT: a partition, and a check digit by Verhoeff.

/// Whether digits are the id of a SNOMED CT concept: their partition, and Verhoeff's check digit.
#[must_use]
pub fn is_concept(digits: &str) -> bool {
    const TURN: [[usize; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let bytes = digits.as_bytes();
    if !(6..=18).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let partition = digits.get(digits.len() - 3..digits.len() - 1);
    let mut check = 0;
    for (place, byte) in bytes.iter().rev().enumerate() {
        let digit = usize::from(byte - b'0');
        check = turned(check, TURN.get(place % 8).and_then(|row| row.get(digit)).copied().unwrap_or(0));
    }
    check == 0 && matches!(partition, Some("00" | "10"))
}

/// The product of the dihedral group of order ten, which Verhoeff's digit is made by.
const fn turned(one: usize, other: usize) -> usize {
    match (one < 5, other < 5) {
        (true, true) => (one + other) % 5,
        (true, false) => (one + other) % 5 + 5,
        (false, true) => (one + 5 - other) % 5 + 5,
        (false, false) => (one + 5 - other) % 5,
    }
}
