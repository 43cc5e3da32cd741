//! Several records out of one unit: one for each item of a list in it.

use super::{Compiler, Part, Rule};
use crate::format::At;
use crate::format::json::TreePath;
use crate::mapping::file::RawRecord;

/// The items of a unit each of which is a record. Addresses that begin with the path mean the item.
#[derive(Debug, Clone)]
pub struct Each {
    /// The path as written.
    pub address: String,
    /// The path, which selects by value.
    pub path: TreePath,
}

impl Compiler<'_> {
    pub(super) fn each(&mut self, raw: &RawRecord, key: &[Part], rules: &[Rule]) -> Option<Each> {
        let each = raw.each.as_ref()?;
        if !matches!(self.raw.format.name.value.as_str(), "json" | "ndjson" | "fhir") {
            self.fault(&each.span, "`each` is for lists within a unit, as JSON and FHIR have them");
            return None;
        }
        let path = match At::compile(&each.value, None) {
            Ok(At::Tree(path)) if path.selects_items() => path,
            Ok(_) => {
                self.advise(
                    &each.span,
                    "`each` has to select items of a list by value",
                    "`each = \"householdMembers[isResponsible=true]\"`, for instance",
                );
                return None;
            }
            Err(unknown) => {
                self.fault(&each.span, unknown.reason);
                return None;
            }
        };
        let is_within = |address: &String| matches!(At::compile(address, None), Ok(At::Tree(cell)) if cell.is_within(&path));
        let tells_apart = key.iter().any(|part| match part {
            Part::Cell(address, _) => is_within(address),
            Part::Field(index) => rules.get(*index).is_some_and(|rule| rule.from.iter().any(is_within)),
        });
        if !tells_apart {
            self.advise(
                &each.span,
                "all items of a unit would be one record",
                "put something of the item into `key`, by an address that begins as `each` does",
            );
        }
        Some(Each { address: each.value.clone(), path })
    }
}
