//! `wayleave init`: a configuration to start from, with new keys.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::base::edge::Edge;
use crate::cli::print::{Failure, quoted};
use crate::cli::{Context, Exit};
use crate::config::{Config, DEFAULT_TOML, FILE_NAME};
use crate::evaluation::collect::answer::Signer;
use crate::transport::access::create_private;

/// What `init` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder to write to
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Print the commented default configuration and write nothing
    #[arg(long)]
    print: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if args.print {
        context.print.data(DEFAULT_TOML.trim_end())?;
        return Ok(Exit::Done);
    }
    std::fs::create_dir_all(&args.folder)?;
    let file = args.folder.join(FILE_NAME);
    write_new(&file, DEFAULT_TOML.as_bytes(), false)?;
    let config = Config { folder: args.folder.clone(), ..Config::default() };
    let zone = &config.gateway;
    let operational = [&zone.master_key, &zone.index_key, &zone.release_key, &zone.signing_key];
    for key in operational.into_iter().chain([&config.evaluation.key]) {
        create_key(&config.path(key), &context.edge)?;
    }
    for key in [&config.gateway.signing_key, &config.evaluation.key] {
        create_public_key(&config.path(key))?;
    }
    context.print.data(format_args!(
        "written: {}\nnext: add a [source.…] section to it, then run `wayleave check --config {}`",
        file.display(),
        quoted(&file.display().to_string())
    ))?;
    Ok(Exit::Done)
}

/// Writes a new 256-bit key as 64 hexadecimal digits, readable by its owner alone. An existing
/// file is left untouched.
pub(crate) fn create_key(file: &Path, edge: &Edge) -> Result<(), Failure> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let bytes: [u8; 32] = edge.bytes();
    let mut text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    text.push('\n');
    write_new(file, text.as_bytes(), true)
}

/// Writes the public half of a signing key beside it, for the other side: `evaluation.key` and
/// `evaluation.pub`. An existing file is left untouched.
pub(crate) fn create_public_key(file: &Path) -> Result<(), Failure> {
    let public = file.with_extension("pub");
    if public.exists() {
        return Ok(());
    }
    let signer = Signer::read(file).map_err(|error| Failure::new(&error))?;
    write_new(&public, format!("{}\n", signer.public_key()).as_bytes(), false)
}

/// The keys of made-up files: those that are not there yet, made as `init` makes them.
pub(crate) fn create_missing_keys(folder: &Path, edge: &Edge) -> Result<(), Failure> {
    for key in ["master.key", "index.key", "evaluation.key"] {
        let file = folder.join("keys").join(key);
        if !file.exists() {
            create_key(&file, edge)?;
        }
    }
    create_public_key(&folder.join("keys/evaluation.key"))
}

/// Writes a file that is not there yet.
pub(crate) fn write_new(file: &Path, bytes: &[u8], is_secret: bool) -> Result<(), Failure> {
    let open = || if is_secret { create_private(file) } else { std::fs::File::create_new(file) };
    let told = |error: std::io::Error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                "it is there already and was left untouched; move it away to start anew"
            }
            _ => "check that the folder can be written to",
        };
        Failure::told(format!("cannot write {}: {error}", file.display())).hint(hint)
    };
    open().and_then(|mut open| open.write_all(bytes)).map_err(told)
}
