//! Readers on inputs that nobody thought of: seeds with random changes, for a bounded number of
//! tries. Nothing panics, reading ends, and every refused file says why.
//!
//! Coverage-guided fuzzing needs a compiler that is not stable. The seeds here, one for each fault
//! and format, stand in for the coverage; what is changed, and where, comes from a fixed start, so
//! that a failure comes again. `WAYLEAVE_THOROUGH=1` tries fifty times as many.
//!
//! Half of the changes keep to the structure: whole elements, cells, segments and members are moved,
//! repeated, nested and taken from other seeds. What is packed is changed inside and packed again,
//! since a changed byte outside seldom gets past a checksum.

use std::io::{Cursor, Read as _, Write as _};
use std::path::PathBuf;

use wayleave::mapping::Mapping;
use wayleave::mapping::diagnostic::Source;
use wayleave::mapping::library::Library;
use wayleave::transport::mllp::{Framed, Frames, framed};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::torture;

/// Tries of one target.
const TRIES: u64 = 1_000;
const TRIES_THOROUGH: u64 = 50_000;

/// Bytes of a seed: longer ones cost time and show nothing more.
const SEED_BYTES_MAX: usize = 8 * 1024;

/// Bytes of what is repeated.
const AGAIN_BYTES_MAX: usize = 64 * 1024;

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

    /// A place where the formats are cut, or the end.
    fn mark(&mut self, bytes: &[u8]) -> usize {
        let from = self.below(bytes.len() + 1);
        let is_mark = |byte: &u8| b"<>{}[],;|^~\"\r\n".contains(byte);
        bytes[from..].iter().position(is_mark).map_or(bytes.len(), |at| from + at)
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
        let is_by_structure = chance.below(2) == 0;
        let (at, end) = if is_by_structure {
            let (one, other) = (chance.mark(&bytes), chance.mark(&bytes));
            (one.min(other), one.max(other))
        } else {
            let at = chance.below(bytes.len() + 1);
            (at, (at + chance.below(64)).min(bytes.len()))
        };
        match chance.below(if is_by_structure { 10 } else { 8 }) {
            // Within itself, or after itself, up to far more often than any file has it.
            8 if end > at => {
                let again = bytes[at..end].repeat(chance.below(AGAIN_BYTES_MAX / (end - at) + 1));
                let place = *chance.pick(&[at, end, usize::midpoint(at, end)]);
                bytes.splice(place..place, again);
            }
            9 => {
                let moved: Vec<u8> = bytes.drain(at..end).collect();
                let place = chance.mark(&bytes);
                bytes.splice(place..place, moved);
            }
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            3 => {
                let other = chance.pick(seeds);
                let from = if is_by_structure { chance.mark(other) } else { chance.below(other.len() + 1) };
                let length = if is_by_structure { 2_000 } else { 200 };
                bytes.splice(at..end, other[from..(from + length).min(other.len())].iter().copied());
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

fn tries() -> u64 {
    let is_thorough = std::env::var("WAYLEAVE_THOROUGH").is_ok_and(|word| word == "1");
    if is_thorough { TRIES_THOROUGH } else { TRIES }
}

/// Reads so many files made of a group's seeds with a mapping.
fn run(name: &str, mapping: &Mapping, make: impl FnMut(&mut Chance) -> Vec<u8>) {
    run_times(tries(), name, mapping, make);
}

fn run_times(times: u64, name: &str, mapping: &Mapping, mut make: impl FnMut(&mut Chance) -> Vec<u8>) {
    let mut chance = Chance(0x5EED_0000_0000_0001 ^ u64::from(name.as_bytes()[1]));
    for number in 0..times {
        let bytes = make(&mut chance);
        let caught =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| torture::read(&bytes, mapping)));
        let Ok((outcomes, _)) = caught else {
            let kept = std::env::temp_dir().join(format!("wayleave-fuzz-{name}-{number}"));
            std::fs::write(&kept, &bytes).unwrap();
            panic!("try {number} of {name} panicked: {}", kept.display());
        };
        let units: u64 = outcomes.values().sum();
        // A packed file may hold more units than it has bytes.
        let is_packed = matches!(name, "packed" | "xlsx" | "parts" | "inside") || bytes.starts_with(b"PK");
        assert!(is_packed || units <= u64::try_from(bytes.len()).unwrap() + 1, "try {number} of {name}");
    }
}

fn target(group: &str) {
    let seeds = seeds(group);
    run(group, &torture::mapping(group), |chance| changed(chance, &seeds));
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

/// The parts of a workbook, by name.
type Parts = Vec<(String, Vec<u8>)>;

fn parts_of(bytes: &[u8]) -> Option<Parts> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut parts = Vec::new();
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).ok()?;
        let mut bytes = Vec::new();
        part.by_ref().take(64 * 1024).read_to_end(&mut bytes).ok()?;
        parts.push((part.name().ok()?.into_owned(), bytes));
    }
    Some(parts)
}

fn zip_of(parts: &Parts) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in parts {
        // A name that stands twice is refused by the writer, and of no interest.
        if zip.start_file(name.as_str(), options).is_ok() {
            zip.write_all(bytes).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

/// Workbooks whose parts are changed, left out, or taken from another.
#[test]
fn parts() {
    let books: Vec<Parts> = torture::files()
        .iter()
        .filter(|(name, _)| name.starts_with("xlsx/"))
        .filter_map(|(_, bytes)| parts_of(bytes))
        .collect();
    assert!(books.len() > 10);
    let of_part = |part: &str| -> Vec<Vec<u8>> {
        let all = books.iter().flatten().filter(|(name, _)| name == part);
        all.map(|(_, bytes)| bytes.clone()).collect()
    };
    run("parts", &torture::mapping("xlsx"), |chance| {
        let mut book = chance.pick(&books).clone();
        for _ in 0..=chance.below(2) {
            let at = chance.below(book.len());
            let others = of_part(&book[at].0);
            match chance.below(8) {
                0 if book.len() > 1 => drop(book.remove(at)),
                1 => book[at].1.clone_from(chance.pick(&others)),
                _ => book[at].1 = changed(chance, &others),
            }
        }
        zip_of(&book)
    });
}

/// Files changed before they are packed.
#[test]
fn inside() {
    for (group, name) in [
        ("csv", "cld.csv"),
        ("xml", "report.xml"),
        ("json", "list.json"),
        ("fhir", "bundle"),
        ("hl7v2", "a.hl7"),
    ] {
        let seeds = seeds(group);
        run_times(tries() / 4, "inside", &torture::mapping(group), |chance| {
            let bytes = changed(chance, &seeds);
            if chance.below(2) == 0 {
                return zip_of(&vec![(String::from(name), bytes)]);
            }
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(&bytes).unwrap();
            packed.finish().unwrap()
        });
    }
}

/// The feeds that ship, each through its own mapping: its operations, conditions, keys and code lists.
#[test]
fn feeds() {
    let feeds = torture::of_feeds();
    assert!(feeds.len() > 12, "{:?}", feeds.keys());
    for (name, mut seeds) in feeds {
        seeds.iter_mut().for_each(|seed| seed.truncate(SEED_BYTES_MAX));
        let file = name.replace('/', "-");
        run_times(tries() / 8, &file, &torture::mapping(&name), |chance| changed(chance, &seeds));
    }
}

/// Bytes that come over a line, in pieces of any size: frames within frames, without ends, too large.
#[test]
fn frames() {
    const MESSAGE_BYTES_MAX: usize = 4 * 1024;
    let seeds: Vec<Vec<u8>> = seeds("hl7v2").iter().map(|seed| framed(seed)).collect();
    let mut chance = Chance(0x5EED_0000_0000_0003);
    for number in 0..tries() {
        let bytes = changed(&mut chance, &seeds);
        let mut frames = Frames::new(MESSAGE_BYTES_MAX);
        let mut given = Vec::new();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(1 + chance.below(rest.len()));
            frames.take(piece);
            given.extend(std::iter::from_fn(|| frames.next_framed()));
            rest = more;
        }
        let mut whole = Frames::new(MESSAGE_BYTES_MAX);
        whole.take(&bytes);
        let at_once: Vec<Framed> = std::iter::from_fn(|| whole.next_framed()).collect();
        assert_eq!(given, at_once, "try {number}: however it is cut, the same messages come of it");
        for frame in &given {
            let is_bounded = |message: &Vec<u8>| message.len() <= MESSAGE_BYTES_MAX;
            assert!(!matches!(frame, Framed::Message(message) if !is_bounded(message)), "try {number}");
        }
    }
}

/// What is sent in place of a workbook: the old format, and one that is locked.
#[test]
fn containers() {
    let container = |name: &str| {
        let mut bytes = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
        bytes.extend(vec![0; 500]);
        bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        bytes
    };
    let seeds = [container("Workbook"), container("EncryptedPackage"), b"<html><table>".to_vec()];
    run("containers", &torture::mapping("xlsx"), |chance| changed(chance, &seeds));
}

/// The block above a lettings file that says which column has which number.
#[test]
fn lettings() {
    let mapping = Library::shipped().mapping("housing/core-2026").unwrap();
    let numbers = |order: &dyn Fn(usize) -> usize| {
        let row = |text: &str, cell: &dyn Fn(usize) -> String| {
            (0..150).map(cell).fold(text.to_owned(), |row, cell| row + "," + &cell) + "\r\n"
        };
        let mut text = row("Question", &|at| format!("\"What is\nit, {at}?\""));
        text += &row("Field number", &|at| if at < 147 { order(at + 1).to_string() } else { String::new() });
        text += &row("", &|at| (at % 7).to_string());
        text.into_bytes()
    };
    let seeds = [numbers(&|number| number), numbers(&|number| 148 - number), b"1,2,3\r\n4,5,6\r\n".to_vec()];
    run("lettings", &mapping, |chance| changed(chance, &seeds));
}

/// Mapping files, which a site writes by hand.
#[test]
fn mapping_files() {
    let shipped = Library::shipped();
    let seeds: Vec<Vec<u8>> = shipped
        .names()
        .iter()
        .filter_map(|name| shipped.text(name))
        .map(|text| text.as_bytes().to_vec())
        .filter(|text| text.len() <= SEED_BYTES_MAX)
        .collect();
    assert!(seeds.len() > 10);
    let mut chance = Chance(0x5EED_0000_0000_0002);
    // A mapping takes as long as some dozen small files.
    for number in 0..tries() / 4 {
        let text = String::from_utf8_lossy(&changed(&mut chance, &seeds)).into_owned();
        let compile =
            || shipped.compile(&Source::new("changed.toml", &text)).map_err(|error| error.to_string());
        let compiled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(compile));
        let Ok(compiled) = compiled else {
            let kept = std::env::temp_dir().join(format!("wayleave-fuzz-mapping-{number}"));
            std::fs::write(&kept, &text).unwrap();
            panic!("try {number} of mapping files panicked: {}", kept.display());
        };
        assert!(compiled.is_ok() || compiled.is_err_and(|said| !said.is_empty()), "a refusal says why");
    }
}

/// What is wrong nests what comes after it, as the parser sees it: a thousand faults deep.
#[test]
fn a_mapping_of_nothing_but_faults_is_refused() {
    let fault = "x = [{ a = \"b\"c d\"\n\n[t]\nkey = [\"N\"]\n[[r]]\n";
    let text = format!("name = \"a/b\"\n{}", fault.repeat(2_000));
    assert!(Library::shipped().compile(&Source::new("faults.toml", &text)).is_err());
}
