//! Settings of exchange: partners, agreements, flows and cohort requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::SecretFile;

/// One partner, and the one place where messages for it go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Partner {
    /// URL that signed messages are posted to.
    pub webhook: String,
    /// Folder that messages are put into, a file each.
    pub folder: String,
    /// Mailbox of the message exchange MESH that messages are sent to.
    pub mailbox: String,
    /// What they are for, over MESH.
    pub workflow: String,
    /// Name of the MLLP receiver that messages are sent to.
    pub mllp: String,
    /// File of the `whsec_` secrets that sign, one a line.
    pub secrets: SecretFile,
    /// Whether the URL may lead into a private network.
    pub private_addresses: bool,
}

/// One agreement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Agreement {
    /// The agreement file.
    pub file: String,
}

/// One flow: when, and whom to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flow {
    /// On which occasion.
    pub when: FlowWhen,
    /// Who is told, and how.
    pub tell: Vec<Tell>,
}

/// The occasion of a flow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlowWhen {
    /// The kind of record.
    pub kind: String,
    /// `started`, `ended` or `changed`.
    pub event: String,
    /// What its fields must hold, by their names: one of some words.
    pub field: BTreeMap<String, Words>,
}

/// A word, or several of which one will do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Words {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Words {
    /// The words.
    #[must_use]
    pub fn list(&self) -> &[String] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::Several(words) => words,
        }
    }
}

/// Who is told: the partner of an agreement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tell {
    /// The agreement.
    pub agreement: String,
    /// The mapping in whose layout the message is written.
    pub mapping: String,
}

/// One cohort request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Request {
    /// The agreement, whose partner is asked.
    pub agreement: String,
    /// The study whose consent has to cover NHS linkage.
    pub study: String,
    /// In which form.
    pub form: RequestForm,
}

/// The form of a cohort request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestForm {
    /// A table with a row a change.
    #[default]
    Csv,
    /// A JSON document.
    Json,
}
