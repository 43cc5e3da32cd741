//! `wayleave mapping draft`: a proposed mapping for a file that has none.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Shelf, look};
use crate::base::limit::DRAFT_UNITS_MAX;
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::format::settings::{CsvSettings, FormatKind, Settings, XlsxSettings};
use crate::mapping::diagnostic::Source;
use crate::mapping::draft::{Unknown, draft};
use crate::mapping::profile::Profile;

/// What `mapping draft` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A text table (CSV) or workbook (.xlsx) that no mapping reads yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// File to write the mapping to; standard output where none is given
    #[arg(value_name = "OUT")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let settings = Settings::new(format_of(&args.file)?);
    let is_workbook = matches!(settings.format, FormatKind::Xlsx(_));
    let hint = "a draft is made of a table whose first row names its columns";
    let mut units = look::open(&args.file, &settings, hint)?;
    let mut profile = Profile::new(Box::new(|_, _| true));
    look::profile(&mut units, &mut profile, DRAFT_UNITS_MAX, context)?;
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let unknown = Unknown { name: &name, is_workbook, profile: &profile };
    let drafted = draft(&shelf.library, &unknown).map_err(|faults| Failure::new(&faults))?;
    // What does not compile would be no help to anybody.
    let source = Source::new("the draft", &drafted.text);
    shelf.library.compile(&source).map_err(super::failure)?;
    if let Some(path) = &args.output {
        if path.exists() {
            return Err(Failure::told(format!("{} is there already", path.display()))
                .hint("name another file; a draft overwrites nothing"));
        }
        std::fs::write(path, &drafted.text)
            .map_err(|error| Failure::told(format!("{}: {error}", path.display())))?;
    }
    if context.print.is_json {
        let columns: Vec<_> = drafted
            .proposals
            .iter()
            .map(|proposal| {
                json!({
                    "sheet": proposal.sheet, "column": proposal.column, "holds": proposal.holds,
                    "becomes": proposal.becomes, "taken_for": proposal.taken_for,
                    "confidence": proposal.confidence,
                })
            })
            .collect();
        let models: Vec<_> =
            drafted.models.iter().map(|(sheet, model)| json!({"sheet": sheet, "model": model})).collect();
        context.print.json(&json!({"models": models, "columns": columns, "mapping": drafted.text}))?;
        return Ok(Exit::Done);
    }
    if args.output.is_none() {
        context.print.data(drafted.text.trim_end())?;
    }
    let given = drafted.proposals.iter().filter(|proposal| !proposal.becomes.is_empty()).count();
    context.print.note(format_args!(
        "{given} of {} columns are given a field, by {} units; what is left to decide stands at the top",
        drafted.proposals.len(),
        profile.total()
    ));
    Ok(Exit::Done)
}

/// A workbook is a ZIP file; anything else is read as a text table, unless it says otherwise.
fn format_of(path: &Path) -> Result<FormatKind, Failure> {
    let told = |why: String| Failure::told(format!("{}: {why}", path.display()));
    let mut first = Vec::new();
    let file = File::open(path).map_err(|error| told(error.to_string()))?;
    file.take(8).read_to_end(&mut first).map_err(|error| told(error.to_string()))?;
    let is_tree =
        first.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| b"{[<".contains(byte));
    if is_tree || first.starts_with(b"MSH") {
        return Err(told("is no table".to_owned()).hint(
            "a draft is made of a text table or a workbook; JSON, XML and messages are mapped by hand",
        ));
    }
    Ok(if first.starts_with(b"PK") {
        FormatKind::Xlsx(XlsxSettings::default())
    } else {
        FormatKind::Csv(CsvSettings::default())
    })
}
