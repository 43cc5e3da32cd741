//! `wayleave synth`: invented people in each system's own layout, with the truth about them.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::cli::init::create_missing_keys;
use crate::cli::print::Failure;
use crate::cli::{Context, Exit};
use crate::config::FILE_NAME;
use crate::synth::{demo, load, world};

/// What `synth` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Seed: the same one gives the same bytes on every machine
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// People in the programme
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    people: u32,
    /// Instead of people: one large Client Level Data file of so many rows
    #[arg(long, value_name = "N", conflicts_with = "people")]
    rows: Option<u64>,
    /// Instead of people: the file that the speed of `convert` is measured on
    #[arg(long, value_name = "N", conflicts_with_all = ["people", "rows"])]
    figures: Option<u64>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if let Some(rows) = args.rows {
        let load = load::Load { rows, rows_of_person: 4, shuffled: false, changed: None };
        return stream(&args.dir, "cld.csv", context, |out| load::cld(out, load));
    }
    if let Some(rows) = args.figures {
        return stream(&args.dir, "figures.csv", context, |out| load::figures(out, rows));
    }
    let people = usize::try_from(args.people)?;
    let config = args.dir.join(FILE_NAME);
    let is_own = |there: String| there == demo::CONFIG;
    if config.exists() && !std::fs::read_to_string(&config).is_ok_and(is_own) {
        return Err(Failure::told(format!(
            "{} is there already, and is not what `synth` writes; nothing was written",
            config.display()
        ))
        .hint("name a folder of its own with --dir"));
    }
    create_missing_keys(&args.dir, &context.edge)?;
    let plan = demo::write(&world::invented(people, args.seed), &args.dir)?;
    if context.print.is_json {
        context.print.json(&plan)?;
        return Ok(Exit::Done);
    }
    for feed in &plan.feeds {
        let (source, name, file) = (feed.source, feed.feed, feed.file.display());
        context.print.data(format_args!("{source}/{name}: {} units in {file}", feed.units))?;
    }
    context.print.data(format_args!(
        "who is who, and what is untrue: {}\n{} faults planted: {}",
        plan.truth_file.display(),
        plan.faults.len(),
        plan.faults_file.display()
    ))?;
    Ok(Exit::Done)
}

fn stream(
    dir: &Path,
    name: &str,
    context: &Context,
    write: impl FnOnce(BufWriter<File>) -> Result<(), crate::synth::SynthError>,
) -> Result<Exit, Failure> {
    std::fs::create_dir_all(dir)?;
    let file = dir.join(name);
    write(BufWriter::new(File::create(&file)?))?;
    context.print.data(format_args!("written: {}", file.display()))?;
    Ok(Exit::Done)
}
