//! Readers on inputs that nobody thought of: seeds with random changes, for a bounded number of
//! tries. Nothing panics, reading ends, and every refused file says why.
//!
//! Coverage-guided fuzzing needs a compiler that is not stable. The seeds here, one for each fault
//! and format, stand in for the coverage; what is changed, and where, comes from a fixed start, so
//! that a failure comes again. `WAYLEAVE_THOROUGH=1` tries fifty times as many.

use std::path::PathBuf;

use wayleave::mapping::Mapping;

use crate::torture;

/// Tries of one target.
const TRIES: u64 = 1_000;
const TRIES_THOROUGH: u64 = 50_000;

/// Bytes of a seed: longer ones cost time and show nothing more.
const SEED_BYTES_MAX: usize = 8 * 1024;

/// Where the numbers come from (xorshift, Marsaglia 2003): any start but nought.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn pick<'p, T>(&mut self, from: &'p [T]) -> &'p T {
        &from[self.below(from.len())]
    }
}

/// What the formats are cut by, and what has been known to hurt.
const WORDS: &[&str] = &[
    "\"",
    "'",
    ",",
    ";",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\0",
    "\u{feff}",
    "{",
    "}",
    "[",
    "]",
    ":",
    "null",
    "\\u0000",
    "<",
    ">",
    "</",
    "/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a [",
    "<!ENTITY a \"a\">",
    "&a;",
    "&#0;",
    "&#x10FFFF;",
    "xmlns=\"\"",
    "MSH|^~\\&|",
    "|",
    "^",
    "~",
    "\\",
    "\\X",
    "\\.br\\",
    "\"\"",
    "PID|",
    "\u{b}",
    "\u{1c}\r",
    "9990000018",
    "31/02/1950",
    "1e400",
    "-1",
    "99999999999999999999",
    "é",
    "\u{202e}",
    "\"resourceType\":\"Bundle\"",
    "<entry>",
    "<resource>",
    "value=\"",
    "PK\u{3}\u{4}",
];

/// The seed with some changes.
fn changed(chance: &mut Chance, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = chance.pick(seeds).clone();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        let end = (at + chance.below(64)).min(bytes.len());
        match chance.below(8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            3 => {
                let other = chance.pick(seeds);
                let from = chance.below(other.len() + 1);
                bytes.splice(at..end, other[from..(from + 200).min(other.len())].iter().copied());
            }
            4 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << chance.below(8);
                }
            }
            5 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = chance.next().to_le_bytes()[0];
                }
            }
            _ => drop(bytes.splice(at..at, chance.pick(WORDS).bytes())),
        }
    }
    bytes
}

/// The torture files of a group, and the published samples where they are.
fn seeds(group: &str) -> Vec<Vec<u8>> {
    let of_group = |(name, bytes): (String, Vec<u8>)| name.starts_with(&format!("{group}/")).then_some(bytes);
    let mut seeds: Vec<Vec<u8>> = torture::files().into_iter().filter_map(of_group).collect();
    let samples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    let folder = if group == "fhir" { "fhir-pds" } else { group };
    if let Ok(entries) = std::fs::read_dir(samples.join(folder)) {
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        seeds.extend(paths.iter().map(|path| std::fs::read(path).unwrap()));
    }
    seeds.retain(|seed| seed.len() <= SEED_BYTES_MAX);
    assert!(!seeds.is_empty(), "{group}");
    seeds
}

fn target(group: &str) {
    let is_thorough = std::env::var("WAYLEAVE_THOROUGH").is_ok_and(|word| word == "1");
    let tries = if is_thorough { TRIES_THOROUGH } else { TRIES };
    let seeds = seeds(group);
    let mapping: Mapping = torture::mapping(group);
    let mut chance = Chance(0x5EED_0000_0000_0001 ^ u64::from(group.as_bytes()[1]));
    for number in 0..tries {
        let bytes = changed(&mut chance, &seeds);
        let caught =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| torture::read(&bytes, &mapping)));
        let Ok((outcomes, _)) = caught else { panic!("try {number} of {group} panicked") };
        let units: u64 = outcomes.values().sum();
        // A packed file may hold more units than it has bytes.
        let is_packed = matches!(group, "packed" | "xlsx") || bytes.starts_with(b"PK");
        assert!(is_packed || units <= u64::try_from(bytes.len()).unwrap() + 1, "try {number} of {group}");
    }
}

#[test]
fn csv() {
    target("csv");
}

#[test]
fn xlsx() {
    target("xlsx");
}

#[test]
fn xml() {
    target("xml");
}

#[test]
fn json() {
    target("json");
}

#[test]
fn fhir() {
    target("fhir");
}

#[test]
fn hl7v2() {
    target("hl7v2");
}

#[test]
fn packed() {
    target("packed");
}
