//! One file inside a ZIP or gzip.

use std::io::{Cursor, Write};

use insta::assert_snapshot;
use wayleave::base::origin::Origin;
use wayleave::format::Refused;
use wayleave::format::reader::open;
use wayleave::format::settings::{CsvSettings, FormatKind, Settings};
use wayleave::format::source::MemorySpool;
use zip::write::SimpleFileOptions;

use crate::format_support::{cells, notes, open_bytes, refused};

fn csv() -> FormatKind {
    FormatKind::Csv(CsvSettings::default())
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

#[test]
fn one_file_is_unpacked_and_noted() {
    let text = b"a,b\n1,2\n";
    for packed in
        [gzip(text), zip(&[("x/cld.csv", text)]), zip(&[("cld.csv", text), ("__MACOSX/cld.csv", b"?")])]
    {
        let mut reader = open_bytes(&packed, csv());
        assert!(notes(&mut reader).join("\n").contains("[packed/unpacked]"));
        assert_eq!(cells(&mut reader), ["2: 1|2"]);
    }
}

#[test]
fn several_files_or_none_are_refused() {
    assert_snapshot!(
        refused(&zip(&[("a.csv", b"a"), ("b.csv", b"b")]), csv()).join("\n"),
        @"t: expected one file inside the ZIP file, found 2 [packed/file-count]"
    );
    assert_snapshot!(
        refused(&zip(&[]), csv()).join("\n"),
        @"t: expected one file inside the ZIP file, found none [packed/file-count]"
    );
}

#[test]
fn a_packed_file_that_is_cut_off_is_refused() {
    let text: Vec<u8> =
        (0..9_000_u32).flat_map(|number| format!("{number},{}\n", number * 7919).into_bytes()).collect();
    let cut = |mut packed: Vec<u8>| {
        packed.truncate(packed.len() / 2);
        refused(&packed, csv()).join("\n")
    };
    let said = "t: expected a whole packed file, found one that is damaged or cut off [file/truncated]";
    assert_eq!(cut(gzip(&text)), said);
    assert_eq!(cut(zip(&[("a.csv", &text)])), said);
}

#[test]
fn a_packed_file_that_needs_a_password_is_refused() {
    let mut packed = zip(&[("a.csv", b"a,b\n1,2\n")]);
    // The bit that says so, in the local header and in the directory.
    packed[6] |= 1;
    let directory = packed.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    packed[directory + 8] |= 1;
    assert_snapshot!(
        refused(&packed, csv()).join("\n"),
        @"t: expected a file that can be opened, found a ZIP file that needs a password [packed/locked]"
    );
}

#[test]
fn what_unpacks_beyond_the_bounds_is_refused() {
    let bomb = gzip(&vec![b' '; 40 * 1024 * 1024]);
    assert_snapshot!(
        refused(&bomb, csv()).join("\n"),
        @"t: expected a packed file of at most 16 MB once unpacked, found a larger one [file/too-large]"
    );
    let mut settings = Settings::new(csv());
    settings.limits.unpacked_bytes_max = 4;
    let source = Box::new(Cursor::new(gzip(b"a,b\n1,2\n")));
    assert!(matches!(open(source, &settings, &Origin::file("t"), &MemorySpool), Err(Refused::File(_))));
}
