//! HL7 v2 messages.

use insta::assert_snapshot;
use wayleave::format::settings::{FormatKind, Hl7v2Settings};

use crate::format_support::{leaves, notes, open_bytes, refused};

fn hl7v2() -> FormatKind {
    FormatKind::Hl7v2(Hl7v2Settings::default())
}

fn read(text: &str, addresses: &[&str]) -> Vec<String> {
    leaves(&mut open_bytes(text.as_bytes(), hl7v2()), addresses)
}

const MESSAGE: &str = "MSH|^~\\&|PAS|TAH|GW|PI|20250331||ADT^A01|1|P|2.4\r\
    EVN|A01|20250331\r\
    PID|1||9990000018^^^NHS^NH~TA1001^^^TAH^MR||O\\T\\Neil^Zo\u{eb}^^^Ms&Miss||19700101|\"\"||||\r\
    PV1|1|I|||||||||||||||||V100^^^TAH\r\
    OBX|1|TX|||first\\.br\\line\r\
    OBX|2|TX|||second \\F\\ \\X41C3A9\\ \\Zx\\ \\E\\\r";

#[test]
fn each_kind_of_path() {
    let read = |address: &str| read(MESSAGE, &[address]).join("");
    let check =
        |address: &str, expected: &str| assert_eq!(read(address), format!("1: {expected}"), "{address}");
    check("MSH-1", "|");
    check("MSH-2", "^~\\&");
    check("MSH-9.2", "A01");
    check("MSH-12", "2.4");
    check("PID-3[4=NHS].1", "9990000018");
    check("PID-3[5=MR].1", "TA1001");
    check("PID-3[4=TAH,5=MR].1", "TA1001");
    check("PID-3[4=TAH,5=NH].1", "-");
    check("PID-3.1", "9990000018");
    check("PID-3[2].1", "TA1001");
    check("PID-5.1", "O&Neil");
    check("PID-5.2", "Zo\u{eb}");
    check("PID-5.5.2", "Miss");
    check("PID-7", "19700101");
    check("PID-8", "(delete)");
    check("PID-9", "-");
    check("PV1-19.1", "V100");
    check("OBX-5", "first\nline");
    check("OBX[2]-5", "second | A\u{e9} \\Zx\\ \\");
    check("OBX[3]-5", "-");
    check("NK1-2", "-");
}

#[test]
fn segments_end_any_way_and_framing_is_passed_over() {
    for end in ["\r", "\n", "\r\n"] {
        let text =
            format!("{}{}", MESSAGE.replace('\r', end), MESSAGE.replace("A01", "A03").replace('\r', end));
        assert_eq!(read(&text, &["MSH-9.2", "PV1-19"]), ["1: A01|V100", "2: A03|V100"], "{end:?}");
        let framed = format!("\u{b}{MESSAGE}\u{1c}\r\u{b}{MESSAGE}\u{1c}\r").replace('\r', end);
        assert_eq!(read(&framed, &["MSH-9.2", "OBX-1"]), ["1: A01|1", "2: A01|1"]);
        let batch = format!("FHS|^~\\&|\rBHS|^~\\&|\r{MESSAGE}BTS|1\rFTS|1\r").replace('\r', end);
        assert_eq!(read(&batch, &["MSH-9.2"]), ["1: A01"]);
    }
}

#[test]
fn other_marks_than_the_usual() {
    let text = "MSH$*%!@$PAS\rPID$1$$7***NHS%8***TAH$$a@b\r";
    assert_eq!(read(text, &["PID-3[4=TAH].1", "PID-5.1.2"]), ["1: 8|b"]);
}

#[test]
fn a_broken_message_breaks_no_other() {
    let text = format!("MSHx\r{MESSAGE}{MESSAGE}free text\r{MESSAGE}");
    assert_eq!(read(&text, &["PV1-19"]), ["1: [hl7v2/head]", "2: V100", "3: [hl7v2/segment]", "4: V100"]);
    let large = format!("{MESSAGE}OBX|3|TX|||{}\r{MESSAGE}", "x".repeat(5 * 1024 * 1024));
    assert_eq!(read(&large, &["PV1-19"]), ["1: [file/unit-too-large]", "2: V100"]);
}

#[test]
fn what_holds_no_messages_is_refused() {
    assert_snapshot!(
        refused(b"PID|1\r", hl7v2()).join("\n"),
        @"t, line 1: expected HL7 messages, each beginning with `MSH`, found something else [file/binary]"
    );
    assert_snapshot!(refused(b"\r\n\r\n", hl7v2()).join("\n"), @"t: expected messages, found an empty file [file/empty]");
}

/// The first message's declared character set is what the file is held to.
#[test]
fn character_sets_are_those_the_messages_declare() {
    let message = |charset: &str, name: &str| {
        format!(
            "MSH|^~\\&|PAS|TAH|GW|PI|20250331||ADT^A31|1|P|2.4||||||{charset}\rPID|1||1^^^TAH^MR||{name}\r"
        )
    };
    let latin = |text: String| {
        text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect::<Vec<_>>()
    };
    let read = |bytes: &[u8]| {
        let mut reader = open_bytes(bytes, hl7v2());
        let notes = notes(&mut reader).len();
        (leaves(&mut reader, &["PID-5.1"]).join("; "), notes)
    };
    assert_eq!(read(message("UNICODE UTF-8", "Zo\u{eb}").as_bytes()), ("1: Zo\u{eb}".into(), 0));
    assert_eq!(read(&latin(message("8859/1~ASCII", "Zo\u{eb}"))), ("1: Zo\u{eb}".into(), 0));
    assert_eq!(read(&latin(message("ASCII", "Zo\u{eb}"))), ("1: Zo\u{eb}".into(), 1));
    assert_eq!(read(&latin(message("", "Zo\u{eb}"))), ("1: Zo\u{eb}".into(), 1));
    let mixed =
        message("UNICODE UTF-8", "Zo\u{eb}") + &message("8859/1", "Zo\u{eb}") + &message("8859/1", "Zoe");
    assert_eq!(read(mixed.as_bytes()).0, "1: Zo\u{eb}; 2: [hl7v2/charset]; 3: Zoe");
    let refusal = |bytes: &[u8]| refused(bytes, hl7v2()).join("\n");
    assert_snapshot!(refusal(message("ISO IR87", "x").as_bytes()), @"t, at MSH-18: expected messages in UTF-8 or Latin 1, found a character set declared in MSH-18 that is not read [charset/undecided]");
    assert_snapshot!(refusal(&latin(message("UNICODE UTF-8", "Zo\u{eb}"))), @"t, line 1: expected UTF-8 throughout, found a character that is not [charset/mismatch]");
}

fn convert(words: &[&str], input: &str) -> String {
    let mut command = assert_cmd::Command::cargo_bin("wayleave").unwrap();
    let output = command.arg("convert").args(words).write_stdin(input).output().unwrap();
    assert_ne!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const BUNDLE: &str = r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"T1","meta":{"lastUpdated":"2025-03-01T09:00:00+00:00"},"identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990000018"},{"system":"https://trust.example/Id/local-patient-id","value":"T1"}],"name":[{"use":"official","family":"Fell|x","given":["Zoë"]}],"birthDate":"1961-07-04"}}]}"#;

#[test]
fn a_written_message_has_what_every_receiver_needs() {
    let written = convert(&["--mapping", "trust/fhir", "--to", "trust/adt", "-"], BUNDLE);
    assert_snapshot!(written.replace('\r', "\n"), @r"
    MSH|^~\&|||||20250301090000+0000||ADT^A31^ADT_A05|1|P|2.4||||||UNICODE UTF-8
    EVN|A31|20250301090000+0000
    PID|||9990000018^^^NHS^NH~T1^^^^MR||Fell\F\x^Zoë||19610704
    PV1||N
    ");
}

#[test]
fn another_parser_reads_what_is_written() {
    let Some(python) = crate::support::python() else { return };
    let stay = "MSH|^~\\&|TRUST|TAH|WAYLEAVE|WL|20250310120000||ADT^A03|M2|P|2.4\rEVN|A03|20250310120000\rPID|1||9990000018^^^NHS^NH~T100001^^^TAH^MR||Fell^Ada||19610704|F|||1 Yew Lane^^Sheffield^^S99 1AA|||||||||||C^White - Other\rPV1|1|I|Rowan Ward^1^2^TAH|25|||||||||||||||V0001|||||||||||||||||1|19|||||||20250228221500|20250310\r";
    let written = convert(&["--mapping", "trust/fhir", "--to", "trust/adt", "-"], BUNDLE)
        + &convert(&["--mapping", "trust/adt", "--to", "trust/adt", "-"], stay);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("messages.hl7");
    std::fs::write(&file, written).unwrap();
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hl7v2/read");
    let output = std::process::Command::new(python).arg(script).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_snapshot!(said, @r"
    ADT^A31^ADT_A05 | 2.4 | MSH EVN PID PV1 | 9990000018^^^NHS^NH T1^^^^MR | Fell\F\x^Zoë
    ADT^A03^ADT_A03 | 2.4 | MSH EVN PID PV1 | 9990000018^^^NHS^NH T100001^^^TAH^MR | Fell^Ada
    ");
}
