//! `wayleave mapping drift`: what has changed in a feed.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Shelf, look};
use crate::cli::operational::{Opening, open};
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::gateway::kept::{self, KeptFile};
use crate::mapping::Mapping;
use crate::mapping::diagnostic::Source;
use crate::mapping::drift::Change;
use crate::mapping::drift::edit::Desk;
use crate::mapping::library::Library;
use crate::mapping::profile::Profile;
use crate::store::batch;

/// What `mapping drift` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The file before, or the feed as `source/feed`: its last file is then taken from the store
    #[arg(value_name = "OLD")]
    old: String,
    /// The new file
    #[arg(value_name = "FILE")]
    new: PathBuf,
    /// Of the feed's kept files, which one from the last: 2 is the one before it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    back: u32,
    /// The mapping of the feed; not needed where the feed is named
    #[arg(long, value_name = "MAPPING")]
    mapping: Option<String>,
}

pub(super) fn run(args: &Args, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let old_file = Path::new(&args.old);
    if !old_file.is_file()
        && let Some((source, feed)) = args.old.split_once('/')
        && context.config_file.is_file()
    {
        return stored(args, shelf, (source, feed), context);
    }
    if !old_file.is_file() {
        return Err(Failure::told(format!("there is no file {}", args.old))
            .hint("name the file before, or a feed of the configuration as source/feed"));
    }
    let name = match &args.mapping {
        Some(name) => name.clone(),
        None => guess(shelf, old_file)?.name,
    };
    let (library, source) = shelf.open_file(&name)?;
    let mapping = library.compile(&source).map_err(super::failure)?;
    let old = profile_of(&mapping, old_file, context)?;
    let new = profile_of(&mapping, &args.new, context)?;
    told(&mapping, suggested(&library, &source, mapping.drift(&old, &new)), context)
}

/// Each change with the edit that it asks for.
fn suggested(library: &Library, source: &Source, mut changes: Vec<Change>) -> Vec<Change> {
    if let Some(desk) = Desk::open(library, source) {
        desk.suggest(&mut changes);
    }
    changes
}

/// The new file beside one that was taken in before and is still kept. It is opened in memory, a
/// piece at a time, and only shapes, rates and words of coded columns are made of it.
fn stored(
    args: &Args,
    shelf: &Shelf,
    (source, feed): (&str, &str),
    context: &Context,
) -> Result<Exit, Failure> {
    let config = context.config()?;
    let declared = config.source.get(source).and_then(|of| of.feed.get(feed)).ok_or_else(|| {
        let names: Vec<String> = config
            .source
            .iter()
            .flat_map(|(source, of)| of.feed.keys().map(move |feed| format!("{source}/{feed}")))
            .collect();
        Failure::told(format!("the configuration has no feed `{source}/{feed}`"))
            .hint(format!("it has {}", names.join(", ")))
    })?;
    let (library, written) = shelf.open_file(args.mapping.as_ref().unwrap_or(&declared.mapping))?;
    let mapping = library.compile(&written).map_err(super::failure)?;
    let gateway = open(&config, &context.edge, Opening::Existing)?;
    let kept = gateway.store.read(|tx| batch::list_kept(tx, source, feed))?;
    let back = usize::try_from(args.back)?;
    let Some(batch) = kept.len().checked_sub(back).and_then(|at| kept.get(at)) else {
        return Err(Failure::told(format!("{} files of {source}/{feed} are kept, not {back}", kept.len()))
            .hint("compare two files instead: `wayleave mapping drift OLD NEW`"));
    };
    let key = kept::data_key(&gateway, batch)?;
    let file = Box::new(KeptFile::new(&gateway.store, &key, batch));
    let mut units = look::open_source(file, "the last file", &mapping.settings, HINT)?;
    let mut old = Profile::new(mapping.keeps_words());
    look::profile(&mut units, &mut old, u64::MAX, context)?;
    if !context.print.is_json {
        context.print.note(format_args!("beside the file of {}", batch.received_at));
    }
    let new = profile_of(&mapping, &args.new, context)?;
    told(&mapping, suggested(&library, &written, mapping.drift(&old, &new)), context)
}

const HINT: &str = "a file is compared through the mapping of its feed";

fn profile_of<'m>(mapping: &'m Mapping, path: &Path, context: &Context) -> Result<Profile<'m>, Failure> {
    let mut units = look::open(path, &mapping.settings, HINT)?;
    let mut profile = Profile::new(mapping.keeps_words());
    look::profile(&mut units, &mut profile, u64::MAX, context)?;
    Ok(profile)
}

/// The one mapping at hand that takes the most of the file.
fn guess(shelf: &Shelf, path: &Path) -> Result<Mapping, Failure> {
    let mut best = look::best(shelf, path)?;
    let names: Vec<String> = best.iter().map(|mapping| format!("`{}`", mapping.name)).collect();
    let told = match names.as_slice() {
        [_] => None,
        [] => Some(format!("no mapping at hand makes records of {}", path.display())),
        several => Some(format!("several mappings read {}: {}", path.display(), several.join(", "))),
    };
    match (best.pop(), told) {
        (Some(mapping), None) => Ok(mapping),
        (_, told) => Err(Failure::told(told.unwrap_or_default()).hint("name the mapping with --mapping")),
    }
}

fn told(mapping: &Mapping, changes: Vec<Change>, context: &Context) -> Result<Exit, Failure> {
    let breaks = changes.iter().any(|change| change.breaks);
    let exit = if breaks { Exit::Findings } else { Exit::Done };
    if context.print.is_json {
        context.print.json(&json!({
            "mapping": mapping.name, "version": mapping.version, "changes": changes,
        }))?;
        return Ok(exit);
    }
    if changes.is_empty() {
        context.print.data(format_args!("{}: nothing has changed", mapping.name))?;
        return Ok(exit);
    }
    for change in &changes {
        let sheet = change.sheet.as_ref().map(|sheet| format!("sheet `{sheet}`, ")).unwrap_or_default();
        let column = change.column.as_ref().map(|column| format!("`{column}`")).unwrap_or_default();
        let mark = if change.breaks { "!" } else { " " };
        let place = match (sheet.as_str(), column.as_str()) {
            ("", "") => String::new(),
            (sheet, "") => format!("{}: ", sheet.trim_end_matches(", ")),
            (sheet, column) => format!("{sheet}{column}: "),
        };
        context.print.data(format_args!("{mark} {:11}  {place}{}", change.what, change.told))?;
        context.print.data(format_args!("               {}", change.edit))?;
        for hunk in &change.paste {
            context.print.data(format_args!("               {}, line {}:", hunk.file, hunk.line))?;
            for (mark, line) in
                hunk.out.iter().map(|line| ('-', line)).chain(hunk.put.iter().map(|line| ('+', line)))
            {
                context.print.data(format_args!("               {mark} {line}"))?;
            }
        }
    }
    let breaking = changes.iter().filter(|change| change.breaks).count();
    context.print.note(format_args!(
        "{}: {} changes, {breaking} of which the mapping does not stand (!)",
        mapping.name,
        changes.len()
    ));
    Ok(exit)
}
