//! The trust's HL7 v2.4 ADT messages as HL7 UK has them: admissions, discharges, changes.

use crate::base::day::Day;
use crate::synth::calendar::{as_of, packed, plus};
use crate::synth::fault::{Fault, Planted};
use crate::synth::life::{Contact, ContactKind, Life, View};
use crate::synth::render::fhir::ethnicity;
use crate::synth::world::World;

/// Name of the file.
pub const FILE: &str = "adt.hl7";

/// One message, and what is wrong with it on purpose.
#[derive(Clone)]
pub struct Message {
    /// Day it was sent; messages stand in this order.
    pub on: Day,
    /// Its segments.
    pub segments: Vec<String>,
    /// The fault, where there is one.
    pub planted: Option<Planted>,
}

/// An admission and its discharge for each stay that came by message, and now and then a change of
/// the patient's record.
#[must_use]
pub fn messages(world: &World) -> Vec<Message> {
    let mut seed = world.seed.fork("adt");
    let mut out = Vec::new();
    for life in world.lives.iter().chain(&world.others) {
        let Some(view) = &life.trust else { continue };
        for stay in life.contacts.iter().filter(|contact| contact.kind == ContactKind::StayByMessage) {
            out.push(message("A01", stay.from, life, view, Some(stay)));
            if let Some(to) = stay.to {
                out.push(message("A03", to, life, view, Some(stay)));
            }
        }
        if seed.chance(250) {
            let trigger = seed.pick(&["A08", "A31"]);
            out.push(message(trigger, plus(as_of(), -seed.between(1, 90)), life, view, None));
        }
    }
    out.sort_by(|one, two| (one.on, &one.segments).cmp(&(two.on, &two.segments)));
    for (index, message) in out.iter_mut().enumerate() {
        if let Some(head) = message.segments.first_mut() {
            *head = head.replace("{control}", &format!("MSG{:06}", index + 1));
        }
    }
    out
}

/// One message about a person.
#[must_use]
pub fn message(trigger: &str, on: Day, life: &Life, view: &View, stay: Option<&Contact>) -> Message {
    let sent = format!("{}093000", packed(on));
    let number = view.number.as_ref().map(|number| format!("{number}^^^NHS^NH~")).unwrap_or_default();
    let sex = match life.who.sex.as_str() {
        "male" => "M",
        "female" => "F",
        _ => "",
    };
    let mut segments = vec![
        format!(
            "MSH|^~\\&|RIO|TAH|WAYLEAVE|SYN|{sent}||ADT^{trigger}|{{control}}|P|2.4|||AL|NE|GBR|UNICODE UTF-8"
        ),
        format!("EVN|{trigger}|{sent}"),
        format!(
            "PID|1||{number}{}^^^TAH^MR||{}^{}^^^^^L||{}|{sex}|||{}^^Sheffield^^{}||||||||||{}",
            view.id,
            view.family,
            view.given,
            packed(view.born),
            view.home.line,
            view.home.post,
            // PID-22 follows ten fields after PID-11.
            format_args!("|{}", ethnicity(&life.who.ethnicity)),
        ),
        format!("PD1|||^^{}", life.who.practice.0),
    ];
    if let Some(stay) = stay {
        segments.push(visit(trigger, stay));
    }
    Message { on, segments, planted: None }
}

/// PV1: class 2, ward 3, method of admission 4, source 14, visit 19, discharge 36 and 37, days 44
/// and 45.
fn visit(trigger: &str, stay: &Contact) -> String {
    let mut fields = vec![String::new(); 46];
    let mut set = |at: usize, value: String| {
        if let Some(field) = fields.get_mut(at) {
            *field = value;
        }
    };
    set(0, "PV1".to_owned());
    set(1, "1".to_owned());
    set(2, "I".to_owned());
    set(3, format!("{}^^^TAH", stay.ward));
    set(4, stay.method.to_owned());
    set(14, "19".to_owned());
    set(19, stay.id.clone());
    set(44, packed(stay.from));
    if let (Some(to), "A03") = (stay.to, trigger) {
        set(36, "1".to_owned());
        set(37, "19".to_owned());
        set(45, packed(to));
    }
    fields.join("|").trim_end_matches('|').to_owned()
}

/// The file: segments end with a carriage return.
#[must_use]
pub fn file(messages: &[Message]) -> Vec<u8> {
    messages
        .iter()
        .flat_map(|message| &message.segments)
        .flat_map(|segment| format!("{segment}\r").into_bytes())
        .collect()
}

/// The faults at their places: the ordinal of the message, from 1.
#[must_use]
pub fn faults(messages: &[Message]) -> Vec<Fault> {
    let placed = (1..).zip(messages);
    placed
        .filter_map(|(at, message)| message.planted.map(|fault| fault.at("trust/adt", FILE, None, at)))
        .collect()
}
