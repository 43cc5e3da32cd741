//! What a person reads: data on standard output, everything else on standard error.

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Map, Value};
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::base::finding::Finding;
use crate::cli::Exit;
use crate::telemetry::log_filter;

/// Where a verb prints.
pub struct Print {
    /// Whether data is wanted as JSON.
    pub is_json: bool,
}

/// Why a command could not be run, in words that say where and what to do.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// What is wrong, with its causes.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure to run, told with all its causes.
    #[must_use]
    pub fn new(error: &(dyn Error + 'static)) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let told = inner.to_string();
            if !text.contains(&told) {
                text.push_str(": ");
                text.push_str(&told);
            }
            cause = inner.source();
        }
        Self { exit: Exit::CouldNotRun, text, hint: None }
    }

    /// A failure told in words.
    #[must_use]
    pub fn told(text: impl Into<String>) -> Self {
        Self { exit: Exit::CouldNotRun, text: text.into(), hint: None }
    }

    /// The same, with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, with another exit code.
    #[must_use]
    pub const fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(&error)
    }
}

impl Print {
    /// A printer of text or JSON.
    #[must_use]
    pub const fn new(is_json: bool) -> Self {
        Self { is_json }
    }

    /// Prints lines of data.
    ///
    /// # Errors
    /// Where standard output cannot be written; a closed pipe is no error.
    pub fn data(&self, text: impl fmt::Display) -> Result<(), Failure> {
        piped(writeln!(io::stdout().lock(), "{text}"))
    }

    /// Prints one JSON document.
    ///
    /// # Errors
    /// Where standard output cannot be written; a closed pipe is no error.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value)?;
        self.data(text)
    }

    /// Tells something on the way.
    pub fn note(&self, text: impl fmt::Display) {
        // Nobody left to tell is no failure.
        let _written = writeln!(io::stderr().lock(), "{text}");
    }

    /// Tells why the command could not be run.
    pub fn failure(&self, failure: &Failure) {
        self.note(format_args!("error: {}", failure.text));
        if let Some(hint) = &failure.hint {
            self.note(format_args!("hint: {hint}"));
        }
    }

    /// A bar for long work, shown only at a terminal. `total` of 0 counts without an end.
    #[must_use]
    pub fn progress(&self, total: u64, what: &'static str) -> ProgressBar {
        if !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let (bar, template) = match total {
            0 => (ProgressBar::new_spinner(), "{spinner} {msg} {human_pos} ({per_sec})"),
            _ => (ProgressBar::new(total), "{bar:32} {msg} {human_pos}/{human_len} ({eta})"),
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_template| ProgressStyle::default_bar());
        bar.with_style(style).with_message(what)
    }
}

fn piped(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(&error).hint("is the disk full?"))
        }
        _ => Ok(()),
    }
}

/// Starts the log on standard error. `WAYLEAVE_LOG` sets how much, as `warn` or
/// `wayleave=debug`; warnings by default.
pub fn start_log() {
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_target(true);
    // A second start, in a test, keeps the first.
    let _started = tracing_subscriber::registry().with(lines.with_filter(log_filter("warn"))).try_init();
}

/// A finding, and what became of its unit where that is known.
pub(crate) fn finding_json(finding: &Finding, outcome: Option<&str>) -> Map<String, Value> {
    let mut line = Map::new();
    let origin = &finding.origin;
    if let Some(sheet) = &origin.sheet {
        line.insert("sheet".to_owned(), Value::from(&**sheet));
    }
    if let Some(number) = origin.line {
        line.insert("line".to_owned(), Value::from(number));
    }
    if let Some(column) = &origin.column {
        line.insert("column".to_owned(), Value::from(&**column));
    }
    if let Some(path) = &origin.path {
        line.insert("path".to_owned(), Value::from(&**path));
    }
    if let Some(outcome) = outcome {
        line.insert("outcome".to_owned(), Value::from(outcome));
    }
    line.insert("severity".to_owned(), Value::from(finding.severity.as_str()));
    line.insert("code".to_owned(), Value::from(finding.code.as_str()));
    line.insert("expected".to_owned(), Value::from(finding.expected.as_str()));
    line.insert("hint".to_owned(), Value::from(finding.advice()));
    line
}

/// A word as it has to be typed.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_./:\\=,+@%".contains(letter);
    match word {
        "" => "\"\"".to_owned(),
        word if word.chars().all(is_plain) => word.to_owned(),
        // Double quotes hold on every system; within them a Unix shell still reads these.
        word if cfg!(unix) && word.contains(['"', '$', '`', '!', '\\']) => {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
        word => format!("\"{word}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        for (word, typed) in [
            ("demo/wayleave.toml", "demo/wayleave.toml"),
            ("my demo", "\"my demo\""),
            ("Größe & co", "\"Größe & co\""),
            ("a;b", "\"a;b\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(word), typed);
        }
        #[cfg(unix)]
        assert_eq!(quoted("it's $5"), "'it'\\''s $5'");
    }
}
