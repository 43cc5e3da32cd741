//! `wayleave extract`: build, list and verify what evaluators work with.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;

use crate::base::finding::Severity;
use crate::cli::print::Failure;
use crate::cli::safety::{self, Side};
use crate::cli::{Context, Exit};
use crate::evaluation::extract::verify::{Verified, verify};
use crate::evaluation::extract::{Built, build};
use crate::evaluation::store::Store;
use crate::evaluation::store::row::ExtractRow;
use crate::evaluation::store::standing::Closed;

/// What `extract` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build the folder of a release
    Build {
        /// Study; may be left out where the store holds one
        #[arg(long)]
        study: Option<String>,
        /// Release; the newest where it is left out
        #[arg(long)]
        release: Option<String>,
        /// Folder to build; one of its own under `evaluation.extracts` where it is left out
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// List collected releases, and the extracts that were built from them
    List {
        /// Only of this study
        #[arg(long)]
        study: Option<String>,
    },
    /// Check a folder against its manifest and data package; needs no configuration
    Verify {
        /// Folder of the extract
        folder: PathBuf,
        /// File of the public key that signs the gateway's log, as the gateway sent it: `signing.pub`
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::Build { study, release, out } => {
            build_one(context, study.as_deref(), release.as_deref(), out.as_deref())
        }
        Verb::List { study } => list(context, study.as_deref()),
        Verb::Verify { folder, key } => check(context, folder, key.as_deref()),
    }
}

fn open(context: &Context) -> Result<Store, Failure> {
    let config = context.config()?;
    safety::start(&config, Side::Evaluation)?;
    Store::open(&config.url(&config.evaluation.database)).map_err(|error| {
        Failure::new(&error)
            .hint("check `evaluation.database` in the configuration, and that it can be reached")
    })
}

fn build_one(
    context: &Context,
    study: Option<&str>,
    release: Option<&str>,
    out: Option<&Path>,
) -> Result<Exit, Failure> {
    let config = context.config()?;
    let mut store = open(context)?;
    let study = match study {
        Some(study) => study.to_owned(),
        None => only_study(&mut store)?,
    };
    let extracts = config.path(&config.evaluation.extracts);
    let built = build(&mut store, &study, release, &extracts, out)
        .map_err(|error| Failure::new(&error).hint(error.advice()))?;
    if context.print.is_json {
        context.print.json(&built)?;
    } else {
        context.print.data(told(&built))?;
    }
    Ok(Exit::Done)
}

fn only_study(store: &mut Store) -> Result<String, Failure> {
    let mut studies: Vec<String> =
        store.list_releases(None)?.into_iter().map(|closed| closed.study).collect();
    studies.dedup();
    match studies.as_slice() {
        [study] => Ok(study.clone()),
        [] => Err(Failure::told("no closed release has been collected").hint("run `wayleave collect`")),
        _ => Err(Failure::told("the store holds more than one study").hint("name one with --study")),
    }
}

fn told(built: &Built) -> String {
    let rows: Vec<String> =
        built.rows.iter().map(|(table, rows)| format!("  {table:<24} {rows:>8}")).collect();
    let state = if built.is_repeat { "already built, identical" } else { "built" };
    format!(
        "{state}: {}\nextract {} of {}\npeople: {}\nrows:\n{}",
        built.folder.display(),
        built.extract,
        built.release,
        built.people,
        rows.join("\n")
    )
}

#[derive(Serialize)]
struct Checked {
    #[serde(flatten)]
    verified: Verified,
    findings: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    code: &'static str,
    severity: &'static str,
    place: String,
    expected: String,
}

#[derive(Serialize)]
struct Listed {
    releases: Vec<Closed>,
    extracts: Vec<ExtractRow>,
}

fn list(context: &Context, study: Option<&str>) -> Result<Exit, Failure> {
    let mut store = open(context)?;
    let releases = store.list_releases(study)?;
    let mut extracts = store.list_extracts()?;
    extracts.retain(|row| study.is_none_or(|study| row.study == study));
    if context.print.is_json {
        context.print.json(&Listed { releases, extracts })?;
        return Ok(Exit::Done);
    }
    if releases.is_empty() {
        context.print.data("no closed release has been collected")?;
    }
    for closed in &releases {
        context.print.data(format_args!("{}  {}  {}", closed.study, closed.release, closed.cut_off))?;
        for row in extracts.iter().filter(|row| row.study == closed.study && row.release == closed.release) {
            let is_there =
                if std::path::Path::new(&row.folder).is_dir() { "" } else { "  (no longer there)" };
            context.print.data(format_args!("  {}  {}{is_there}", row.extract_id, row.folder))?;
        }
    }
    Ok(Exit::Done)
}

fn check(context: &Context, folder: &Path, key: Option<&Path>) -> Result<Exit, Failure> {
    let read = |file: &Path| {
        std::fs::read_to_string(file).map_err(|error| {
            Failure::told(format!("cannot read the key {}: {error}", file.display()))
                .hint("name the `signing.pub` that the gateway sent")
        })
    };
    let key = key.map(read).transpose()?;
    let (verified, findings) = verify(folder, key.as_deref().map(str::trim))
        .map_err(|error| Failure::new(&error).hint("name the folder of an extract"))?;
    for finding in findings.kept() {
        context.print.note(format_args!("{}: {finding}", finding.severity.as_str()));
        context.print.note(format_args!("hint: {}", finding.advice()));
    }
    if context.print.is_json {
        let told = findings.kept().iter().map(|finding| Told {
            code: finding.code.as_str(),
            severity: finding.severity.as_str(),
            place: finding.origin.to_string(),
            expected: finding.expected.clone(),
        });
        context.print.json(&Checked { verified, findings: told.collect() })?;
    } else if findings.is_empty() {
        let rows: u64 = verified.rows.values().sum();
        context.print.data(format_args!(
            "verified: {} of {}, {} files, {} tables, {rows} rows",
            verified.extract,
            verified.study,
            verified.files,
            verified.rows.len()
        ))?;
        let signed_by = verified.signed_by.as_deref().unwrap_or_default();
        context.print.data(match key {
            Some(_) => "the release stands in the gateway's log, signed with the key that was given".to_owned(),
            None => format!(
                "the release stands in the log that this key signs: {signed_by}\nis it the gateway's? check with --key and the `signing.pub` that they sent"
            ),
        })?;
    } else {
        context.print.data(format_args!("not verified: {} findings", findings.total()))?;
    }
    Ok(if findings.worst() == Some(Severity::Error) { Exit::Findings } else { Exit::Done })
}
