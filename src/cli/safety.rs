//! What must be so before anything is opened: files that hold secrets or people's data are nobody
//! else's, and nothing of the environment leads elsewhere. A start that is unsafe is refused with
//! the reason, and `wayleave check` lists it all.

use std::path::{Path, PathBuf};

use crate::cli::print::Failure;
use crate::config::Config;
use crate::transport::access::{IS_KNOWN, is_open_to_all, is_open_to_others};

/// Which side starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The gateway.
    Operational,
    /// The evaluation side.
    Evaluation,
}

/// A file that others must not read.
struct Kept {
    what: String,
    file: PathBuf,
    /// Whether the owner's group may: two accounts share a queue by one.
    is_shared: bool,
}

/// What is unsafe, each in words that say what to do; and how many files were looked at.
pub(crate) struct Safety {
    pub(crate) faults: Vec<String>,
    pub(crate) files: usize,
}

/// Looks at what a side would open.
pub(crate) fn look(config: &Config, side: Side) -> Safety {
    let kept: Vec<Kept> = kept(config, side).into_iter().filter(|kept| kept.file.is_file()).collect();
    let mut faults: Vec<String> = kept.iter().filter_map(fault).collect();
    for variable in ["PGSERVICE", "PGHOSTADDR"] {
        if std::env::var_os(variable).is_some_and(|value| !value.is_empty()) {
            faults.push(format!(
                "{variable} is set, and would lead to another database than the URL names; unset it, and name the host in the URL"
            ));
        }
    }
    let is_its = |setting: &str| setting.starts_with("evaluation.") == (side == Side::Evaluation);
    for (set, other) in config.lone_halves().into_iter().filter(|(set, _)| is_its(set)) {
        faults.push(format!("`{set}` is set and `{other}` is not, so neither is used; set both, or neither"));
    }
    Safety { faults, files: kept.len() }
}

/// Refuses what is unsafe.
pub(crate) fn start(config: &Config, side: Side) -> Result<(), Failure> {
    let safety = look(config, side);
    match safety.faults.as_slice() {
        [] => Ok(()),
        [fault] => {
            Err(Failure::told(fault).hint("nothing was opened; `wayleave check` lists all that is unsafe"))
        }
        [fault, more @ ..] => Err(Failure::told(format!("{fault}; and {} more", more.len()))
            .hint("nothing was opened; `wayleave check` lists all that is unsafe")),
    }
}

/// Said where who may read a file is not known.
pub(crate) fn told(safety: &Safety) -> String {
    let files = safety.files;
    if IS_KNOWN {
        format!("{files} files of keys, secrets and data, which nobody else may read")
    } else {
        format!("{files} files of keys, secrets and data; who may read them is not checked on Windows")
    }
}

fn fault(kept: &Kept) -> Option<String> {
    let (is_open, mode) = if kept.is_shared {
        (is_open_to_all(&kept.file), "660")
    } else {
        (is_open_to_others(&kept.file), "600")
    };
    let (what, file) = (&kept.what, kept.file.display());
    is_open.then(|| format!("the {what} ({file}) can be read by others; run `chmod {mode}` on it"))
}

fn kept(config: &Config, side: Side) -> Vec<Kept> {
    // All that is secret, wherever it stands in the settings: on either side what is its own.
    let is_its = |setting: &str| setting.starts_with("evaluation.") == (side == Side::Evaluation);
    let secrets = config.secret_files();
    let secrets = secrets.iter().filter(|(setting, _)| is_its(setting));
    let mut kept: Vec<Kept> = secrets
        .map(|(setting, file)| Kept {
            what: format!("file of `{setting}`"),
            file: config.path(file),
            is_shared: false,
        })
        .collect();
    match side {
        Side::Operational => {
            kept.extend(database("operational database", &config.url(&config.gateway.database), false));
            kept.extend(database("queue", &config.url(&config.gateway.queue), true));
        }
        Side::Evaluation => {
            kept.extend(database("evaluation database", &config.url(&config.evaluation.database), false));
            kept.extend(database("queue", &config.url(&config.evaluation.queue), true));
        }
    }
    let named = config.named_files.iter();
    kept.extend(named.map(|file| Kept {
        what: "file of a secret".to_owned(),
        file: file.clone(),
        is_shared: false,
    }));
    kept
}

/// A SQLite file with what stands beside it.
fn database(what: &str, url: &str, is_shared: bool) -> Vec<Kept> {
    let Some(file) = sqlite(url) else { return Vec::new() };
    let beside = ["", "-wal", "-shm"].map(|end| {
        let file = PathBuf::from(format!("{}{end}", file.display()));
        Kept { what: what.to_owned(), file, is_shared }
    });
    beside.into()
}

fn sqlite(url: &str) -> Option<PathBuf> {
    let file = url.strip_prefix("sqlite:")?;
    Some(Path::new(file.strip_prefix("//").unwrap_or(file)).to_owned())
}
