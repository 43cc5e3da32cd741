//! `wayleave tracker new`: an empty tracker workbook to fill in.

use std::path::PathBuf;

use crate::base::edge::Edge;
use crate::base::limit::FORM_ROWS_MAX;
use crate::cli::mapping::Shelf;
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::format::writer::form;

/// What `tracker` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Make an empty workbook: drop-downs, date checks, notes, and a hidden id on each row
    New {
        /// The workbook to make
        #[arg(value_name = "FILE.xlsx")]
        file: PathBuf,
        /// The layout: a workbook mapping that lists its columns
        #[arg(long, value_name = "MAPPING", default_value = "housing/tracker")]
        mapping: String,
        /// Rows that are made ready on each sheet
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=i64::from(FORM_ROWS_MAX)))]
        rows: u32,
    },
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let Verb::New { file, mapping, rows } = &args.verb;
    let mapping = Shelf::open(context)?.mapping(mapping)?;
    let form = mapping.form(*rows, || row_id(&context.edge)).ok_or_else(|| {
        Failure::told(format!("`{}` is no layout of a workbook that lists its columns", mapping.name))
            .hint("`format.xlsx.columns` lists them, by sheet")
    })?;
    let told = |error: &dyn std::fmt::Display| Failure::told(format!("{}: {error}", file.display()));
    let mut out = std::fs::OpenOptions::new().write(true).create_new(true).open(file).map_err(|error| {
        told(&error).hint("name a file that is not there yet: a tracker that is in use is never overwritten")
    })?;
    form::write(&form, &mut out)?;
    out.sync_all().map_err(|error| told(&error))?;
    if context.print.is_json {
        let sheets: Vec<_> = form
            .sheets
            .iter()
            .map(|sheet| serde_json::json!({"sheet": sheet.name, "columns": sheet.columns.len(), "rows": sheet.rows}))
            .collect();
        context.print.json(&serde_json::json!({"file": file.display().to_string(), "mapping": mapping.name, "sheets": sheets}))?;
        return Ok(Exit::Done);
    }
    context.print.data(format_args!(
        "made {}: {} sheets, {rows} rows on each, in the layout of {}",
        file.display(),
        form.sheets.len(),
        mapping.name
    ))?;
    Ok(Exit::Done)
}

/// The id of one row: random, so that rows of two workbooks never share one.
fn row_id(edge: &Edge) -> String {
    let bytes: [u8; 8] = edge.bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
