//! `wayleave mapping`: list the mappings, test them against their cases, see what those leave
//! out, have a value explained, draft a mapping, see what has changed in a feed, and try, promote and
//! roll back a new version.

mod coverage;
mod draft;
mod drift;
mod explain;
mod live;
mod look;
mod submission;

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::base::private::{Cases, Grant};
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::mapping::diagnostic::Source;
use crate::mapping::library::{Library, LibraryError};
use crate::mapping::{Mapping, case};

/// What `mapping` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// List the mappings at hand
    List,
    /// Run the cases beside each mapping
    Test {
        /// Mappings, by name or file; all where none is given
        #[arg(value_name = "MAPPING")]
        mappings: Vec<String>,
    },
    /// What a mapping never makes use of: by its cases, and by a file
    Coverage(coverage::Args),
    /// Propose a mapping for a file that has none
    Draft(draft::Args),
    /// What has changed in a feed: a file beside the one before it
    Drift(drift::Args),
    /// Where the value of one field comes from
    Explain(explain::Args),
    /// Try a new version beside the live one: both read what comes, and what differs is counted
    Shadow(live::ShadowArgs),
    /// Make a new version the one that a feed is read through
    Promote(live::PromoteArgs),
    /// Go back to the version before
    Rollback(live::RollbackArgs),
    /// Hold the tables of one submission to their data set's rules, across rows and tables
    Submission(submission::Args),
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let shelf = Shelf::open(context)?;
    match &args.verb {
        Verb::List => list(&shelf, context),
        Verb::Test { mappings } => test(&shelf, mappings, context),
        Verb::Coverage(args) => coverage::run(args, &shelf, context),
        Verb::Draft(args) => draft::run(args, &shelf, context),
        Verb::Drift(args) => drift::run(args, &shelf, context),
        Verb::Explain(args) => explain::run(args, &shelf, context),
        Verb::Shadow(args) => live::shadow(args, &shelf, context),
        Verb::Promote(args) => live::promote(args, &shelf, context),
        Verb::Rollback(args) => live::roll_back(args, context),
        Verb::Submission(args) => submission::run(args, &shelf, context),
    }
}

/// The mappings at hand: the shipped ones, with a site's own before them.
pub(crate) struct Shelf {
    library: Library,
}

impl Shelf {
    /// What ships with the program, and the folder that the configuration names, if there is one.
    pub(crate) fn open(context: &Context) -> Result<Self, Failure> {
        let mut library = Library::shipped();
        if context.config_file.is_file() {
            let config = context.config()?;
            if !config.gateway.mappings.is_empty() {
                add_folder(&mut library, &config.path(&config.gateway.mappings))?;
            }
        }
        Ok(Self { library })
    }

    /// A mapping by name, or from a file. A file's code lists are looked for in `codes/` beside
    /// it or above it before those at hand.
    pub(crate) fn mapping(&self, wanted: &str) -> Result<Mapping, Failure> {
        let path = Path::new(wanted);
        if !is_file_name(wanted) {
            return self.library.mapping(wanted).map_err(failure);
        }
        let (library, source) = self.with_file(path)?;
        library.compile(&source).map_err(failure)
    }

    /// The text of a mapping by name, or of a file, and all that it may name.
    fn open_file(&self, wanted: &str) -> Result<(Library, Source), Failure> {
        if is_file_name(wanted) {
            return self.with_file(Path::new(wanted));
        }
        let source = self.library.source(wanted).map_err(failure)?.clone();
        Ok((self.library.clone(), source))
    }

    /// Names of all mappings at hand.
    fn names(&self) -> Vec<String> {
        self.library.names().into_iter().map(str::to_owned).collect()
    }

    /// The cases of a mapping by name, or of a file.
    fn cases(&self, wanted: &str) -> Result<Option<case::Cases>, Failure> {
        if !is_file_name(wanted) {
            return self.library.cases(wanted).map_err(failure);
        }
        let path = Path::new(wanted).with_extension("cases.toml");
        if !path.is_file() {
            return Ok(None);
        }
        let source = read(&path)?;
        case::Cases::parse(&source).map(Some).map_err(|faults| failure(faults.into()))
    }

    fn with_file(&self, path: &Path) -> Result<(Library, Source), Failure> {
        let mut library = self.library.clone();
        for folder in path.ancestors().skip(1).take(3) {
            let codes = folder.join("codes");
            if codes.is_dir() {
                add_under(&mut library, folder, &codes)?;
                break;
            }
        }
        Ok((library, read(path)?))
    }
}

fn is_file_name(wanted: &str) -> bool {
    Path::new(wanted).extension().is_some_and(|extension| extension == "toml")
}

fn read(path: &Path) -> Result<Source, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::told(format!("{}: {error}", path.display()))
            .hint("name a shipped mapping (see `wayleave mapping list`) or a .toml file")
    })?;
    Ok(Source::new(&path.display().to_string(), &text))
}

/// Why a mapping cannot be used, in words.
fn failure(error: LibraryError) -> Failure {
    match error {
        LibraryError::Unknown { name, nearest } => {
            let told = Failure::told(format!("there is no mapping `{name}`"));
            match nearest {
                Some(near) => told.hint(format!("did you mean `{near}`?")),
                None => told.hint("`wayleave mapping list` names them; a file name ends in .toml"),
            }
        }
        wrong @ LibraryError::Wrong(_) => Failure::new(&wrong),
    }
}

fn add_folder(library: &mut Library, folder: &Path) -> Result<(), Failure> {
    if !folder.is_dir() {
        return Err(Failure::told(format!("there is no folder {}", folder.display()))
            .hint("it is named by `mappings` in the configuration"));
    }
    add_under(library, folder, folder)
}

fn add_under(library: &mut Library, root: &Path, folder: &Path) -> Result<(), Failure> {
    let told = |error: std::io::Error| Failure::told(format!("{}: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.is_dir() {
            add_under(library, root, &path)?;
            continue;
        }
        let is_ours = path.extension().is_some_and(|extension| extension == "toml" || extension == "csv");
        if let (true, Ok(inner)) = (is_ours, path.strip_prefix(root)) {
            let source = read(&path)?;
            library.add(&inner.to_string_lossy(), &source.name, &source.text);
        }
    }
    Ok(())
}

fn list(shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for name in shelf.library.names() {
        rows.push(shelf.library.mapping(name).map_err(failure)?);
    }
    if context.print.is_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|mapping| {
                json!({
                    "name": mapping.name, "version": mapping.version, "title": mapping.title,
                    "format": mapping.settings.format.as_str(), "one_way": mapping.one_way,
                    "notes": mapping.notes,
                })
            })
            .collect();
        context.print.json(&rows)?;
        return Ok(Exit::Done);
    }
    let width = rows.iter().map(|mapping| mapping.name.len()).max().unwrap_or_default();
    for mapping in &rows {
        context.print.data(format_args!(
            "{:width$}  version {}  {:5}  {}",
            mapping.name,
            mapping.version,
            mapping.settings.format.as_str(),
            mapping.title
        ))?;
    }
    Ok(Exit::Done)
}

fn test(shelf: &Shelf, wanted: &[String], context: &Context) -> Result<Exit, Failure> {
    let all = shelf.names();
    let wanted = if wanted.is_empty() { all.as_slice() } else { wanted };
    let grant = Grant::<Cases>::begin("cli");
    let ended = test_all(shelf, wanted, context, &grant);
    // Cases are about invented people: there is nothing to audit.
    let _receipt = grant.close();
    ended
}

fn test_all(
    shelf: &Shelf,
    wanted: &[String],
    context: &Context,
    grant: &Grant<Cases>,
) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    let mut told = Vec::new();
    for name in wanted {
        let mapping = shelf.mapping(name)?;
        let cases = shelf.cases(name)?;
        let mut failed = Vec::new();
        for case in cases.iter().flat_map(|cases| &cases.cases) {
            let differences = case.run(&mapping, grant);
            if !differences.is_empty() {
                failed.push((case, differences));
            }
        }
        let count = cases.as_ref().map_or(0, |cases| cases.cases.len());
        // A mapping without cases has shown nothing.
        if count == 0 || !failed.is_empty() {
            exit = Exit::Findings;
        }
        let file = cases.as_ref().map(|cases| cases.source.name.to_string()).unwrap_or_default();
        if context.print.is_json {
            let failed: Vec<_> = failed
                .iter()
                .map(|(case, lines)| json!({"case": case.name, "line": case.line, "differences": lines}))
                .collect();
            told.push(json!({"mapping": name, "file": file, "cases": count, "failed": failed}));
            continue;
        }
        for (case, lines) in &failed {
            context.print.data(format_args!("{file}:{}: {}", case.line, case.name))?;
            for line in lines {
                context.print.data(format_args!("  {line}"))?;
            }
        }
        match (count, failed.len()) {
            (0, _) => context.print.data(format_args!("{name}: no cases"))?,
            (_, 0) => context.print.data(format_args!("{name}: {count} cases hold"))?,
            (_, failed) => {
                context.print.data(format_args!("{name}: {failed} of {count} cases do not hold"))?;
            }
        }
    }
    if context.print.is_json {
        context.print.json(&told)?;
    }
    Ok(exit)
}

/// Private files in the machine's temporary folder: nobody else can open them, and they are gone
/// when dropped.
pub(crate) struct TemporarySpool;

impl crate::format::source::Spool for TemporarySpool {
    fn new_file(&self) -> std::io::Result<Box<dyn crate::format::source::Spooled>> {
        Ok(Box::new(tempfile::tempfile()?))
    }
}
