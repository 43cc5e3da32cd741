//! What whoever holds every key and the operational database can do, and nobody else: tell whose
//! a pseudonym is.

use std::path::Path;

use wayleave::base::edge::Edge;
use wayleave::base::id::PersonId;
use wayleave::base::private::Private;
use wayleave::config::Config;
use wayleave::gateway::release::keys::ReleaseKeys;
use wayleave::gateway::{keys, study};
use wayleave::release::protocol::Protocol;

use crate::support;
use crate::zone::STUDY;

/// All the keys of one gateway.
pub(crate) struct Namer {
    keys: wayleave::store::keys::Keys,
    release: ReleaseKeys,
    protocol: Protocol,
}

impl Namer {
    /// The keys that a folder's configuration names.
    pub(crate) fn of(dir: &Path) -> Self {
        let config = Config::read(&dir.join("wayleave.toml"), &|_name| None).unwrap();
        let protocol = study::protocol_of(&config, STUDY).unwrap();
        let edge: Edge = support::edge().0;
        let release = ReleaseKeys::open(&study::key_files(&config, STUDY), &protocol, false, &edge).unwrap();
        Self { keys: keys::load(&config).unwrap(), release, protocol }
    }

    /// The keyed hash under which a source's subject is found.
    pub(crate) fn subject_hash(&self, source: &str, reference: &str) -> Vec<u8> {
        let reference = Private::new(reference.to_owned());
        self.keys.index.hasher(&format!("subject/{source}")).private([&reference]).as_bytes().to_vec()
    }

    /// A person's pseudonym in the study.
    pub(crate) fn pseudonym(&self, person: PersonId) -> String {
        self.protocol.domain().person(&self.release.study, person).to_string()
    }
}
