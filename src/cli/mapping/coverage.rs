//! `wayleave mapping coverage`: what a mapping never makes use of.

use std::path::PathBuf;

use serde_json::json;

use super::{Shelf, TemporarySpool};
use crate::base::origin::Origin;
use crate::cli::input::{Bounds, Input};
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::format::{Refused, reader};
use crate::mapping::Mapping;
use crate::mapping::coverage::{ColumnAt, Coverage, FieldAt, Report};

/// Codes of one list that are named; `--json` names all.
const CODES_NAMED_MAX: usize = 6;

/// What `mapping coverage` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Mapping, by name or file; all where none is given
    #[arg(value_name = "MAPPING")]
    mapping: Option<String>,
    /// A file to look at beside the cases
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// End in 1 where there is a field that no case sets
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(args: &Args, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let wanted = args.mapping.as_ref().map_or_else(|| shelf.names(), |name| vec![name.clone()]);
    let mut exit = Exit::Done;
    let mut all = Vec::new();
    for name in &wanted {
        let mapping = shelf.mapping(name)?;
        let (cases, by_cases) = by_cases(shelf, name, &mapping)?;
        let by_file = args.file.as_ref().map(|file| by_file(&mapping, file, context)).transpose()?;
        if args.strict && !by_cases.unset.is_empty() {
            exit = Exit::Findings;
        }
        if context.print.is_json {
            all.push(json!({
                "mapping": mapping.name, "version": mapping.version, "cases": cases,
                "by_cases": by_cases, "by_file": by_file, "lossy": mapping.notes,
            }));
            continue;
        }
        context.print.data(format_args!(
            "{name}: {cases} cases, {} units, {} accepted",
            by_cases.units, by_cases.accepted
        ))?;
        // Of all mappings, only what has to be mended; of one, everything.
        if args.mapping.is_none() {
            show_unset(&by_cases, "case", context)?;
            continue;
        }
        show(&by_cases, "case", context)?;
        for note in &mapping.notes {
            context.print.data(format_args!("  lossy: {note}"))?;
        }
        if let (Some(report), Some(file)) = (&by_file, &args.file) {
            context.print.data(format_args!(
                "{}: {} units, {} accepted",
                file.display(),
                report.units,
                report.accepted
            ))?;
            show(report, "unit of the file", context)?;
        }
    }
    if context.print.is_json {
        context.print.json(&all)?;
    } else if args.mapping.is_none() {
        context.print.note("name a mapping to see columns, codes and branches too");
    }
    Ok(exit)
}

fn by_cases(shelf: &Shelf, name: &str, mapping: &Mapping) -> Result<(usize, Report), Failure> {
    let cases = shelf.cases(name)?.map(|cases| cases.cases).unwrap_or_default();
    let mut coverage = Coverage::of(mapping);
    for case in &cases {
        coverage.take_case(case);
    }
    Ok((cases.len(), coverage.report()))
}

fn by_file(mapping: &Mapping, path: &std::path::Path, context: &Context) -> Result<Report, Failure> {
    let input = Input::open(path)?;
    let file = Origin::file(&input.name);
    let refused = |findings: crate::base::finding::Findings| {
        let told: Vec<String> = findings.kept().iter().map(ToString::to_string).collect();
        Failure::told(told.join("\n")).hint("a file is looked at through a mapping that can read it")
    };
    let opened = reader::open(input.source, &mapping.settings, &file, &TemporarySpool);
    let mut units = opened.map_err(|why| match why {
        Refused::File(findings) => refused(findings),
        Refused::Machine(error) => Failure::new(&error),
    })?;
    let bounds = Bounds::of(mapping, units.headers(), &file).map_err(refused)?;
    let mut coverage = Coverage::of(mapping);
    for header in units.headers() {
        coverage.take_header(header);
    }
    let bar = context.print.progress(0, "units");
    while let Some(arrival) = units.next()? {
        if let Some(bound) = bounds.of_place(&arrival.place) {
            let _reading = coverage.take(bound, &arrival, &file);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(coverage.report())
}

fn show(report: &Report, unit: &str, context: &Context) -> Result<(), Failure> {
    let list = |what: &str, columns: &[ColumnAt]| match columns {
        [] => Ok(()),
        columns => context.print.data(format_args!("  {what}: {}", named(columns))),
    };
    list("never read by the mapping", &report.unread)?;
    list(&format!("filled in no {unit}"), &report.blank)?;
    show_unset(report, unit, context)?;
    for codes in &report.codes {
        let names: Vec<String> =
            codes.unmet.iter().take(CODES_NAMED_MAX).map(|word| format!("`{word}`")).collect();
        let more = codes.unmet.len().saturating_sub(CODES_NAMED_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        context.print.data(format_args!(
            "  in no {unit}: {} of {} words of `{}`, for {}: {}{more}",
            codes.unmet.len(),
            codes.words,
            codes.list,
            place(&codes.at),
            names.join(", ")
        ))?;
    }
    for branch in &report.branches {
        let field = branch.field.map(|field| format!(".{field}")).unwrap_or_default();
        context.print.data(format_args!(
            "  tried by no {unit}: record {} ({}{field}){}: {}",
            branch.record,
            branch.kind,
            on(branch.sheet.as_deref()),
            branch.branch
        ))?;
    }
    Ok(())
}

fn show_unset(report: &Report, unit: &str, context: &Context) -> Result<(), Failure> {
    for (index, field) in report.unset.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| report.unset.get(before));
        let is_same = |other: &FieldAt| (other.record, &other.sheet) == (field.record, &field.sheet);
        if before.is_none_or(|before| !is_same(before)) {
            let of_record = report.unset.iter().filter(|other| is_same(other));
            let names: Vec<&str> = of_record.map(|field| field.field).collect();
            context.print.data(format_args!(
                "  set by no {unit}: record {} ({}){}: {}",
                field.record,
                field.kind,
                on(field.sheet.as_deref()),
                names.join(", ")
            ))?;
        }
    }
    Ok(())
}

/// One of the sheets of a record that is read from several.
fn on(sheet: Option<&str>) -> String {
    sheet.map(|sheet| format!(" on sheet `{sheet}`")).unwrap_or_default()
}

fn place(at: &FieldAt) -> String {
    format!("record {} ({}.{})", at.record, at.kind, at.field)
}

/// Columns, those of one sheet together.
fn named(columns: &[ColumnAt]) -> String {
    let mut text = String::new();
    let mut sheet = None;
    for column in columns {
        if !text.is_empty() {
            text.push_str(if sheet == column.sheet.as_ref() { ", " } else { "; " });
        }
        if let (Some(name), true) = (&column.sheet, sheet != column.sheet.as_ref()) {
            text.push_str(&format!("{name}: "));
        }
        text.push_str(&column.name);
        sheet = column.sheet.as_ref();
    }
    text
}
