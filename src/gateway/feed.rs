//! A feed: what a source sends in one layout, where its files are found, and how they are read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::limit::MAPPING_FOLDERS_MAX;
use crate::config::{Complete, Config, Scope, Stop};
use crate::gateway::GatewayError;
use crate::mapping::Mapping;
use crate::mapping::library::Library;
use crate::transport::place::{Place, fits};
use crate::transport::sftp;
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
    /// When they are taken, and where they go.
    pub fetch: Fetch,
    /// The secrets of a source that signs its events.
    pub secrets: Option<Secrets>,
    /// Bytes of one file.
    pub file_bytes_max: u64,
    /// Seconds after which a process that read it and was killed is followed.
    pub lease_s: i64,
    /// When a file is held.
    pub stop: Stop,
}

/// How a feed's files are fetched.
#[derive(Debug, Clone, Default)]
pub struct Fetch {
    /// When a file is complete.
    pub complete: Complete,
    /// Seconds that a file must have stayed as it is, where that says that it is complete.
    pub stable_s: i64,
    /// The pattern of manifests.
    pub manifest: String,
    /// The folder that files are moved into once they are taken: of this machine, or of the server
    /// they come from.
    pub archive: Option<PathBuf>,
    /// The server they come from, if they come from one.
    pub sftp: Option<sftp::Settings>,
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
            fetch: Fetch {
                complete: feed.complete,
                stable_s: feed.stable_s,
                manifest: feed.manifest,
                archive: match feed.archive.as_str() {
                    "" => None,
                    folder if feed.sftp.is_some() => Some(PathBuf::from(folder)),
                    folder => Some(config.path(folder)),
                },
                sftp: feed.sftp.map(|sftp| sftp_settings(config, sftp)),
            },
            pattern: feed.pattern,
            secrets,
            file_bytes_max: config.limits.file_bytes_max,
            lease_s: config.limits.lease_s,
            stop: feed.stop,
        })
    }

    /// The name people use: `council/cld`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.source, self.name)
    }

    /// Where its files are.
    #[must_use]
    pub fn place(&self) -> Place {
        match &self.fetch.sftp {
            Some(sftp) => Place::Sftp(Box::new(sftp.clone())),
            None if self.place.as_os_str().is_empty() => Place::Nowhere,
            None => Place::Folder(self.place.clone()),
        }
    }

    /// Whether a file of that name belongs to the feed, or says something of one that does.
    #[must_use]
    pub fn takes(&self, name: &str) -> bool {
        fits(&self.pattern, name)
            || match self.fetch.complete {
                Complete::Done => name.to_lowercase().ends_with(".done"),
                Complete::Manifest => self.is_manifest(name),
                Complete::AtOnce | Complete::Stable => false,
            }
    }

    /// Whether a file of that name is a manifest.
    #[must_use]
    pub fn is_manifest(&self, name: &str) -> bool {
        fits(&self.fetch.manifest, name)
    }

    /// True where reading a file takes a connection, so that what is known is not read again.
    #[must_use]
    pub const fn reading_costs(&self) -> bool {
        self.fetch.sftp.is_some()
    }

    /// The folder that files are moved into once they are taken.
    #[must_use]
    pub fn archive(&self) -> Option<String> {
        self.fetch.archive.as_ref().map(|folder| folder.to_string_lossy().into_owned())
    }
}

fn sftp_settings(config: &Config, feed: crate::config::Sftp) -> sftp::Settings {
    sftp::Settings {
        host: feed.host,
        port: feed.port,
        user: feed.user,
        key: config.path(&feed.key),
        passphrase: match feed.passphrase.as_str() {
            "" => sftp::Passphrase::Given(feed.passphrase_given.0),
            file => sftp::Passphrase::File(config.path(file)),
        },
        known_hosts: config.path(&feed.known_hosts),
        folder: feed.folder,
    }
}

/// The secrets in a file.
///
/// # Errors
/// Where it cannot be read, or holds something else.
pub(super) fn read_secrets(file: &Path) -> Result<Secrets, GatewayError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| GatewayError::File { path: file.to_owned(), source })?;
    Secrets::parse(&text).map_err(|error| GatewayError::Secrets { path: file.to_owned(), source: error })
}
