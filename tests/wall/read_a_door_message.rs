// expect: E0277
// A message is written here and read only on the far side, by types of its own.

use crate::release::door::DoorMessage;

fn back(text: &str) -> Option<DoorMessage> {
    serde_json::from_str(text).ok()
}
