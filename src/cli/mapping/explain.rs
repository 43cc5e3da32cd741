//! `wayleave mapping explain`: where the value of one field comes from.

mod written;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Shelf, TemporarySpool, look};
use crate::base::finding::{Finding, Findings};
use crate::base::origin::Origin;
use crate::base::private::{Grant, Receipt, Show};
use crate::cli::input::{Bounds, Input};
use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::format::{Place, Refused, reader};
use crate::gateway::explain::{Kept, explain};
use crate::mapping::explain::{Came, Explained, Told};
use crate::mapping::{Mapping, Outcome};
use crate::record::kind::Kind;
use crate::store::audit;

/// Letters of a mapping's hash that are told: enough to tell any two apart.
const HASH_LETTERS: usize = 12;

/// What `mapping explain` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The file; or name a record that is kept, however it came
    #[arg(value_name = "FILE", required_unless_present = "record", requires = "row")]
    file: Option<PathBuf>,
    /// Line of a text file, row of a sheet, ordinal of a message or resource
    #[arg(long, value_name = "N")]
    row: Option<u64>,
    /// A record of the gateway: of a file, an event, a message over MLLP or out of a mailbox
    #[arg(long, value_name = "RECORD", conflicts_with_all = ["file", "row", "sheet", "mapping"])]
    record: Option<String>,
    /// That version of the record; the current one where it is left out
    #[arg(long, value_name = "N", requires = "record")]
    number: Option<i64>,
    /// A record of a restricted person too; for named roles alone, and the audit has that you looked
    #[arg(long, requires = "record")]
    restricted: bool,
    /// Field of a record, such as `nhs_number` or `person.nhs_number`
    #[arg(long)]
    field: String,
    /// The mapping to read through; the one that takes the row where none is named
    #[arg(long, value_name = "MAPPING")]
    mapping: Option<String>,
    /// Sheet of a workbook
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// Also how it is written in the layout of this mapping, and what that loses
    #[arg(long, value_name = "MAPPING")]
    to: Option<String>,
    /// Show identifying values too; how many is said
    #[arg(long)]
    show: bool,
}

/// What a mapping made of the row.
struct Found {
    mapping: Mapping,
    rows: Vec<Row>,
    /// Where it would be written.
    to: Option<Mapping>,
}

/// One row that was asked for: a workbook may have one on each sheet.
struct Row {
    place: Place,
    outcome: Outcome,
    findings: Vec<Finding>,
    explained: Vec<Explained>,
}

/// A row of a file that is asked for.
struct Wanted<'a> {
    file: &'a Path,
    row: u64,
    sheet: Option<&'a str>,
    kind: Option<Kind>,
    field: &'a str,
}

pub(super) fn run(args: &Args, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let (kind, field) = wanted(&args.field)?;
    if let Some(record) = &args.record {
        return of_record(record, (kind, field), args, shelf, context);
    }
    let (Some(file), Some(row)) = (&args.file, args.row) else {
        return Err(Failure::told("it is not said which row of which file").hint("add FILE and --row"));
    };
    let wanted = Wanted { file, row, sheet: args.sheet.as_deref(), kind, field };
    let to = args.to.as_ref().map(|name| shelf.mapping(name)).transpose()?;
    let mut found = match &args.mapping {
        Some(name) => read(shelf.mapping(name)?, &wanted)??,
        None => guess(shelf, &wanted, &args.field)?,
    };
    if found.mapping.explain(kind, field).is_empty() {
        return Err(no_such_field(&found.mapping, &args.field));
    }
    if found.rows.is_empty() {
        return Err(Failure::told(format!("{} has no row {row}", file.display()))
            .hint("rows are counted as findings count them: the header is one of them"));
    }
    found.to = to;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    told(&found, &name, args, context)?;
    Ok(Exit::Done)
}

/// A record that is kept: what it was read from is opened again.
fn of_record(
    record: &str,
    (kind, field): (Option<Kind>, &str),
    args: &Args,
    shelf: &Shelf,
    context: &Context,
) -> Result<Exit, Failure> {
    let to = args.to.as_ref().map(|name| shelf.mapping(name)).transpose()?;
    let config = context.config()?;
    let gateway = open(&config, &context.edge, Opening::Existing)?;
    let by = args.restricted.then_some(gateway.actor.as_str());
    let kept = explain(&gateway, record, args.number, field, by).map_err(|error| Failure::new(&error))?;
    if kind.is_some_and(|kind| kind != kept.kind) || kept.mapping.explain(Some(kept.kind), field).is_empty() {
        return Err(no_such_field(&kept.mapping, &args.field));
    }
    let name = format!("{}, {}", kept.feed, kept.batch);
    let Kept { mapping, place, outcome, findings, explained, .. } = kept;
    let found = Found { mapping, rows: vec![Row { place, outcome, findings, explained }], to };
    if let Some(receipt) = told(&found, &name, args, context)? {
        let now = gateway.edge.now();
        let noted = gateway.store.write(|tx| audit::append(tx, &receipt, "explain", record, now));
        noted.map_err(|error| Failure::new(&error))?;
    }
    Ok(Exit::Done)
}

/// Prints what was found; gives what was opened for it.
fn told(found: &Found, name: &str, args: &Args, context: &Context) -> Result<Option<Receipt>, Failure> {
    let grant = args.show.then(|| Grant::<Show>::begin("cli"));
    let told = if context.print.is_json {
        context.print.json(&as_json(found, name, grant.as_ref()))
    } else {
        show(found, (name, &args.field), context, grant.as_ref())
    };
    let receipt = grant.map(Grant::close);
    if let Some(receipt) = &receipt {
        context
            .print
            .note(format_args!("identifying values opened: {}, for `{}`", receipt.opened, receipt.purpose));
    }
    told.map(|()| receipt)
}

fn wanted(field: &str) -> Result<(Option<Kind>, &str), Failure> {
    let Some((kind, field)) = field.split_once('.') else { return Ok((None, field)) };
    let known = kind.parse::<Kind>().map_err(|_unknown| {
        let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        Failure::told(format!("there is no kind of record `{kind}`"))
            .hint(format!("one of {}", names.join(", ")))
    });
    known.map(|kind| (Some(kind), field))
}

fn no_such_field(mapping: &Mapping, field: &str) -> Failure {
    let mut names: Vec<String> = Vec::new();
    for block in &mapping.blocks {
        for rule in &block.rules {
            let name = format!("{}.{}", block.kind, rule.field.name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Failure::told(format!("`{}` sets no field `{field}`", mapping.name))
        .hint(format!("it sets {}", names.join(", ")))
}

/// Runs a mapping over the file as far as the row; the inner failure says why it does not read
/// the file at all.
fn read(mapping: Mapping, wanted: &Wanted<'_>) -> Result<Result<Found, Failure>, Failure> {
    let input = Input::open(wanted.file)?;
    let file = Origin::file(&input.name);
    let told = |findings: Findings| {
        let told: Vec<String> = findings.kept().iter().map(ToString::to_string).collect();
        Failure::told(told.join("\n")).hint("name the mapping of this file with --mapping")
    };
    let mut units = match reader::open(input.source, &mapping.settings, &file, &TemporarySpool) {
        Ok(units) => units,
        Err(Refused::Machine(error)) => return Err(Failure::new(&error)),
        Err(Refused::File(findings)) => return Ok(Err(told(findings))),
    };
    let bounds = match Bounds::of(&mapping, units.headers(), &file) {
        Ok(bounds) => bounds,
        Err(findings) => return Ok(Err(told(findings))),
    };
    let mut rows = Vec::new();
    while let Some(arrival) = units.next()? {
        // But for sheets, each of which begins anew, nothing that is wanted comes after the row.
        if arrival.place.sheet.is_none() && arrival.place.line > wanted.row {
            break;
        }
        let is_on = wanted.sheet.is_none_or(|sheet| arrival.place.sheet.as_deref() == Some(sheet));
        if arrival.place.line != wanted.row || !is_on {
            continue;
        }
        let Some(bound) = bounds.of_place(&arrival.place) else { continue };
        let (explained, reading) = mapping.explain_unit(bound, &arrival, &file, wanted.kind, wanted.field);
        rows.push(Row {
            place: arrival.place.clone(),
            outcome: reading.outcome,
            findings: reading.findings,
            explained,
        });
    }
    // On a workbook, the sheets that have the field are meant.
    if rows.iter().any(|row| !row.explained.is_empty()) {
        rows.retain(|row| !row.explained.is_empty());
    }
    Ok(Ok(Found { mapping, rows, to: None }))
}

/// The one mapping at hand that reads the file and takes the row.
fn guess(shelf: &Shelf, wanted: &Wanted<'_>, named: &str) -> Result<Found, Failure> {
    if wanted.file.as_os_str() == "-" {
        return Err(Failure::told("which mapping standard input is of is not said").hint("add --mapping"));
    }
    let mut fitting = Vec::new();
    for name in shelf.names() {
        if let Ok(found) = read(shelf.mapping(&name)?, wanted)? {
            let is_taken = |row: &Row| row.outcome != Outcome::Filtered && !row.explained.is_empty();
            if found.rows.iter().any(is_taken) {
                fitting.push(found);
            }
        }
    }
    // Of several, those that make a record of the row; of several again, the one that takes the most of
    // the file: a row may read alike in two releases of a layout.
    let is_accepted = |found: &Found| {
        found.rows.iter().any(|row| row.outcome == Outcome::Records && !row.explained.is_empty())
    };
    if fitting.iter().any(is_accepted) {
        fitting.retain(is_accepted);
    }
    if fitting.len() > 1 {
        let best = look::best(shelf, wanted.file)?;
        if fitting.iter().any(|found| best.iter().any(|one| one.name == found.mapping.name)) {
            fitting.retain(|found| best.iter().any(|one| one.name == found.mapping.name));
        }
    }
    let names: Vec<String> = fitting.iter().map(|found| format!("`{}`", found.mapping.name)).collect();
    let mut fitting = fitting.into_iter();
    match (fitting.next(), fitting.next()) {
        (Some(found), None) => Ok(found),
        (None, _) => Err(Failure::told(format!(
            "no mapping at hand reads `{named}` from row {} of {}",
            wanted.row,
            wanted.file.display()
        ))
        .hint("name the mapping with --mapping, to be told what is in the way")),
        (Some(_), Some(_)) => Err(Failure::told(format!("several mappings read it: {}", names.join(", ")))
            .hint("name one with --mapping")),
    }
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Rejected => "rejected",
        Outcome::Quarantined => "quarantined",
        Outcome::Filtered => "filtered",
        Outcome::Records => "accepted",
    }
}

fn hash(mapping: &Mapping) -> String {
    mapping.hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn show(
    found: &Found,
    (name, field): (&str, &str),
    context: &Context,
    grant: Option<&Grant<Show>>,
) -> Result<(), Failure> {
    let mapping = &found.mapping;
    let short: String = hash(mapping).chars().take(HASH_LETTERS).collect();
    context.print.data(format_args!("mapping  {} version {} ({short})", mapping.name, mapping.version))?;
    for row in &found.rows {
        let origin = row.place.origin(&Origin::file(name));
        context.print.data(format_args!("row      {origin}: {}", word(row.outcome)))?;
        for finding in &row.findings {
            context.print.data(format_args!("finding  {finding}"))?;
        }
        if row.explained.is_empty() {
            context.print.data(format_args!("\nno record that holds `{field}` is made of this row"))?;
        }
        for explained in &row.explained {
            context.print.data("")?;
            for line in lines(explained, grant) {
                context.print.data(line)?;
            }
            for line in found.to.iter().flat_map(|to| written::lines(explained, to, grant)) {
                context.print.data(line)?;
            }
        }
    }
    Ok(())
}

fn lines(explained: &Explained, grant: Option<&Grant<Show>>) -> Vec<String> {
    let lineage = &explained.lineage;
    let mut out =
        vec![format!("{}.{} of record {} of the mapping", lineage.kind, lineage.field, lineage.record)];
    let mut cells = explained.cells.iter();
    for from in &lineage.from {
        let told = cells.next().map_or_else(|| "(not read)".to_owned(), |told| told.text(grant));
        out.push(format!("  from   `{from}`: {told}"));
    }
    let mut steps = explained.steps.iter();
    for step in &lineage.steps {
        let told = steps.next().map_or_else(|| "not reached, or refused".to_owned(), |told| told.text(grant));
        out.push(format!("  {:6} {} ({}): {told}", "as", step.written, step.about));
    }
    if let Some(list) = &lineage.codes {
        out.push(format!("  codes  {}, version {}, {}", list.name, list.version, list.date));
        out.push(format!("         {}", list.source));
    }
    match explained.comes_back.as_deref() {
        None => {}
        Some("") => {
            out.push("  lossy  several words stand for this one, and none is written back".to_owned());
        }
        Some(back) => out.push(format!("  lossy  written back as `{back}`")),
    }
    let privacy = lineage.privacy.as_str();
    out.push(match &explained.came {
        Came::Nothing => "  gives  nothing: the field is left out".to_owned(),
        Came::Read(told) => format!("  gives  {} ({privacy})", told.text(grant)),
        Came::Fixed(told) if lineage.is_constant => {
            format!("  gives  {} ({privacy}), a constant of the mapping", told.text(grant))
        }
        Came::Fixed(told) => format!("  gives  {} ({privacy}), which stands for a blank", told.text(grant)),
        Came::Refused { code, expected } => format!("  gives  a finding: {expected} [{}]", code.as_str()),
    });
    out
}

fn as_json(found: &Found, name: &str, grant: Option<&Grant<Show>>) -> Value {
    let mapping = &found.mapping;
    let rows: Vec<Value> = found
        .rows
        .iter()
        .map(|row| {
            let findings: Vec<Value> = row
                .findings
                .iter()
                .map(|finding| json!({"code": finding.code.as_str(), "expected": finding.expected}))
                .collect();
            let fields: Vec<Value> = row
                .explained
                .iter()
                .map(|explained| field_json(explained, found.to.as_ref(), grant))
                .collect();
            json!({
                "sheet": row.place.sheet.as_deref(), "row": row.place.line,
                "path": row.place.path.as_deref(), "outcome": word(row.outcome),
                "findings": findings, "fields": fields,
            })
        })
        .collect();
    json!({
        "file": name,
        "mapping": mapping.name, "version": mapping.version, "hash": hash(mapping), "rows": rows,
    })
}

fn field_json(explained: &Explained, to: Option<&Mapping>, grant: Option<&Grant<Show>>) -> Value {
    let lineage = &explained.lineage;
    let value = |told: Option<&Told>| told.map(|told| told.text(grant));
    let cells: Vec<Value> = lineage
        .from
        .iter()
        .enumerate()
        .map(|(index, from)| json!({"from": from, "holds": value(explained.cells.get(index))}))
        .collect();
    let steps: Vec<Value> = lineage
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            json!({"as": step.written, "about": step.about, "gives": value(explained.steps.get(index))})
        })
        .collect();
    let codes = lineage.codes.as_ref().map(
        |list| json!({"list": list.name, "source": list.source, "version": list.version, "date": list.date}),
    );
    let (gives, how, code) = match &explained.came {
        Came::Nothing => (None, "nothing", None),
        Came::Read(told) => (Some(told), "read", None),
        Came::Fixed(told) if lineage.is_constant => (Some(told), "constant", None),
        Came::Fixed(told) => (Some(told), "default", None),
        Came::Refused { code, .. } => (None, "refused", Some(code.as_str())),
    };
    json!({
        "record": lineage.record, "kind": lineage.kind.as_str(), "field": lineage.field,
        "privacy": lineage.privacy.as_str(), "cells": cells, "steps": steps, "codes": codes,
        "gives": value(gives), "how": how, "finding": code,
        "comes_back": explained.comes_back,
        "written": to.map(|to| written::as_json(explained, to, grant)),
    })
}
