//! A feed: what a source sends in one layout, where its files are found, and how they are read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::limit::{FEED_FILES_MAX, MAPPING_FOLDERS_MAX};
use crate::config::{Config, Scope};
use crate::gateway::GatewayError;
use crate::mapping::Mapping;
use crate::mapping::library::Library;
use crate::transport::webhook::Secrets;

/// One feed, ready to be read.
#[derive(Clone)]
pub struct Feed {
    /// The source's name.
    pub source: String,
    /// Its own name.
    pub name: String,
    /// Whose rows are taken.
    pub scope: Scope,
    /// How its files are read.
    pub mapping: Arc<Mapping>,
    /// The mapping as written, kept for explaining.
    pub mapping_text: String,
    /// Folder that files are taken from, or one file. Empty where files are only handed in.
    pub place: PathBuf,
    /// Which files of the folder.
    pub pattern: String,
    /// The secrets of a source that signs its events.
    pub secrets: Option<Secrets>,
    /// Bytes of one file.
    pub file_bytes_max: u64,
}

/// The mappings at hand: those that ship with the program, and the site's own before them.
///
/// # Errors
/// Where the site's folder cannot be read.
pub fn library(config: &Config) -> Result<Library, GatewayError> {
    let mut library = Library::shipped();
    if !config.gateway.mappings.is_empty() {
        let top = config.path(&config.gateway.mappings);
        add_folder(&mut library, &top, "")?;
    }
    Ok(library)
}

fn add_folder(library: &mut Library, folder: &Path, under: &str) -> Result<(), GatewayError> {
    let unreadable = |path: &Path, source| GatewayError::File { path: path.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let inner = if under.is_empty() { name } else { format!("{under}/{name}") };
        if path.is_dir() && inner.matches('/').count() < MAPPING_FOLDERS_MAX {
            add_folder(library, &path, &inner)?;
        } else if matches!(path.extension().and_then(|end| end.to_str()), Some("toml" | "csv")) {
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            library.add(&inner, &path.display().to_string(), &text);
        }
    }
    Ok(())
}

/// Every feed of the configuration, with its mapping; or those of one source, or one of them.
///
/// # Errors
/// Where there is no such feed, or a mapping has faults.
pub fn feeds(config: &Config, wanted: Option<&str>) -> Result<Vec<Feed>, GatewayError> {
    let library = library(config)?;
    let mut feeds = Vec::new();
    for (source, of_source) in &config.source {
        for (name, feed) in &of_source.feed {
            let full_name = format!("{source}/{name}");
            if wanted.is_some_and(|wanted| wanted != source && wanted != full_name) {
                continue;
            }
            let mapping_name = if feed.mapping.is_empty() { &full_name } else { &feed.mapping };
            let mut mapping = library.mapping(mapping_name)?;
            mapping.is_live = config.gateway.live;
            let mapping = Arc::new(mapping);
            let text = library.text(mapping_name).unwrap_or_default().to_owned();
            feeds.push(Feed::new(config, source, name, mapping, text)?);
        }
    }
    match wanted {
        Some(wanted) if feeds.is_empty() => Err(GatewayError::NoFeed { name: wanted.to_owned() }),
        _ => Ok(feeds),
    }
}

impl Feed {
    /// A feed of the configuration with its mapping.
    ///
    /// # Errors
    /// Where its secrets cannot be read.
    pub fn new(
        config: &Config,
        source: &str,
        name: &str,
        mapping: Arc<Mapping>,
        mapping_text: String,
    ) -> Result<Self, GatewayError> {
        let of_source = config.source.get(source).cloned().unwrap_or_default();
        let feed = of_source.feed.get(name).cloned().unwrap_or_default();
        let secrets = match feed.secrets.as_str() {
            "" => None,
            file => Some(read_secrets(&config.path(file))?),
        };
        Ok(Self {
            source: source.to_owned(),
            name: name.to_owned(),
            scope: of_source.scope,
            mapping,
            mapping_text,
            place: if feed.folder.is_empty() { PathBuf::new() } else { config.path(&feed.folder) },
            pattern: feed.pattern,
            secrets,
            file_bytes_max: config.limits.file_bytes_max,
        })
    }

    /// The name people use: `council/cld`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.source, self.name)
    }

    /// The files that are there now, by name.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn files(&self) -> Result<Vec<PathBuf>, GatewayError> {
        if self.place.as_os_str().is_empty() {
            return Ok(Vec::new());
        }
        if self.place.is_file() {
            return Ok(vec![self.place.clone()]);
        }
        let unreadable = |source| GatewayError::File { path: self.place.clone(), source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.place).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // What begins with a dot or `~$` is being written, or is held open by Excel.
            let is_ready = !name.starts_with('.') && !name.starts_with("~$");
            if is_ready && matches(&self.pattern, &name) && entry.path().is_file() {
                files.push(entry.path());
            }
            if files.len() > FEED_FILES_MAX {
                return Err(GatewayError::TooMany { path: self.place.clone() });
            }
        }
        files.sort();
        Ok(files)
    }
}

fn read_secrets(file: &Path) -> Result<Secrets, GatewayError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| GatewayError::File { path: file.to_owned(), source })?;
    Secrets::parse(&text).map_err(|error| GatewayError::Secrets { path: file.to_owned(), source: error })
}

/// Whether a name fits a pattern in which `*` stands for any characters. Without regard to case,
/// as file names are on Windows. No pattern takes every file.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    if pattern.is_empty() {
        return true;
    }
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    let mut rest = rest;
    for part in parts {
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, fits) in [
            ("", "a.csv", true),
            ("*.csv", "a.CSV", true),
            ("tracker*.xlsx", "Tracker 2025.xlsx", true),
            ("tracker*.xlsx", "tracker.xls", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("cld.csv", "cld.csv", true),
            ("cld.csv", "cld.csv.tmp", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
