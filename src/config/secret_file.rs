//! Settings that name the file of a secret. They have a type of their own, so that all of them are
//! found wherever they stand, those that are added later too.

use std::collections::BTreeMap;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Config;

/// The path of a file that holds a secret: a key, a password, what signs. Empty for none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "String", into = "Mark")]
pub struct SecretFile(String);

impl SecretFile {
    /// The path, as the configuration has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for SecretFile {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretFile {
    fn from(path: String) -> Self {
        Self(path)
    }
}

impl From<&str> for SecretFile {
    fn from(path: &str) -> Self {
        Self(path.to_owned())
    }
}

/// How a path is told from every other text where settings are gone through.
#[derive(Serialize)]
struct Mark {
    secret_file: String,
}

impl From<SecretFile> for Mark {
    fn from(file: SecretFile) -> Self {
        Self { secret_file: file.0 }
    }
}

impl Config {
    /// Every file of a secret that the settings name, by the setting: `mllp.engine.certificate_key`.
    #[must_use]
    pub fn secret_files(&self) -> BTreeMap<String, SecretFile> {
        let mut found = BTreeMap::new();
        // Settings are numbers, texts and tables named by texts, which are all JSON.
        if let Ok(all) = serde_json::to_value(self) {
            walk("", &all, &mut found);
        }
        for study in self.study.keys() {
            found.insert(format!("study.{study}.key"), self.study_key(study));
        }
        found.retain(|_setting, file| !file.is_empty());
        found
    }

    /// Each setting that is of no use without another which is not set, and that other: a certificate and
    /// its key, an account and its secret.
    #[must_use]
    pub fn lone_halves(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        // Settings are numbers, texts and tables named by texts, which are all JSON.
        if let Ok(all) = serde_json::to_value(self) {
            look_for_halves("", &all, &mut found);
        }
        found
    }

    /// The file of a study's key, which has a usual place.
    #[must_use]
    pub fn study_key(&self, study: &str) -> SecretFile {
        match self.study.get(study).map(|settings| &settings.key) {
            Some(key) if !key.is_empty() => key.clone(),
            _ => SecretFile(format!("keys/{study}.key")),
        }
    }
}

fn walk(setting: &str, value: &Value, found: &mut BTreeMap<String, SecretFile>) {
    match value {
        Value::Object(table) => {
            if let (1, Some(Value::String(path))) = (table.len(), table.get("secret_file")) {
                found.insert(setting.to_owned(), SecretFile(path.clone()));
                return;
            }
            for (name, value) in table {
                let dot = if setting.is_empty() { "" } else { "." };
                walk(&format!("{setting}{dot}{name}"), value, found);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                walk(&format!("{setting}.{index}"), value, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Settings that go together.
const PAIRS: [(&str, &str); 2] = [("certificate", "certificate_key"), ("relay_user", "relay_secret")];

fn look_for_halves(place: &str, value: &Value, found: &mut Vec<(String, String)>) {
    let Some(table) = value.as_object() else { return };
    let is_set = |name: &str| {
        let value = table.get(name)?;
        let text = value.get("secret_file").unwrap_or(value).as_str()?;
        Some(!text.is_empty())
    };
    for (one, other) in PAIRS {
        let (set, not) = match (is_set(one), is_set(other)) {
            (Some(true), Some(false)) => (one, other),
            (Some(false), Some(true)) => (other, one),
            _ => continue,
        };
        found.push((format!("{place}{set}"), format!("{place}{not}")));
    }
    for (name, value) in table {
        look_for_halves(&format!("{place}{name}."), value, found);
    }
}
