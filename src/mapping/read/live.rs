//! What is refused where real people's data are: tests, and people who were invented for them.

use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;
use crate::format::{Arrival, Unit};
use crate::mapping::op::Refusal;
use crate::mapping::op::value::Value;
use crate::record::nhs_number::is_invented;
use crate::record::schema::Field;

/// That a message is one for tests or training.
pub(super) fn check_unit(is_live: bool, arrival: &Arrival<'_>, file: &Origin) -> Option<Finding> {
    match &arrival.unit {
        Ok(Unit::Message(message)) if is_live && !message.is_production() => {
            let origin = arrival.place.origin(file).at_path("MSH-11");
            let text = "expected a message in production (`P` in MSH-11), found one for tests or training";
            Some(Finding::new(Code::Hl7v2NotLive, origin, text))
        }
        _ => None,
    }
}

/// That nobody invented gets in among real people.
pub(super) fn check_value(is_live: bool, field: &Field, value: &Value<'_>) -> Result<(), Refusal> {
    match value {
        Value::Text(number) if is_live && field.name == "nhs_number" && is_invented(number) => {
            let text = "expected a number that was issued to somebody, found one of the range kept for tests";
            Err(Refusal::new(Code::MapNhsTest, text))
        }
        _ => Ok(()),
    }
}
