//! Copies of the project with one thing taken out, built and run, to see that the tests which
//! guard that thing would fail without it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support;

/// One change to one source file. The text must stand there exactly once.
pub(crate) struct Change {
    /// The file, from the top of the project.
    pub(crate) file: &'static str,
    /// What stands there.
    pub(crate) from: &'static str,
    /// What stands there instead.
    pub(crate) to: &'static str,
}

/// A copy that was built. It is gone when this is dropped, and its program with it. What its library
/// was built into stays: `cargo clean` would take the program under test along, since both
/// libraries have one name; the next build of the copy writes over it.
pub(crate) struct Mutant {
    /// Its program.
    pub(crate) binary: PathBuf,
    copy: PathBuf,
}

/// Builds a copy with the changes. It is built as these tests are, into the same folder, so that
/// every dependency is there already and only the copy itself is compiled; and without what only
/// a debugger or a next build would need.
pub(crate) fn build(name: &str, changes: &[Change]) -> Mutant {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = format!("mutant-{name}");
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&package);
    for part in ["src", "schemas", "mappings", "migrations"] {
        support::copy_folder(&top.join(part), &copy.join(part));
    }
    let manifest = std::fs::read_to_string(top.join("Cargo.toml")).unwrap();
    std::fs::write(copy.join("Cargo.toml"), manifest_of(&package, &manifest)).unwrap();
    std::fs::copy(top.join("Cargo.lock"), copy.join("Cargo.lock")).unwrap();
    // A test is what makes dependencies be built with the features that tests ask for.
    std::fs::create_dir_all(copy.join("tests")).unwrap();
    std::fs::write(copy.join("tests/none.rs"), "").unwrap();
    for change in changes {
        let text = std::fs::read_to_string(top.join(change.file)).unwrap();
        assert_eq!(text.matches(change.from).count(), 1, "{} holds once: {}", change.file, change.from);
        std::fs::write(copy.join(change.file), text.replace(change.from, change.to)).unwrap();
    }
    let binary = target_dir().join("debug").join(format!("{package}{}", std::env::consts::EXE_SUFFIX));
    let mutant = Mutant { binary, copy };
    let built = mutant.cargo(&["test", "--no-run", "--test", "none", "--quiet"]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    mutant
}

impl Mutant {
    fn cargo(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO"))
            .args(words)
            .args(["--offline", "--manifest-path"])
            .arg(self.copy.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(target_dir())
            .env("CARGO_INCREMENTAL", "0")
            .output()
            .unwrap()
    }
}

impl Drop for Mutant {
    fn drop(&mut self) {
        let _program = std::fs::remove_file(&self.binary);
        let _copy = std::fs::remove_dir_all(&self.copy);
    }
}

/// The target folder of this very build: the folder that holds `CARGO_TARGET_TMPDIR`.
fn target_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

fn manifest_of(name: &str, manifest: &str) -> String {
    let mut manifest: toml::Table = manifest.parse().unwrap();
    for part in ["test", "bench", "lints"] {
        manifest.remove(part);
    }
    let package = manifest["package"].as_table_mut().unwrap();
    package.insert("name".to_owned(), name.into());
    package.remove("readme");
    let library: toml::Table = "name = 'wayleave'\npath = 'src/lib.rs'".parse().unwrap();
    manifest.insert("lib".to_owned(), library.into());
    let binary: toml::Table = format!("name = '{name}'\npath = 'src/main.rs'").parse().unwrap();
    manifest.insert("bin".to_owned(), vec![toml::Value::from(binary)].into());
    manifest.insert("workspace".to_owned(), toml::Table::new().into());
    let packages = &mut manifest["profile"]["dev"]["package"];
    let lean: toml::Table = "debug = false".parse().unwrap();
    packages.as_table_mut().unwrap().insert(name.to_owned(), lean.into());
    toml::to_string(&manifest).unwrap()
}
