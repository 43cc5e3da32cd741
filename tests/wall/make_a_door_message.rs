// expect: E0624
// Only the gate makes a message for the door.

use crate::release::door::DoorMessage;

fn past_the_gate(text: String) -> DoorMessage {
    DoorMessage::new(text.clone(), text.clone(), text.clone(), text, std::process::abort())
}
