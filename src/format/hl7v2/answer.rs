//! Acknowledgements: how a message is answered, and what an answer says.

use super::head::Head;
use crate::base::edge::Instant;
use crate::base::finding::Finding;
use crate::base::limit::{ACK_FINDINGS_MAX, ACK_TEXT_BYTES_MAX};

/// How a message is answered (HL7 table 0008).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is taken: `AA`.
    Accepted,
    /// It is wrong, and sending it again does not help: `AE`.
    Wrong,
    /// It cannot be taken, or not now: `AR`.
    Refused,
}

/// Why, in the numbers of HL7 table 0357.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// 100
    SegmentSequence,
    /// 101
    RequiredField,
    /// 102
    DataType,
    /// 103
    TableValue,
    /// 202
    ProcessingId,
    /// 205
    DuplicateKey,
    /// 207
    Internal,
}

impl Why {
    const fn number_and_text(self) -> (&'static str, &'static str) {
        match self {
            Self::SegmentSequence => ("100", "Segment sequence error"),
            Self::RequiredField => ("101", "Required field missing"),
            Self::DataType => ("102", "Data type error"),
            Self::TableValue => ("103", "Table value not found"),
            Self::ProcessingId => ("202", "Unsupported processing id"),
            Self::DuplicateKey => ("205", "Duplicate key identifier"),
            Self::Internal => ("207", "Application internal error"),
        }
    }
}

/// One fault, told to the sender: codes and places, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its number.
    pub why: Why,
    /// Where, as `PID-7`; empty for the whole message.
    pub place: String,
    /// Our own code.
    pub code: String,
    /// What was expected.
    pub expected: String,
}

impl Fault {
    /// A fault that a finding tells of.
    #[must_use]
    pub fn of(finding: &Finding) -> Self {
        let place = finding.origin.path.as_deref().unwrap_or_default();
        let why = match finding.code.as_str() {
            "hl7v2/not-live" => Why::ProcessingId,
            "hl7v2/head" | "hl7v2/segment" => Why::SegmentSequence,
            "map/unknown-code" => Why::TableValue,
            "map/blank" => Why::RequiredField,
            _ => Why::DataType,
        };
        Self {
            why,
            place: place.to_owned(),
            code: finding.code.as_str().to_owned(),
            expected: finding.expected.clone(),
        }
    }
}

impl Verdict {
    /// The code of MSA-1, in the mode that the message asks for (MSH-15 and 16): none where it asks
    /// for no answer of this kind.
    fn code(self, head: Option<&Head>) -> Option<&'static str> {
        let of = |number| head.map(|head| head.field(number)).unwrap_or_default();
        let codes = match (of(15), of(16)) {
            // The original mode, which UK feeds keep to.
            (b"", b"") => ["AA", "AE", "AR"],
            (b"" | b"NE", asked) => self.asked(asked).then_some(["AA", "AE", "AR"])?,
            (asked, _) => self.asked(asked).then_some(["CA", "CE", "CR"])?,
        };
        let [accepted, wrong, refused] = codes;
        Some(match self {
            Self::Accepted => accepted,
            Self::Wrong => wrong,
            Self::Refused => refused,
        })
    }

    /// Whether it is wanted (HL7 table 0155).
    const fn asked(self, when: &[u8]) -> bool {
        match when {
            b"NE" | b"" => false,
            b"ER" => !matches!(self, Self::Accepted),
            b"SU" => matches!(self, Self::Accepted),
            _ => true,
        }
    }
}

/// The answer to a message; none where the sender wants none. `head` is none where it has none.
#[must_use]
pub fn answer(
    head: Option<&Head>,
    verdict: Verdict,
    faults: &[Fault],
    now: Instant,
    id: &str,
) -> Option<Vec<u8>> {
    let code = verdict.code(head)?;
    let of = |number| head.map(|head| head.field(number)).unwrap_or_default();
    let [mark, cut, repeat, escape, part] = head.map_or(*b"|^~\\&", Head::cuts);
    let version = if of(12).is_empty() { b"2.4" } else { of(12) };
    let processing = if of(11).is_empty() { b"P" } else { of(11) };
    let mut kind = b"ACK".to_vec();
    if let Some(event) = head.map(|head| head.component(9, 2)).filter(|event| !event.is_empty()) {
        kind.push(cut);
        kind.extend_from_slice(event);
    }
    let time = time(now);
    let mut made = b"MSH".to_vec();
    made.push(mark);
    made.extend_from_slice(&[cut, repeat, escape, part]);
    // Who was asked answers whoever asked.
    let fields: [&[u8]; 16] = [
        of(5),
        of(6),
        of(3),
        of(4),
        time.as_bytes(),
        b"",
        &kind,
        id.as_bytes(),
        processing,
        version,
        b"",
        b"",
        b"",
        b"",
        b"",
        of(18),
    ];
    put(&mut made, mark, &fields);
    made.extend_from_slice(b"\rMSA");
    put(&mut made, mark, &[code.as_bytes(), of(10)]);
    made.push(b'\r');
    let is_old = is_before_2_5(version);
    for fault in faults.iter().take(ACK_FINDINGS_MAX) {
        made.extend_from_slice(b"ERR");
        put_fault(&mut made, [mark, cut, repeat, escape, part], fault, is_old);
        made.push(b'\r');
    }
    Some(made)
}

/// Fields after a segment's name, those at the end that are empty left out.
fn put(made: &mut Vec<u8>, mark: u8, fields: &[&[u8]]) {
    let filled = fields.iter().rposition(|field| !field.is_empty()).map_or(0, |last| last + 1);
    for field in fields.iter().take(filled) {
        made.push(mark);
        made.extend_from_slice(field);
    }
}

fn put_fault(made: &mut Vec<u8>, marks: [u8; 5], fault: &Fault, is_old: bool) {
    let [mark, cut, _, _, part] = marks;
    let (number, text) = fault.why.number_and_text();
    let (segment, field) = fault.place.split_once('-').unwrap_or((&fault.place, ""));
    let segment: String = segment.chars().take_while(char::is_ascii_alphanumeric).collect();
    let field: String = field.chars().take_while(char::is_ascii_digit).collect();
    let code = escaped(&fault.code, marks);
    let join = |parts: &[&str], by: u8| {
        let filled = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
        let parts: Vec<&[u8]> = parts.iter().take(filled).map(|part| part.as_bytes()).collect();
        parts.join(&by)
    };
    let sequence = if segment.is_empty() { "" } else { "1" };
    if is_old {
        // ERR-1: segment, its sequence, the field, and the code with its own alternate.
        let coded = join(&[number, text, "HL70357", &code, "", "L"], part);
        let mut place = join(&[&segment, sequence, &field, "?"], cut);
        place.pop();
        place.extend_from_slice(&coded);
        put(made, mark, &[&place]);
        return;
    }
    let place = join(&[&segment, sequence, &field], cut);
    let coded = join(&[number, text, "HL70357"], cut);
    let own = join(&[&code, "", "L"], cut);
    let expected = escaped(&fault.expected, marks);
    put(made, mark, &[b"", &place, &coded, b"E", &own, b"", b"", expected.as_bytes()]);
}

/// Text as it may stand in a field: ASCII, its marks escaped, and short.
fn escaped(text: &str, marks: [u8; 5]) -> String {
    let [field, cut, repeat, escape, part] = marks.map(char::from);
    let mut made = String::new();
    for letter in text.chars() {
        let stands = match letter {
            '\u{2026}' => "...".to_owned(),
            mark if mark == field => format!("{escape}F{escape}"),
            mark if mark == cut => format!("{escape}S{escape}"),
            mark if mark == repeat => format!("{escape}R{escape}"),
            mark if mark == escape => format!("{escape}E{escape}"),
            mark if mark == part => format!("{escape}T{escape}"),
            plain if plain.is_ascii() && !plain.is_control() => plain.to_string(),
            _ => "?".to_owned(),
        };
        if made.len() + stands.len() > ACK_TEXT_BYTES_MAX {
            break;
        }
        made.push_str(&stands);
    }
    made
}

/// An instant as HL7 writes it: `20250301090000+0000`.
pub(crate) fn time(now: Instant) -> String {
    let text = now.to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).take(14).collect();
    format!("{digits}+0000")
}

/// Whether a version keeps to the old form of ERR.
fn is_before_2_5(version: &[u8]) -> bool {
    match version {
        [b'2', b'.', minor, ..] => *minor < b'5',
        [b'2'] => true,
        _ => false,
    }
}

/// What an answer says of a message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The control id of the message that it is about.
    pub about: Vec<u8>,
    /// How it was answered.
    pub verdict: Verdict,
    /// The receiver's numbers of what was wrong, such as `207`.
    pub codes: Vec<String>,
}

impl Answered {
    /// What an answer says; none where it is no acknowledgement.
    #[must_use]
    pub fn of(message: &[u8]) -> Option<Self> {
        let head = Head::of(message)?;
        let [mark, cut, _, _, part] = head.cuts();
        let segments = || message.split(|byte| matches!(byte, b'\r' | b'\n'));
        let fields = |segment: &[u8]| -> Vec<Vec<u8>> {
            segment.split(|byte| *byte == mark).map(<[u8]>::to_vec).collect()
        };
        let msa = segments().find(|segment| segment.starts_with(&[b'M', b'S', b'A', mark]))?;
        let msa = fields(msa);
        let verdict = match msa.get(1)?.as_slice() {
            b"AA" | b"CA" => Verdict::Accepted,
            b"AE" | b"CE" => Verdict::Wrong,
            b"AR" | b"CR" => Verdict::Refused,
            _ => return None,
        };
        let errors = segments().filter(|segment| segment.starts_with(&[b'E', b'R', b'R', mark]));
        let codes = errors.take(ACK_FINDINGS_MAX).filter_map(|segment| {
            let fields = fields(segment);
            let old = fields.get(1).and_then(|place| place.split(|byte| *byte == cut).nth(3));
            let new = fields.get(3).map(Vec::as_slice);
            let coded = old.or(new)?;
            let code = coded.split(|byte| *byte == cut || *byte == part).next()?;
            let code: String = code.iter().map(|byte| char::from(*byte)).take(20).collect();
            code.chars().all(|letter| letter.is_ascii_alphanumeric()).then_some(code)
        });
        Some(Self { about: msa.get(2).cloned().unwrap_or_default(), verdict, codes: codes.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::{Answered, Fault, Verdict, Why, answer};
    use crate::base::edge::Instant;
    use crate::format::hl7v2::Head;

    fn told(message: &str, verdict: Verdict) -> String {
        let fault = Fault {
            why: Why::DataType,
            place: "PID-7[2].1".to_owned(),
            code: "map/date".to_owned(),
            expected: "expected a date | none".to_owned(),
        };
        let faults: &[Fault] = if verdict == Verdict::Accepted { &[] } else { &[fault] };
        let head = Head::of(message.as_bytes());
        let now = Instant::from_unix_ms(1_711_875_600_000);
        let made = answer(head.as_ref(), verdict, faults, now, "7f").unwrap_or_default();
        String::from_utf8(made).unwrap().replace('\r', "\n")
    }

    #[test]
    fn an_answer_names_its_message_and_where_it_is_wrong() {
        let message = |rest: &str| format!("MSH|^~\\&|TRUST|TAH|WAYLEAVE|WL|2025||ADT^A31|M1|P|{rest}\r");
        insta::assert_snapshot!(told(&message("2.4"), Verdict::Accepted), @r"
        MSH|^~\&|WAYLEAVE|WL|TRUST|TAH|20240331090000+0000||ACK^A31|7f|P|2.4
        MSA|AA|M1
        ");
        insta::assert_snapshot!(told(&message("2.4"), Verdict::Wrong), @r"
        MSH|^~\&|WAYLEAVE|WL|TRUST|TAH|20240331090000+0000||ACK^A31|7f|P|2.4
        MSA|AE|M1
        ERR|PID^1^7^102&Data type error&HL70357&map/date&&L
        ");
        insta::assert_snapshot!(told(&message("2.5.1||||||8859/1"), Verdict::Refused), @r"
        MSH|^~\&|WAYLEAVE|WL|TRUST|TAH|20240331090000+0000||ACK^A31|7f|P|2.5.1||||||8859/1
        MSA|AR|M1
        ERR||PID^1^7|102^Data type error^HL70357|E|map/date^^L|||expected a date \F\ none
        ");
        insta::assert_snapshot!(told("nothing", Verdict::Wrong), @r"
        MSH|^~\&|||||20240331090000+0000||ACK|7f|P|2.4
        MSA|AE
        ERR|PID^1^7^102&Data type error&HL70357&map/date&&L
        ");
    }

    #[test]
    fn who_asks_for_another_mode_has_it() {
        let message = |asked: &str| format!("MSH|^~\\&|||||2025||ADT^A31|M1|P|2.4|||{asked}\r");
        for (asked, verdict, expected) in [
            ("AL|NE", Verdict::Accepted, "CA"),
            ("AL|AL", Verdict::Wrong, "CE"),
            ("NE|AL", Verdict::Accepted, "AA"),
            ("ER|NE", Verdict::Accepted, ""),
            ("ER|NE", Verdict::Refused, "CR"),
            ("SU|NE", Verdict::Refused, ""),
            ("NE|NE", Verdict::Accepted, ""),
        ] {
            let told = told(&message(asked), verdict);
            let code = told.split("MSA|").nth(1).and_then(|msa| msa.get(..2)).unwrap_or_default();
            assert_eq!(code, expected, "{asked} {verdict:?}");
        }
    }

    #[test]
    fn an_answer_reads_back() {
        for version in ["2.4", "2.6"] {
            let message = format!("MSH|^~\\&|A|B|C|D|2025||ADT^A31|M1|P|{version}\r");
            let said = Answered::of(told(&message, Verdict::Wrong).as_bytes()).unwrap();
            assert_eq!((said.about.as_slice(), said.verdict), (b"M1".as_slice(), Verdict::Wrong));
            assert_eq!(said.codes, ["102"], "{version}");
        }
        assert_eq!(Answered::of(b"MSH|^~\\&|A\rPID|1\r"), None);
    }
}
