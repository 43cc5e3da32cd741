//! Care homes, landlords and providers, found by their names in normal form.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::base::id::RecordId;
use crate::person::normalise;
use crate::record::kind::Kind;
use crate::release::protocol::{Protocol, Treatment};
use crate::store::record::{self, CurrentRecord};
use crate::store::{StoreError, Tx};

/// The settings that are known.
#[derive(Default)]
pub struct Settings {
    by_name: BTreeMap<String, RecordId>,
    records: BTreeMap<RecordId, CurrentRecord>,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn load(tx: &mut Tx) -> Result<Self, StoreError> {
        let mut settings = Self::default();
        for record in record::list_settings(tx)?.into_iter().filter(|record| !record.is_absent) {
            let id =
                RecordId::from_str(&record.id).map_err(|_id| StoreError::Unreadable { what: "record id" })?;
            if let Some(name) = text(&record.body, "name") {
                // The first of a name stands, by order of id.
                settings.by_name.entry(form(&name)).or_insert(id);
            }
            settings.records.insert(id, record);
        }
        Ok(settings)
    }

    /// The setting of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<RecordId> {
        self.by_name.get(&form(name)).copied()
    }

    /// The record of a setting.
    #[must_use]
    pub fn record(&self, id: RecordId) -> Option<&CurrentRecord> {
        self.records.get(&id)
    }

    /// The settings that a record's released fields name.
    #[must_use]
    pub fn named(&self, protocol: &Protocol, kind: Kind, body: &str) -> Vec<RecordId> {
        let Some(released) = protocol.kind(kind) else { return Vec::new() };
        released
            .fields
            .iter()
            .filter(|field| field.treatment == Treatment::PseudonymiseSetting)
            .filter_map(|field| self.find(&text(body, field.from.name)?))
            .collect()
    }
}

/// `Home A` and `Home B` differ by a letter, `Unit 1` and `Unit 2` by a digit, so digits stay.
fn form(name: &str) -> String {
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    format!("{}/{digits}", normalise::name(name))
}

fn text(body: &str, field: &str) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    body.get(field)?.as_str().map(str::to_owned)
}
