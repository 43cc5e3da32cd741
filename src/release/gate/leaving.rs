//! Fields on their way out of one record: treated, then scanned.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;
use crate::base::private::{Grant, Release};
use crate::consent::decide::Proof;
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::release::door::ConsentData;
use crate::release::gate::{About, Gate, NO_CONSENT, Withheld};
use crate::release::protocol::ReleasedField;
use crate::release::treat::{LeftOut, Treated, treat};

/// Fields that go to nobody where a source has marked the person as restricted.
const RESTRICTED: [&str; 5] = ["landlord", "provider", "postcode", "postcode_district", "team"];

/// Fields on their way out.
pub(super) struct Leaving<'a> {
    place: Origin,
    about: &'a About<'a>,
    grant: &'a Grant<Release>,
    values: Vec<(String, Treated)>,
    pub(super) missing: BTreeMap<String, &'static str>,
    pub(super) findings: Vec<Finding>,
}

/// Fields that may leave.
pub(super) struct Ready {
    pub(super) fields: Map<String, Value>,
    pub(super) missing: BTreeMap<String, &'static str>,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Leaving<'a> {
    pub(super) fn new(place: Origin, about: &'a About<'a>, grant: &'a Grant<Release>) -> Self {
        Self { place, about, grant, values: Vec::new(), missing: BTreeMap::new(), findings: Vec::new() }
    }

    pub(super) fn put(&mut self, proof: &Proof, field: &ReleasedField, value: Option<&Draft>) {
        let may = field.needs.is_none_or(|needs| proof.verdict(needs).is_permit());
        let is_restricted = self.about.is_restricted && RESTRICTED.contains(&field.from.name);
        if value.is_none() {
            return;
        }
        if is_restricted || !may {
            let why = if may { "suppressed" } else { NO_CONSENT };
            self.missing.insert(field.name.clone(), why);
            return;
        }
        match treat(field, value, &self.about.around, self.grant) {
            Ok(Some(treated)) => self.values.push((field.name.clone(), treated)),
            Ok(None) => {}
            Err(why) => self.findings.push(left_out(why, field, &self.place)),
        }
    }

    /// Scans what leaves in an open form.
    pub(super) fn finish(self, gate: &Gate<'_>, consent: &ConsentData) -> Result<Ready, Withheld> {
        let hit = |name: &str, text: &str| match self.about.own.find(text, self.grant) {
            None => Ok(()),
            Some(hit) => {
                let told = format!("`{name}` holds the person's own {}", hit.as_str());
                let finding = Finding::new(Code::ReleaseIdentifier, self.place.clone(), told);
                Err(Withheld::Identifier(Box::new(finding)))
            }
        };
        hit("consent.form", &consent.form)?;
        hit("consent.form_version", &consent.form_version)?;
        let mut fields = Map::new();
        for (name, treated) in self.values {
            let value = match treated {
                Treated::Coded(word) => Value::String(word),
                Treated::Truth(truth) => Value::Bool(truth),
                Treated::Setting(setting) => {
                    Value::String(gate.domain.record(gate.key, Kind::Setting, setting).to_string())
                }
                Treated::Open(value) => {
                    match &value {
                        Value::String(text) => hit(&name, text)?,
                        other => hit(&name, &other.to_string())?,
                    }
                    value
                }
            };
            fields.insert(name, value);
        }
        Ok(Ready { fields, missing: self.missing, findings: self.findings })
    }
}

pub(super) fn left_out(why: LeftOut, field: &ReleasedField, place: &Origin) -> Finding {
    let (code, told) = match why {
        LeftOut::Code => (Code::ReleaseCode, "holds no code that the protocol lets through"),
        LeftOut::Setting => (Code::ReleaseSettingUnknown, "names no known setting"),
    };
    Finding::new(code, place.clone(), format!("`{}` {told}; it is left out", field.name))
}
