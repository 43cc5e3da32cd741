//! A message out of what stands at its paths.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::message::Marks;
use super::path::{MessagePath, Repetition};

/// Segments in the order that ADT messages have them; others follow as they come.
const ORDER: [&str; 9] = ["MSH", "EVN", "PID", "PD1", "NK1", "PV1", "PV2", "OBX", "AL1"];

type Parts = BTreeMap<usize, String>;
type Components = BTreeMap<usize, Parts>;
type Fields = BTreeMap<usize, Vec<Components>>;
/// By rank, name and occurrence.
type Segments = BTreeMap<(usize, String, usize), Fields>;

/// The text of a message with these leaves; `None` as the leaf is `""`, which deletes.
pub(crate) fn compose<'p>(
    leaves: impl Iterator<Item = (&'p MessagePath, Option<String>)>,
    ordinal: u64,
) -> String {
    let marks = Marks::default();
    let mut segments = Segments::new();
    segments.insert((0, String::from("MSH"), 1), Fields::new());
    for (path, leaf) in leaves {
        if path.segment == "MSH" && path.field <= 2 {
            continue;
        }
        let text = leaf.map_or_else(|| String::from("\"\""), |text| escape(&text, marks));
        let rank = ORDER.iter().position(|name| *name == path.segment).unwrap_or(ORDER.len());
        // The third of its name is the third only if two stand before it.
        for before in 1..path.occurrence {
            segments.entry((rank, path.segment.clone(), before)).or_default();
        }
        let fields = segments.entry((rank, path.segment.clone(), path.occurrence)).or_default();
        let repetitions = fields.entry(path.field).or_default();
        if let Some(components) = repetition(repetitions, &path.repetition, marks) {
            components.entry(path.component).or_default().insert(path.part, text);
        }
    }
    complete(&mut segments, ordinal);
    let mut message = String::new();
    for ((_, name, _), fields) in &segments {
        message.push_str(name);
        let first = if name == "MSH" {
            let _ = write!(message, "|{}{}{}{}", marks.component, marks.repetition, marks.escape, marks.part);
            3
        } else {
            1
        };
        let last = fields.keys().next_back().copied().unwrap_or_default();
        for number in first..=last {
            message.push(marks.field);
            if let Some(repetitions) = fields.get(&number) {
                write_field(&mut message, repetitions, marks);
            }
        }
        message.push('\r');
    }
    message
}

/// Fills in what a receiver needs of every message (HL7 v2.4, section 2.16.9) where the leaves say
/// nothing of it, and the event segment of an ADT message.
fn complete(segments: &mut Segments, ordinal: u64) {
    let Some(head) = segments.get_mut(&(0, String::from("MSH"), 1)) else { return };
    for (field, text) in [(10, ordinal.to_string()), (11, "P".into()), (12, "2.4".into()), (18, UTF_8.into())]
    {
        head.entry(field).or_insert_with(|| vec![Components::from([(1, Parts::from([(1, text)]))])]);
    }
    let kind = head.get_mut(&9).and_then(|repetitions| repetitions.first_mut());
    let Some(kind) = kind.filter(|kind| text_at(kind, 1) == Some("ADT")) else { return };
    // Somebody's details, with nothing that happened to them.
    let event = kind.entry(2).or_insert_with(|| Parts::from([(1, String::from("A31"))]));
    let event = event.get(&1).cloned().unwrap_or_default();
    if let Some((_, structure)) = STRUCTURES.iter().find(|(events, _)| events.contains(&event.as_str())) {
        kind.entry(3).or_insert_with(|| Parts::from([(1, (*structure).to_owned())]));
    }
    let sent = head.get(&7).cloned().unwrap_or_default();
    if event == "A28" || event == "A31" {
        // There has to be a visit, and this is none: not applicable (HL7 table 0004).
        let rank = ORDER.iter().position(|name| *name == "PV1").unwrap_or_default();
        let visit = segments.entry((rank, String::from("PV1"), 1)).or_default();
        visit
            .entry(2)
            .or_insert_with(|| vec![Components::from([(1, Parts::from([(1, String::from("N"))]))])]);
    }
    let noted = segments.entry((1, String::from("EVN"), 1)).or_default();
    noted.entry(1).or_insert_with(|| vec![Components::from([(1, Parts::from([(1, event)]))])]);
    if !sent.is_empty() {
        noted.entry(2).or_insert(sent);
    }
}

/// The structure of each event's message (HL7 v2.4, table 0354), of those that are read here.
const STRUCTURES: [(&[&str], &str); 6] = [
    (&["A01", "A04", "A08", "A13"], "ADT_A01"),
    (&["A02"], "ADT_A02"),
    (&["A03"], "ADT_A03"),
    (&["A05", "A28", "A31"], "ADT_A05"),
    (&["A11", "A12"], "ADT_A09"),
    (&["A40"], "ADT_A39"),
];

/// What a writer of UTF-8 declares (HL7 table 0211).
const UTF_8: &str = "UNICODE UTF-8";

fn text_at(components: &Components, number: usize) -> Option<&str> {
    components.get(&number)?.get(&1).map(String::as_str)
}

/// The repetition that is meant, added where there is none.
fn repetition<'f>(
    repetitions: &'f mut Vec<Components>,
    wanted: &Repetition,
    marks: Marks,
) -> Option<&'f mut Components> {
    let at = match wanted {
        Repetition::Number(number) => {
            while repetitions.len() < *number {
                repetitions.push(Components::new());
            }
            number - 1
        }
        Repetition::Where(conditions) => {
            let first = |is: &String| escape(is.split('|').next().unwrap_or_default(), marks);
            let holds = |components: &Components| {
                conditions.iter().all(|(component, is)| {
                    components.get(component).and_then(|parts| parts.get(&1)) == Some(&first(is))
                })
            };
            let found = repetitions.iter().position(holds);
            if found.is_none() {
                let part = |is: &String| Parts::from([(1, first(is))]);
                repetitions.push(conditions.iter().map(|(component, is)| (*component, part(is))).collect());
            }
            found.unwrap_or(repetitions.len() - 1)
        }
    };
    repetitions.get_mut(at)
}

fn write_field(message: &mut String, repetitions: &[Components], marks: Marks) {
    for (index, components) in repetitions.iter().enumerate() {
        if index > 0 {
            message.push(marks.repetition);
        }
        let last = components.keys().next_back().copied().unwrap_or_default();
        for component in 1..=last {
            if component > 1 {
                message.push(marks.component);
            }
            let Some(parts) = components.get(&component) else { continue };
            let last = parts.keys().next_back().copied().unwrap_or_default();
            for part in 1..=last {
                if part > 1 {
                    message.push(marks.part);
                }
                message.push_str(parts.get(&part).map_or("", String::as_str));
            }
        }
    }
}

/// Writes the characters that cut a message, and line breaks, as what stands for them.
fn escape(text: &str, marks: Marks) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        let stands = match character {
            mark if mark == marks.field => "F",
            mark if mark == marks.component => "S",
            mark if mark == marks.repetition => "R",
            mark if mark == marks.escape => "E",
            mark if mark == marks.part => "T",
            '\n' => ".br",
            '\r' => "X0D",
            plain => {
                escaped.push(plain);
                continue;
            }
        };
        escaped.push(marks.escape);
        escaped.push_str(stands);
        escaped.push(marks.escape);
    }
    escaped
}
