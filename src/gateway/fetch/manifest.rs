//! A manifest: a small file that names files with their control totals, as JSON or CSV.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::base::limit::FEED_FILES_MAX;

/// What a manifest promises of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// The file's name.
    pub name: String,
    /// SHA-256 of its bytes, as 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// How many units it holds; none where the manifest does not say.
    pub rows: Option<u64>,
    /// The manifest's own name.
    pub manifest: String,
    /// The folder of both.
    pub(super) beside: PathBuf,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Files { files: Vec<Line> },
    List(Vec<Line>),
}

#[derive(Deserialize)]
struct Line {
    name: String,
    sha256: String,
    bytes: u64,
    #[serde(default)]
    rows: Option<u64>,
}

/// What was expected, for whoever writes manifests.
const SHAPE: &str = "expected {\"files\": [{\"name\": …, \"sha256\": …, \"bytes\": …, \"rows\": …}]}, or a CSV \
                     file with the columns name, sha256, bytes and rows";

/// The promises of a manifest. What is wrong is told without anything of its content.
///
/// # Errors
/// What was expected, where.
pub(super) fn parse(name: &str, beside: &Path, bytes: &[u8]) -> Result<Vec<Control>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_bytes| format!("it is no UTF-8 text; {SHAPE}"))?;
    let text = text.trim_start_matches('\u{feff}');
    let lines = if text.trim_start().starts_with(['{', '[']) { json(text)? } else { csv(text)? };
    if lines.len() > FEED_FILES_MAX {
        return Err(format!("it names more than {FEED_FILES_MAX} files"));
    }
    lines
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            let is_digest = line.sha256.len() == 64 && line.sha256.bytes().all(|b| b.is_ascii_hexdigit());
            if !is_digest {
                return Err(format!("file {}: expected `sha256` as 64 hexadecimal digits", index + 1));
            }
            if line.name.is_empty() || line.name.contains(['/', '\\']) {
                return Err(format!("file {}: expected `name` as a name without a folder", index + 1));
            }
            Ok(Control {
                name: line.name,
                sha256: line.sha256.to_lowercase(),
                bytes: line.bytes,
                rows: line.rows,
                manifest: name.to_owned(),
                beside: beside.to_owned(),
            })
        })
        .collect()
}

fn json(text: &str) -> Result<Vec<Line>, String> {
    match serde_json::from_str(text) {
        Ok(Written::Files { files } | Written::List(files)) => Ok(files),
        Err(error) => Err(format!("line {}: {SHAPE}", error.line())),
    }
}

fn csv(text: &str) -> Result<Vec<Line>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut has = |name: &str| reader.headers().is_ok_and(|names| names.iter().any(|one| one == name));
    if !["name", "sha256", "bytes"].into_iter().all(&mut has) {
        return Err(format!("line 1: {SHAPE}"));
    }
    let mut lines = Vec::new();
    for line in reader.deserialize() {
        match line {
            Ok(line) => lines.push(line),
            Err(error) => {
                let at = error.position().map_or(1, csv::Position::line);
                return Err(format!("line {at}: {SHAPE}"));
            }
        }
    }
    Ok(lines)
}

impl Control {
    /// What of the bytes is not as promised: what, what was expected, what was found.
    pub(in crate::gateway) fn mismatch(&self, size_bytes: u64, sha256: [u8; 32]) -> Option<(String, String)> {
        if self.bytes != size_bytes {
            return Some((format!("{} bytes", self.bytes), format!("{size_bytes}")));
        }
        let found: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        (self.sha256 != found).then(|| (format!("SHA-256 {}", self.sha256), found))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sha2::{Digest as _, Sha256};

    use super::{Control, parse};

    const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn json_and_csv_say_the_same() {
        let json = format!(r#"{{"files":[{{"name":"a b.csv","sha256":"{DIGEST}","bytes":3,"rows":1}}]}}"#);
        let list =
            format!(r#"[{{"name":"a b.csv","sha256":"{}","bytes":3,"rows":1}}]"#, DIGEST.to_uppercase());
        let csv = format!("name,sha256,bytes,rows\na b.csv,{DIGEST},3,1\n");
        let of = |text: &str| parse("m", Path::new(""), text.as_bytes()).unwrap();
        assert_eq!(of(&json), of(&list));
        assert_eq!(of(&json), of(&csv));
        assert_eq!(of(&json)[0].rows, Some(1));
        let without = of(&format!("sha256,name,bytes\n{DIGEST},a.csv,3\n"));
        assert_eq!(without[0].rows, None);
    }

    #[test]
    fn what_is_wrong_is_told_without_quoting() {
        for text in
            ["{", "[{}]", "name\nsecret", r#"[{"name":"../x","sha256":"secret","bytes":1}]"#, "\u{fffd}"]
        {
            let told = parse("m", Path::new(""), text.as_bytes()).unwrap_err();
            assert!(told.contains("expected") && !told.contains("secret"), "{told}");
        }
        let elsewhere = format!(r#"[{{"name":"../x","sha256":"{DIGEST}","bytes":1}}]"#);
        assert!(parse("m", Path::new(""), elsewhere.as_bytes()).unwrap_err().contains("without a folder"));
    }

    #[test]
    fn bytes_that_are_not_as_promised_are_told_apart() {
        let control = parse("m", Path::new(""), format!("name,sha256,bytes\na,{DIGEST},3").as_bytes());
        let control: Control = control.unwrap().remove(0);
        assert_eq!(control.mismatch(3, Sha256::digest(b"abc").into()), None);
        assert_eq!(control.mismatch(2, [0; 32]), Some(("3 bytes".to_owned(), "2".to_owned())));
        assert!(control.mismatch(3, Sha256::digest(b"abd").into()).unwrap().0.starts_with("SHA-256 ba78"));
    }
}
