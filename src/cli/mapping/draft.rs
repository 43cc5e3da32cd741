//! `wayleave mapping draft`: a proposed mapping for a file that has none.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Shelf, look};
use crate::base::limit::DRAFT_UNITS_MAX;
use crate::base::origin::Origin;
use crate::cli::input::Input;
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::format::settings::{FormatKind, Settings};
use crate::format::{Refused, Unit, outline};
use crate::mapping::diagnostic::Source;
use crate::mapping::draft::{Layout, Unknown, draft};
use crate::mapping::profile::Profile;
use crate::mapping::profile::list::Lists;

/// What `mapping draft` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// A text table (CSV), workbook (.xlsx), XML or JSON file that no mapping reads yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// File to write the mapping to; standard output where none is given
    #[arg(value_name = "OUT")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let (settings, layout) = found_out(&args.file)?;
    let hint = "a draft is made of a table whose first row names its columns, or of XML or JSON";
    let (mut profile, mut unclear) = (Profile::new(Box::new(|_, _| true)), Vec::new());
    if layout.is_tree() {
        // Which item of a list is meant has to be known before its places are.
        let lists = lists_of(&args.file, &settings, hint)?;
        let selectors = lists.selectors();
        unclear = selectors.unclear(&lists).map(str::to_owned).collect();
        profile = Profile::by_address(Box::new(|_, _| true), selectors);
    }
    let mut units = look::open(&args.file, &settings, hint)?;
    look::profile(&mut units, &mut profile, DRAFT_UNITS_MAX, context)?;
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let unknown = Unknown { name: &name, layout, profile: &profile, unclear };
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

/// What the file is, and how its mapping says so.
fn found_out(path: &Path) -> Result<(Settings, Layout), Failure> {
    let input = Input::open(path)?;
    let format = outline::find(input.source, &Origin::file(&input.name)).map_err(|why| match why {
        Refused::File(findings) => look::refused(&findings, "a draft is made of a file that can be read"),
        Refused::Machine(error) => Failure::new(&error),
    })?;
    let layout = match &format {
        FormatKind::Csv(_) => Layout::Table,
        FormatKind::Xlsx(_) => Layout::Workbook,
        FormatKind::Xml(xml) => Layout::Xml(xml.units.clone()),
        FormatKind::Json(json) if json.lines => Layout::Lines,
        FormatKind::Json(json) => Layout::Json(json.units.clone()),
        FormatKind::Fhir(_) => return Err(known(path, "FHIR", "trust/fhir")),
        FormatKind::Hl7v2(_) => return Err(known(path, "HL7 v2", "trust/adt")),
    };
    Ok((Settings::new(format), layout))
}

/// A standard says where everything stands: there is nothing to find out, and a mapping of it to begin with.
fn known(path: &Path, standard: &str, mapping: &str) -> Failure {
    Failure::told(format!("{} is {standard}, which {mapping} reads", path.display())).hint(format!(
        "`wayleave mapping coverage {mapping} {}` lists what it does not read; begin with a copy of it",
        path.display()
    ))
}

fn lists_of(path: &Path, settings: &Settings, hint: &str) -> Result<Lists, Failure> {
    let mut units = look::open(path, settings, hint)?;
    let mut lists = Lists::default();
    let mut taken = 0;
    while let Some(arrival) = units.next()? {
        if let Ok(Unit::Tree(tree) | Unit::Xml(tree)) = arrival.unit {
            lists.take(tree);
        }
        taken += 1;
        if taken >= DRAFT_UNITS_MAX {
            break;
        }
    }
    Ok(lists)
}
