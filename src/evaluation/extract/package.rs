//! `datapackage.json`: Data Package 2.0.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::evaluation::door::protocol::Field;
use crate::evaluation::extract::cell::MISSING;
use crate::evaluation::extract::table::Table;
use crate::evaluation::store::standing::Snapshot;

/// A data package.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    /// Its profile.
    #[serde(rename = "$schema")]
    pub profile: String,
    /// Name.
    pub name: String,
    /// Id of the extract.
    pub id: String,
    /// Title.
    pub title: String,
    /// What it is.
    pub description: String,
    /// Protocol version, day of the cut-off and 0, as a semantic version.
    pub version: String,
    /// The release's cut-off: never the clock.
    pub created: String,
    /// The tables.
    pub resources: Vec<Resource>,
}

/// One table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Name.
    pub name: String,
    /// `table`.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// What a row is.
    pub description: String,
    /// Path within the folder.
    pub path: String,
    /// `csv`.
    pub format: String,
    /// `text/csv`.
    pub mediatype: String,
    /// `utf-8`.
    pub encoding: String,
    /// Size.
    pub bytes: u64,
    /// `sha256:` and the hash.
    pub hash: String,
    /// Its columns.
    pub schema: Schema,
}

/// The columns of a table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// Its profile.
    #[serde(rename = "$schema")]
    pub profile: String,
    /// The columns.
    pub fields: Vec<Column>,
    /// Codes that stand for no value.
    pub missing_values: Vec<Labelled>,
    /// What tells rows apart.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub primary_key: Vec<String>,
    /// Which columns refer to another table.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub foreign_keys: Vec<ForeignKey>,
}

/// One column.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub holds: String,
    /// Heading.
    pub title: String,
    /// What it means.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub description: String,
    /// Its values, with labels.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub categories: Vec<Labelled>,
    /// Whether every row has a value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub constraints: Option<Constraints>,
}

/// What holds of every value of a column.
#[derive(Debug, Serialize, Deserialize)]
pub struct Constraints {
    /// Whether every row has one.
    pub required: bool,
}

/// A value with its label.
#[derive(Debug, Serialize, Deserialize)]
pub struct Labelled {
    /// The value.
    pub value: Value,
    /// What it means.
    pub label: String,
}

/// A column that refers to another table.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The columns.
    pub fields: Vec<String>,
    /// What they refer to.
    pub reference: Reference,
}

/// What a column refers to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reference {
    /// The table.
    pub resource: String,
    /// Its columns.
    pub fields: Vec<String>,
}

/// The data package of an extract.
pub(crate) fn describe(snapshot: &Snapshot, extract: &str, tables: &[Table]) -> Package {
    let release = &snapshot.release;
    let day = release.cut_off_day.to_string().replace('-', "");
    Package {
        profile: "https://datapackage.org/profiles/2.0/datapackage.json".to_owned(),
        name: format!("{}-{}", release.study, release.cut_off_day),
        id: extract.to_owned(),
        title: release.protocol.title.clone(),
        description: format!(
            "Pseudonymised records of consenting people in the study `{}`, {} tier, as of {}.",
            release.study, release.protocol.tier, release.cut_off_day
        ),
        version: format!("{}.{day}.0", release.protocol_version),
        created: release.cut_off.clone(),
        resources: tables.iter().map(resource).collect(),
    }
}

fn resource(table: &Table) -> Resource {
    let missing = |(_, code, label): &(&str, &str, &str)| Labelled {
        value: Value::String((*code).to_owned()),
        label: (*label).to_owned(),
    };
    let foreign_keys = table.references.iter().map(|(column, resource, field)| ForeignKey {
        fields: vec![column.clone()],
        reference: Reference { resource: resource.clone(), fields: vec![field.clone()] },
    });
    Resource {
        name: table.name.clone(),
        resource_type: "table".to_owned(),
        description: table.description.clone(),
        path: table.path.clone(),
        format: "csv".to_owned(),
        mediatype: "text/csv".to_owned(),
        encoding: "utf-8".to_owned(),
        bytes: table.bytes,
        hash: format!("sha256:{}", table.sha256),
        schema: Schema {
            profile: "https://datapackage.org/profiles/2.0/tableschema.json".to_owned(),
            fields: table.columns.iter().map(column).collect(),
            missing_values: MISSING.iter().map(missing).collect(),
            primary_key: table.key.clone(),
            foreign_keys: foreign_keys.collect(),
        },
    }
}

fn column(field: &Field) -> Column {
    let unit = field.unit.as_ref().map(|unit| format!("Unit: {unit}."));
    let parts: Vec<&str> = [field.description.as_deref(), unit.as_deref()].into_iter().flatten().collect();
    let labelled =
        field.codes.iter().map(|coded| Labelled { value: coded.code.clone(), label: coded.label.clone() });
    Column {
        name: field.name.clone(),
        holds: field.holds.as_str().to_owned(),
        title: field.label.clone(),
        description: parts.join(" "),
        categories: labelled.collect(),
        constraints: field.required.then_some(Constraints { required: true }),
    }
}
