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

/// The text of a message with these leaves; `None` as the leaf is `""`, which deletes.
pub(crate) fn compose<'p>(leaves: impl Iterator<Item = (&'p MessagePath, Option<String>)>) -> String {
    let marks = Marks::default();
    let mut segments: BTreeMap<(usize, String, usize), Fields> = BTreeMap::new();
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
            let holds = |components: &Components| {
                conditions.iter().all(|(component, is)| {
                    components.get(component).and_then(|parts| parts.get(&1)) == Some(&escape(is, marks))
                })
            };
            let found = repetitions.iter().position(holds);
            if found.is_none() {
                let part = |is: &String| Parts::from([(1, escape(is, marks))]);
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
