//! Copies of the project with one thing taken out, built and run, to see that the tests which
//! guard that thing would fail without it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One change to one source file. The text must stand there exactly once.
pub(crate) struct Change {
    /// The file, from the top of the project.
    pub(crate) file: &'static str,
    /// What stands there.
    pub(crate) from: &'static str,
    /// What stands there instead.
    pub(crate) to: &'static str,
}

/// Builds a copy with the changes, and gives its binary. Dependencies are shared with this
/// build, so only the copy itself is compiled.
pub(crate) fn build(name: &str, changes: &[Change]) -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutant-{name}"));
    for part in ["src", "schemas", "mappings", "migrations"] {
        copy_changed(&top.join(part), &copy.join(part));
    }
    let manifest = std::fs::read_to_string(top.join("Cargo.toml")).unwrap();
    write_changed(&copy.join("Cargo.toml"), manifest_of(name, &manifest).as_bytes());
    write_changed(&copy.join("Cargo.lock"), &std::fs::read(top.join("Cargo.lock")).unwrap());
    for change in changes {
        let text = std::fs::read_to_string(top.join(change.file)).unwrap();
        assert_eq!(text.matches(change.from).count(), 1, "{} holds once: {}", change.file, change.from);
        write_changed(&copy.join(change.file), text.replace(change.from, change.to).as_bytes());
    }
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--offline",
            "--quiet",
            "--message-format",
            "json-render-diagnostics",
            "--manifest-path",
        ])
        .arg(copy.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target_dir())
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    target_dir().join("debug").join(format!("mutant-{name}{}", std::env::consts::EXE_SUFFIX))
}

/// The target folder of this very build: the folder that holds `CARGO_TARGET_TMPDIR`.
fn target_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

fn manifest_of(name: &str, manifest: &str) -> String {
    let mut manifest: toml::Table = manifest.parse().unwrap();
    for part in ["dev-dependencies", "test", "bench", "lints"] {
        manifest.remove(part);
    }
    let package = manifest["package"].as_table_mut().unwrap();
    package.insert("name".to_owned(), format!("mutant-{name}").into());
    package.remove("readme");
    let library: toml::Table = "name = 'wayleave'\npath = 'src/lib.rs'".parse().unwrap();
    manifest.insert("lib".to_owned(), library.into());
    let binary: toml::Table = format!("name = 'mutant-{name}'\npath = 'src/main.rs'").parse().unwrap();
    manifest.insert("bin".to_owned(), vec![toml::Value::from(binary)].into());
    manifest.insert("workspace".to_owned(), toml::Table::new().into());
    toml::to_string(&manifest).unwrap()
}

fn copy_changed(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_changed(&entry.path(), &target);
        } else {
            write_changed(&target, &std::fs::read(entry.path()).unwrap());
        }
    }
}

/// Writes only what differs, so that an unchanged copy is not compiled again.
fn write_changed(file: &Path, bytes: &[u8]) {
    if std::fs::read(file).is_ok_and(|there| there == bytes) {
        return;
    }
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, bytes).unwrap();
}
