//! `README.md`: what a researcher must know before the first table is opened.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::evaluation::extract::cell::MISSING;
use crate::evaluation::extract::table::Table;
use crate::evaluation::store::standing::Snapshot;

/// The README of an extract.
pub(crate) fn write(snapshot: &Snapshot, extract: &str, tables: &[Table], people: u64) -> String {
    let mut text = String::new();
    // Writing to memory does not fail.
    let _written = begin(&mut text, snapshot, extract, people)
        .and_then(|()| counts(&mut text, snapshot, tables))
        .and_then(|()| sources(&mut text, snapshot))
        .and_then(|()| end(&mut text, snapshot));
    text
}

fn begin(text: &mut String, snapshot: &Snapshot, extract: &str, people: u64) -> fmt::Result {
    let release = &snapshot.release;
    let protocol = &release.protocol;
    writeln!(text, "# {}\n", protocol.title)?;
    writeln!(
        text,
        "Records of the {people} people who consented to this study, as of {}, pseudonymised and \
         released to `{}`.\n",
        release.cut_off_day, release.recipient
    )?;
    writeln!(text, "| | |\n|---|---|")?;
    writeln!(text, "| Extract | `{extract}` |")?;
    writeln!(text, "| Study | `{}`, protocol version {} |", release.study, release.protocol_version)?;
    writeln!(text, "| Release | `{}` |", release.release)?;
    writeln!(text, "| Tier | {} |", protocol.tier)?;
    writeln!(text, "| Records and consents up to | {} |", release.cut_off)?;
    let rows = [
        ("Purpose", protocol.purpose.clone()),
        ("Questions to", protocol.contact.clone()),
        ("Destroy every copy by", protocol.destroy_by.map(|day| day.to_string())),
    ];
    for (label, value) in rows {
        if let Some(value) = value {
            writeln!(text, "| {label} | {value} |")?;
        }
    }
    text.push_str(
        "\n## The law\n\n\
         These are personal data, and re-identifying anyone is an offence: under section 171 of the Data \
         Protection Act 2018 it is an offence knowingly or recklessly to re-identify information that is \
         de-identified personal data without the consent of the controller who de-identified it. Do not try \
         to find out who anyone is, do not link these tables to other data about people unless the \
         agreement says so, and keep them where the agreement says.\n\n\
         When someone withdraws, they leave the evaluation store and every later extract. Destroy every \
         earlier copy then, and say so to the office named above.\n",
    );
    Ok(())
}

fn counts(text: &mut String, snapshot: &Snapshot, tables: &[Table]) -> fmt::Result {
    let totals = &snapshot.release.totals;
    text.push_str(
        "\n## Tables\n\n\
         The gateway says with each release how many records must stand, and an extract is built only if \
         exactly that many do.\n\n\
         | table | one row is | rows | the gateway's count |\n|---|---|---|---|\n",
    );
    for table in tables {
        let total = match table.name.as_str() {
            "person" => totals.get("people"),
            name => totals.get(name),
        };
        let total = match total {
            Some(total) => total.to_string(),
            None if table.key.is_empty() => "-".to_owned(),
            None => "0".to_owned(),
        };
        let described = table.description.trim_end_matches('.').replace('|', "/");
        writeln!(text, "| [`{}`]({}) | {described} | {} | {total} |", table.name, table.path, table.rows)?;
    }
    text.push_str(
        "\nEverybody has a row in `person`, also those of whom nothing else is recorded. Tables are joined by \
         `pseudonym`. A pseudonym, and the pseudonym of a record, is the same in every release of this \
         study until the study's key is changed, and in no other study. Tables are sorted by pseudonym and record, so the order says \
         nothing.\n\n\
         Columns, types, labels and codes stand in `datapackage.json` (Data Package 2.0) and, as a table, in \
         `codebook.csv`. Files are UTF-8 with CR LF (RFC 4180), days are `YYYY-MM-DD`. A text that a \
         spreadsheet would run as a formula has an apostrophe before it.\n\n\
         | cell | why there is no value |\n|---|---|\n",
    );
    for (_, code, label) in MISSING {
        let code = if code.is_empty() { "(blank)" } else { code };
        writeln!(text, "| {code} | {label} |")?;
    }
    Ok(())
}

fn sources(text: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let release = &snapshot.release;
    text.push_str(
        "\n## How people were linked\n\n\
         A person is one or more subjects: one for each source that knows them. Subjects were linked by \
         fixed rules on identifiers that never leave the gateway; whoever's identity is in doubt was not \
         released.\n\n",
    );
    table(text, "what", release.linkage.iter().map(|(name, value)| (name, value.to_string())))?;
    text.push_str("\n## What was sent, and what was withheld\n\nMessages sent in this release:\n\n");
    table(text, "kind", shown(&release.counts))?;
    if release.withheld.is_empty() {
        text.push_str("\nNothing was withheld that the protocol would have let through.\n");
    } else {
        text.push_str("\nWithheld, by reason:\n\n");
        table(text, "reason", shown(&release.withheld))?;
    }
    text.push_str("\n## What read the sources\n\n| mapping | version | SHA-256 |\n|---|---|---|\n");
    for mapping in &release.mappings {
        writeln!(text, "| {} | {} | `{}` |", mapping.name, mapping.version, mapping.hash)?;
    }
    Ok(())
}

fn shown(counts: &BTreeMap<String, i64>) -> impl Iterator<Item = (&String, String)> {
    counts.iter().map(|(name, count)| (name, count.to_string()))
}

fn table<'n>(
    text: &mut String,
    heading: &str,
    rows: impl Iterator<Item = (&'n String, String)>,
) -> fmt::Result {
    writeln!(text, "| {heading} | number |\n|---|---|")?;
    for (name, number) in rows {
        writeln!(text, "| {} | {number} |", name.replace(['_', '-'], " "))?;
    }
    Ok(())
}

fn end(text: &mut String, snapshot: &Snapshot) -> fmt::Result {
    text.push_str(
        "\n## How to verify\n\n\
         - `wayleave extract verify FOLDER` checks every file against `manifest.json` and every table against \
         `datapackage.json`. It needs neither network nor database.\n\
         - `sha256sum -c SHA256SUMS` checks the files without Wayleave.\n\
         - `frictionless validate datapackage.json` checks the tables without Wayleave.\n\n",
    );
    let size = snapshot.release.checkpoint.get("size").map(ToString::to_string).unwrap_or_default();
    writeln!(
        text,
        "`manifest.json` also holds the signed head of the gateway's audit log at {size} entries, and the \
         proof that this release stands in it. Keep it: nobody can rewrite that log afterwards without \
         contradicting you."
    )
}
