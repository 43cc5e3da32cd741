//! `wayleave mapping submission`: the tables that were sent together, held to the rules of their
//! data set that look across rows and tables.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Shelf, TemporarySpool, failure};
use crate::base::finding::{Findings, Severity};
use crate::base::origin::Origin;
use crate::cli::input::{Bounds, Input};
use crate::cli::print::{Failure, finding_json};
use crate::cli::{Context, Exit};
use crate::format::reader::{self, Reader};
use crate::format::{At, Refused};
use crate::mapping::submission::rule::Rules;
use crate::mapping::submission::{Judged, Submission};
use crate::mapping::{Mapping, Outcome};

/// What `mapping submission` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The files, or folders of them: one CSV a table
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The rules
    #[arg(long, value_name = "RULES", default_value = "trust/mhsds-6")]
    rules: String,
}

pub(super) fn run(args: &Args, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let Some(rules) = shelf.library.rules(&args.rules).map_err(failure)? else {
        return Err(Failure::told(format!("there are no rules `{}`", args.rules))
            .hint("those of the mental health services data set are `trust/mhsds-6`"));
    };
    let mappings: Vec<Mapping> =
        rules.tables.iter().map(|table| shelf.mapping(&table.mapping)).collect::<Result<_, _>>()?;
    let mut submission = Submission::new(&rules);
    let mut findings = Findings::default();
    for path in files(&args.files)? {
        take(&path, &mappings, &mut submission, &mut findings)?;
    }
    let judged = submission.judge();
    findings.extend(judged.findings.clone());
    tell(&rules, &judged, &findings, context)?;
    let is_refused = findings.worst() == Some(Severity::Error);
    Ok(if is_refused { Exit::Findings } else { Exit::Done })
}

/// The files that are meant, folders opened, in the order of their names.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            let mut inside = Vec::new();
            for entry in std::fs::read_dir(path)? {
                let path = entry?.path();
                if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
                    inside.push(path);
                }
            }
            inside.sort();
            files.extend(inside);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn take(
    path: &Path,
    mappings: &[Mapping],
    submission: &mut Submission<'_>,
    findings: &mut Findings,
) -> Result<(), Failure> {
    for (table, mapping) in mappings.iter().enumerate() {
        let input = Input::open(path)?;
        let file = Origin::file(&input.name);
        let opened = reader::open(input.source, &mapping.settings, &file, &TemporarySpool);
        let mut units = match opened {
            Ok(units) => units,
            Err(Refused::Machine(error)) => return Err(Failure::new(&error)),
            Err(Refused::File(_)) => continue,
        };
        let Ok(bounds) = Bounds::of(mapping, units.headers(), &file) else { continue };
        let columns: Vec<Option<At>> =
            units.headers().first().map(|header| submission.columns(table, header)).unwrap_or_default();
        submission.open(table, mapping, &file);
        return rows(&mut units, &bounds, (table, &columns), (submission, findings), &file);
    }
    Err(Failure::told(format!("{} is no table of these rules", path.display()))
        .hint("one CSV a table, under the names of the data set's elements; the 22 tables are in `wayleave mapping list`"))
}

fn rows(
    units: &mut Reader,
    bounds: &Bounds,
    (table, columns): (usize, &[Option<At>]),
    (submission, findings): (&mut Submission<'_>, &mut Findings),
    file: &Origin,
) -> Result<(), Failure> {
    while let Some(arrival) = units.next()? {
        let Some(bound) = bounds.of_place(&arrival.place) else { continue };
        let reading = bound.read(&arrival, file);
        for finding in reading.findings {
            findings.push(finding);
        }
        let is_valid = !matches!(reading.outcome, Outcome::Rejected | Outcome::Quarantined);
        submission
            .take(table, columns, &arrival, is_valid)
            .map_err(|error| Failure::new(&error).hint("judge the months one by one"))?;
    }
    for finding in units.findings().kept() {
        findings.push(finding.clone());
    }
    Ok(())
}

fn tell(rules: &Rules, judged: &Judged, findings: &Findings, context: &Context) -> Result<(), Failure> {
    let kept = findings.kept();
    if context.print.is_json {
        let tables: Vec<_> = judged
            .tables
            .iter()
            .map(|(table, rows, valid)| json!({"table": table, "rows": rows, "valid": valid}))
            .collect();
        let missing: Vec<_> =
            judged.missing.iter().map(|(table, codes)| json!({"table": table, "rules": codes})).collect();
        let found: Vec<_> = kept
            .iter()
            .map(|finding| {
                let mut line = finding_json(finding, None);
                line.insert("file".to_owned(), json!(finding.origin.file.as_deref()));
                line
            })
            .collect();
        return context.print.json(&json!({
            "version": rules.version, "tables": tables, "missing": missing,
            "found": findings.total(), "findings": found,
        }));
    }
    for finding in kept {
        context.print.data(format_args!("{:7}  {finding}", finding.severity.as_str()))?;
    }
    for (table, rows, valid) in &judged.tables {
        context.print.data(format_args!("{table}: {rows} rows, {valid} valid"))?;
    }
    for (table, codes) in &judged.missing {
        context.print.note(format_args!("without {table} these rules were not judged: {}", codes.join(", ")));
    }
    if findings.total() > u64::try_from(kept.len())? {
        context.print.note(format_args!("{} findings in all; the first are shown", findings.total()));
    }
    Ok(())
}
