//! `codebook.csv`: every column, and every code of it, for those who read tables and not JSON.

use crate::evaluation::door::protocol::Field;
use crate::evaluation::extract::cell::MISSING;
use crate::evaluation::extract::table::Table;

const HEADER: [&str; 9] =
    ["table", "position", "column", "type", "label", "unit", "treatment", "code", "meaning"];

/// The codebook of these tables.
pub(crate) fn write(tables: &[Table]) -> Vec<u8> {
    let mut lines = vec![HEADER.map(str::to_owned)];
    for table in tables {
        for (index, field) in table.columns.iter().enumerate() {
            add(&mut lines, &table.name, index + 1, field);
        }
    }
    for (_, code, label) in MISSING {
        let all = ["(every table)", "", "(every column)", "", "No value", "", "", code, label];
        lines.push(all.map(str::to_owned));
    }
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for line in lines {
        // Writing to memory does not fail.
        let _written = writer.write_record(line);
    }
    writer.into_inner().unwrap_or_default()
}

fn add(lines: &mut Vec<[String; 9]>, table: &str, position: usize, field: &Field) {
    let line = |code: String, meaning: &str| {
        [
            table.to_owned(),
            position.to_string(),
            field.name.clone(),
            field.holds.as_str().to_owned(),
            field.label.clone(),
            field.unit.clone().unwrap_or_default(),
            field.treatment.clone().unwrap_or_default(),
            code,
            meaning.to_owned(),
        ]
    };
    lines.push(line(String::new(), field.description.as_deref().unwrap_or_default()));
    for coded in &field.codes {
        let code = coded.code.as_str().map_or_else(|| coded.code.to_string(), str::to_owned);
        lines.push(line(code, &coded.label));
    }
}
