//! Whether each planted fault was found at its place.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::synth::fault::Fault;

/// One planted fault, and whether it was found.
pub(super) struct Look<'f> {
    /// The fault.
    pub(super) fault: &'f Fault,
    /// A finding of its code stands at its place, or the ledger counts its outcome.
    pub(super) is_found: bool,
}

/// Looks for each fault among the findings and ledgers of the runs.
pub(super) fn look<'f>(faults: &'f [Fault], runs: &[Value]) -> Vec<Look<'f>> {
    let mut found = BTreeSet::new();
    let mut counted: BTreeMap<(String, String), i64> = BTreeMap::new();
    for run in runs {
        let feed = text(run, "feed");
        for finding in run.get("first").and_then(Value::as_array).into_iter().flatten() {
            found.insert((feed.clone(), unit(&text(finding, "place")), text(finding, "code")));
        }
        for (outcome, count) in run.get("units").and_then(Value::as_object).into_iter().flatten() {
            *counted.entry((feed.clone(), outcome.clone())).or_default() +=
                count.as_i64().unwrap_or_default();
        }
    }
    let mut planted: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for fault in faults.iter().filter(|fault| fault.code.is_none()) {
        *planted.entry((fault.feed, fault.outcome)).or_default() += 1;
    }
    let is_found = |fault: &Fault| match fault.code {
        Some(code) => found.contains(&(fault.feed.to_owned(), place(fault), code.to_owned())),
        None => {
            let key = (fault.feed.to_owned(), fault.outcome.to_owned());
            counted.get(&key).copied().unwrap_or_default()
                >= planted.get(&(fault.feed, fault.outcome)).copied().unwrap_or_default()
        }
    };
    faults.iter().map(|fault| Look { fault, is_found: is_found(fault) }).collect()
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The unit of a fault as `run show` names it.
fn place(fault: &Fault) -> String {
    match fault.sheet {
        Some(sheet) => format!("sheet `{sheet}`, line {}", fault.line),
        None => format!("line {}", fault.line),
    }
}

/// A place without its column and path.
fn unit(place: &str) -> String {
    let parts = place.split(", ").filter(|part| part.starts_with("sheet ") || part.starts_with("line "));
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::look;
    use crate::synth::fault::{Kind, Planted};

    #[test]
    fn a_fault_is_found_only_at_its_own_place_under_its_own_code() {
        let planted = Planted { kind: Kind::OutOfRange, column: None };
        let faults =
            [7, 8].map(|line| planted.at("housing/tracker", "tracker.xlsx", Some("Stars"), line)).to_vec();
        let run = json!({
            "feed": "housing/tracker",
            "units": { "duplicate": 0 },
            "first": [
                { "place": "sheet `Stars`, line 7, column `Work`", "code": "schema/range" },
                { "place": "sheet `Stars`, line 8, column `Work`", "code": "schema/type" },
            ],
        });
        let found: Vec<bool> = look(&faults, &[run]).iter().map(|look| look.is_found).collect();
        assert_eq!(found, [true, false]);
    }
}
