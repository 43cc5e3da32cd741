//! The tables: one CSV a kind, sorted, and one for each whole-cohort table.
//!
//! UTF-8, RFC 4180 with CR LF, a header, ISO dates. Fields and their order come from the
//! protocol that closed the release.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::evaluation::door::Aggregate;
use crate::evaluation::door::protocol::{Field, Holds};
use crate::evaluation::extract::ExtractError;
use crate::evaluation::extract::cell;
use crate::evaluation::extract::folder::Part;
use crate::evaluation::extract::reconcile::people;
use crate::evaluation::store::StoreError;
use crate::evaluation::store::standing::{Snapshot, Standing};

/// A table that was written.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// What a row is.
    pub description: String,
    /// Path within the extract.
    pub path: String,
    /// Its columns, in order.
    pub columns: Vec<Field>,
    /// The columns that tell its rows apart; none for a whole-cohort table.
    pub key: Vec<String>,
    /// Columns that refer to the first column of another table.
    pub references: Vec<(String, String, String)>,
    /// Rows, without the header.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// SHA-256, in hexadecimal.
    pub sha256: String,
}

/// What every table of people is told apart by.
pub(crate) const PSEUDONYM: &str = "pseudonym";
const RECORD: &str = "record";
const SETTING: &str = "setting";
const PERSON: &str = "person";

/// One row before it is written: the keys, then what is there of the fields.
struct Row<'s> {
    keys: Vec<&'s str>,
    content: Option<&'s Standing>,
}

pub(crate) fn write_all(snapshot: &Snapshot, part: &mut Part) -> Result<Vec<Table>, ExtractError> {
    let protocol = &snapshot.release.protocol;
    let has_settings = protocol.kinds.iter().any(|released| released.kind == SETTING);
    let mut tables = vec![person(snapshot, part)?];
    for released in protocol.kinds.iter().filter(|released| released.kind != PERSON) {
        let mut table =
            Table::named(&released.kind, &released.description, &format!("data/{}.csv", released.kind));
        let rows: Vec<Row<'_>> = if released.kind == SETTING {
            table.key = vec![SETTING.to_owned()];
            table.columns.push(key(SETTING, "Setting", "Pseudonym of the care home, landlord or provider."));
            snapshot.settings.iter().map(|row| Row { keys: vec![&row.name], content: Some(row) }).collect()
        } else {
            table.key = vec![PSEUDONYM.to_owned(), RECORD.to_owned()];
            table.columns.push(key(PSEUDONYM, "Person", "Pseudonym of the person, the same in every table."));
            table.columns.push(key(RECORD, "Record", "Pseudonym of the record, the same in every release."));
            table.references.push((PSEUDONYM.to_owned(), PERSON.to_owned(), PSEUDONYM.to_owned()));
            let standing = snapshot.records.get(&released.kind).map(Vec::as_slice).unwrap_or_default();
            standing
                .iter()
                .map(|row| Row { keys: vec![&row.pseudonym, &row.name], content: Some(row) })
                .collect()
        };
        table.add_fields(&released.fields, has_settings);
        tables.push(table.write(part, &rows)?);
    }
    for aggregate in &snapshot.aggregates {
        tables.push(whole_cohort(aggregate, part)?);
    }
    Ok(tables)
}

/// Everybody has a row here, with or without a person record.
fn person(snapshot: &Snapshot, part: &mut Part) -> Result<Table, ExtractError> {
    let released = snapshot.release.protocol.kinds.iter().find(|released| released.kind == PERSON);
    let description = released.map_or("One row a person.", |released| &released.description);
    let mut table = Table::named(PERSON, description, "data/person.csv");
    table.key = vec![PSEUDONYM.to_owned()];
    table.columns.push(key(PSEUDONYM, "Person", "Pseudonym of the person, the same in every table."));
    let has_settings = snapshot.release.protocol.kinds.iter().any(|released| released.kind == SETTING);
    table.add_fields(released.map(|released| released.fields.as_slice()).unwrap_or_default(), has_settings);
    let records: BTreeMap<&str, &Standing> =
        snapshot.records.get(PERSON).into_iter().flatten().map(|row| (row.pseudonym.as_str(), row)).collect();
    let rows: Vec<Row<'_>> = people(snapshot)
        .into_iter()
        .map(|pseudonym| Row { keys: vec![pseudonym], content: records.get(pseudonym).copied() })
        .collect();
    table.write(part, &rows)
}

fn whole_cohort(aggregate: &Aggregate, part: &mut Part) -> Result<Table, ExtractError> {
    let described = aggregate.description.as_deref().or(aggregate.title.as_deref());
    let name = format!("aggregate-{}", aggregate.table);
    let mut table =
        Table::named(&name, described.unwrap_or("A whole-cohort table."), &format!("data/{name}.csv"));
    table.add_fields(&aggregate.columns, false);
    table.stream(part, |sheet| {
        for row in &aggregate.rows {
            sheet.row(&[], row, &Map::new())?;
        }
        Ok(())
    })
}

fn key(name: &str, label: &str, description: &str) -> Field {
    Field {
        name: name.to_owned(),
        holds: Holds::String,
        label: label.to_owned(),
        description: Some(description.to_owned()),
        unit: None,
        treatment: Some("pseudonym".to_owned()),
        required: true,
        refers_to: None,
        codes: Vec::new(),
    }
}

impl Table {
    fn named(name: &str, description: &str, path: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            path: path.to_owned(),
            columns: Vec::new(),
            key: Vec::new(),
            references: Vec::new(),
            rows: 0,
            bytes: 0,
            sha256: String::new(),
        }
    }

    fn add_fields(&mut self, fields: &[Field], has_settings: bool) {
        for field in fields {
            if has_settings && field.refers_to.as_deref() == Some(SETTING) {
                self.references.push((field.name.clone(), SETTING.to_owned(), SETTING.to_owned()));
            }
            self.columns.push(field.clone());
        }
    }

    fn write(self, part: &mut Part, rows: &[Row<'_>]) -> Result<Self, ExtractError> {
        self.stream(part, |sheet| {
            for row in rows {
                let fields = document(row.content.map(|content| content.fields.as_str()))?;
                let missing = document(row.content.and_then(|content| content.missing.as_deref()))?;
                sheet.row(&row.keys, &fields, &missing)?;
            }
            Ok(())
        })
    }

    fn stream(
        mut self,
        part: &mut Part,
        fill: impl FnOnce(&mut Sheet<'_, &mut dyn Write>) -> Result<(), ExtractError>,
    ) -> Result<Self, ExtractError> {
        let mut rows = 0;
        let written = part.stream(&self.path, |file| {
            let writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(file);
            let mut sheet = Sheet { table: &self, writer, rows: 0, unfit: BTreeMap::new() };
            sheet.header()?;
            fill(&mut sheet)?;
            rows = sheet.end()?;
            Ok(())
        })?;
        self.rows = rows;
        self.bytes = written.bytes;
        self.sha256 = written.sha256;
        Ok(self)
    }
}

fn document(text: Option<&str>) -> Result<Map<String, Value>, ExtractError> {
    let Some(text) = text else {
        return Ok(Map::new());
    };
    // The error could quote the document, so it is dropped.
    serde_json::from_str(text)
        .map_err(|_quoting| ExtractError::Store(StoreError::Document { what: "record" }))
}

/// A table while it is being written.
struct Sheet<'t, W: Write> {
    table: &'t Table,
    writer: csv::Writer<W>,
    rows: u64,
    unfit: BTreeMap<(String, String), u64>,
}

impl<W: Write> Sheet<'_, W> {
    fn header(&mut self) -> Result<(), ExtractError> {
        let mut seen = Vec::with_capacity(self.table.columns.len());
        for column in &self.table.columns {
            if seen.contains(&&column.name) {
                *self.unfit.entry((column.name.clone(), "a name of its own".to_owned())).or_default() += 1;
            }
            seen.push(&column.name);
        }
        self.writer.write_record(&seen).map_err(|error| self.failed(error))
    }

    /// Writes one row. The keys fill the first columns.
    fn row(
        &mut self,
        keys: &[&str],
        fields: &Map<String, Value>,
        missing: &Map<String, Value>,
    ) -> Result<(), ExtractError> {
        self.rows += 1;
        let known =
            |name: &String| self.table.columns.iter().skip(keys.len()).any(|column| column.name == *name);
        for name in fields.keys().filter(|name| !known(name)) {
            let expected = "a field that the protocol names".to_owned();
            *self.unfit.entry((name.clone(), expected)).or_default() += 1;
        }
        let mut cells: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        for column in self.table.columns.iter().skip(keys.len()) {
            let cell = match fields.get(&column.name) {
                Some(value) => cell::text(value, column),
                None => blank(column, missing.get(&column.name)),
            };
            cells.push(cell.unwrap_or_else(|expected| {
                *self.unfit.entry((column.name.clone(), expected)).or_default() += 1;
                String::new()
            }));
        }
        self.writer.write_record(&cells).map_err(|error| self.failed(error))
    }

    fn end(mut self) -> Result<u64, ExtractError> {
        self.writer.flush().map_err(|error| self.failed(error.into()))?;
        match self.unfit.pop_first() {
            Some(((field, expected), rows)) => {
                Err(ExtractError::Unfit { table: self.table.name.clone(), field, expected, rows })
            }
            None => Ok(self.rows),
        }
    }

    fn failed(&self, error: csv::Error) -> ExtractError {
        let source = match error.into_kind() {
            csv::ErrorKind::Io(source) => source,
            _ => std::io::ErrorKind::InvalidData.into(),
        };
        ExtractError::File { path: PathBuf::from(&self.table.path), source }
    }
}

fn blank(column: &Field, reason: Option<&Value>) -> Result<String, String> {
    if column.required {
        return Err("a value".to_owned());
    }
    match reason {
        None => Ok(String::new()),
        Some(reason) => reason
            .as_str()
            .and_then(cell::missing)
            .map(str::to_owned)
            .ok_or_else(|| "a known reason for having no value".to_owned()),
    }
}
