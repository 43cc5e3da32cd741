//! The mappings, code lists and cases that are at hand: those that ship with the program, and a
//! site's own, which stand in for shipped ones of the same name.

use std::collections::BTreeMap;

use crate::format::address::nearest;
use crate::mapping::case::Cases;
use crate::mapping::compile::{CodeLists, RULES, compile};
use crate::mapping::diagnostic::{Diagnostics, Source};
use crate::mapping::submission::rule::Rules;
use crate::mapping::{Mapping, file, shipped};

/// Mapping files, case files and code lists by their path under `mappings/`.
#[derive(Debug, Clone, Default)]
pub struct Library {
    files: BTreeMap<String, Source>,
}

/// Why a mapping cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// There is none of that name.
    #[error("there is no mapping `{name}`")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The nearest there is.
        nearest: Option<String>,
    },
    /// It has faults.
    #[error("the mapping has faults\n{0}")]
    Wrong(Diagnostics),
}

impl LibraryError {
    /// True if trying again may help. It does not: somebody has to change a file or a name.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Unknown { .. } | Self::Wrong(_) => false,
        }
    }
}

impl From<Diagnostics> for LibraryError {
    fn from(faults: Diagnostics) -> Self {
        Self::Wrong(faults)
    }
}

impl Library {
    /// What ships with the program.
    #[must_use]
    pub fn shipped() -> Self {
        let mut library = Self::default();
        for (path, text) in shipped::FILES {
            library.add(path, &format!("mappings/{path}"), text);
        }
        library
    }

    /// Adds a file under its path, such as `council/cld.toml` or `codes/cld/gender.csv`. The
    /// last one of a path stands.
    pub fn add(&mut self, path: &str, shown: &str, text: &str) {
        self.files.insert(path.replace('\\', "/"), Source::new(shown, text));
    }

    /// Adds a code list or rules that were kept with a mapping, under the name that it has there.
    pub fn add_kept(&mut self, name: &str, text: &str) {
        let folder = if name.starts_with(RULES) { "" } else { "codes/" };
        self.add(&format!("{folder}{name}.csv"), name, text);
    }

    /// Names of all mappings.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.files
            .keys()
            .filter(|path| !path.starts_with("codes/") && !path.ends_with(".cases.toml"))
            .filter_map(|path| path.strip_suffix(".toml"))
            .collect()
    }

    /// The text of a mapping file.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.files.get(&format!("{name}.toml")).map(|source| &*source.text)
    }

    /// The file of a mapping.
    ///
    /// # Errors
    /// Where there is none.
    pub fn source(&self, name: &str) -> Result<&Source, LibraryError> {
        self.files.get(&format!("{name}.toml")).ok_or_else(|| {
            let nearest = nearest(name, self.names().into_iter()).into_iter().next();
            LibraryError::Unknown { name: name.to_owned(), nearest }
        })
    }

    /// The mapping of that name.
    ///
    /// # Errors
    /// Where there is none, or it has faults.
    pub fn mapping(&self, name: &str) -> Result<Mapping, LibraryError> {
        let source = self.source(name)?;
        let mapping = self.compile(source)?;
        if mapping.name != name {
            let at = source.text.find(&mapping.name).unwrap_or_default();
            let fault = source
                .fault(
                    &(at..at + mapping.name.len()),
                    format!("the file stands at `{name}`, but is named otherwise"),
                )
                .hint(format!("name it `{name}`"));
            return Err(Diagnostics(vec![fault]).into());
        }
        Ok(mapping)
    }

    /// A mapping from a text of its own, with the code lists of the library.
    ///
    /// # Errors
    /// Where it has faults.
    pub fn compile(&self, source: &Source) -> Result<Mapping, LibraryError> {
        let raw = file::parse(&source.text, &source.name)?;
        Ok(compile(&raw, self)?)
    }

    /// The rules of a data set that look across its tables, as `trust/mhsds-6`; none where there
    /// are none of that name.
    ///
    /// # Errors
    /// Where the file has faults.
    pub fn rules(&self, name: &str) -> Result<Option<Rules>, LibraryError> {
        let source = self.files.get(&format!("rules/{name}.csv"));
        Ok(source.map(Rules::parse).transpose()?)
    }

    /// The cases of a mapping; none where it has no case file.
    ///
    /// # Errors
    /// Where the case file has faults.
    pub fn cases(&self, name: &str) -> Result<Option<Cases>, LibraryError> {
        let source = self.files.get(&format!("{name}.cases.toml"));
        Ok(source.map(Cases::parse).transpose()?)
    }
}

impl CodeLists for Library {
    fn find(&self, name: &str) -> Option<Source> {
        self.files.get(&format!("codes/{name}.csv")).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.files
            .keys()
            .filter_map(|path| path.strip_prefix("codes/")?.strip_suffix(".csv"))
            .map(str::to_owned)
            .collect()
    }

    fn rules(&self, name: &str) -> Option<Source> {
        self.files.get(&format!("rules/{name}.csv")).cloned()
    }
}
