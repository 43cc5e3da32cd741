//! What a mapping is made of: its own text, and the code lists and rules that it names.

use sha2::{Digest, Sha256};

use super::{Compiler, RULES};

impl Compiler<'_> {
    /// Each code list and each file of rules with its text, and the hash of all of them with the
    /// mapping's own text.
    pub(super) fn parts(&self) -> (Vec<(String, String)>, [u8; 32]) {
        let text_of = |name: &String| {
            let source = match name.strip_prefix(RULES) {
                Some(rules) => self.codes.rules(rules),
                None => self.codes.find(name),
            };
            source.map(|source| source.text.to_string()).unwrap_or_default()
        };
        let parts: Vec<(String, String)> =
            self.used.iter().map(|name| (name.clone(), text_of(name))).collect();
        let mut hash = Sha256::new();
        hash.update(self.raw.source.text.as_bytes());
        for (name, text) in &parts {
            hash.update([0]);
            hash.update(name.as_bytes());
            hash.update([0]);
            hash.update(text.as_bytes());
        }
        (parts, hash.finalize().into())
    }
}
