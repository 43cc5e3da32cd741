//! HL7 v2 messages.

use insta::assert_snapshot;
use wayleave::format::settings::{FormatKind, Hl7v2Settings};

use crate::format_support::{leaves, open_bytes, refused};

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
