//! What is wrong with a mapping file, shown at its place.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::format::address::nearest;

/// A text that was given to be read, and its name: what a diagnostic quotes from.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file's name, as the reader of a message knows it.
    pub name: Arc<str>,
    /// All of it.
    pub text: Arc<str>,
}

/// One fault of a mapping file, code list or case file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// How many characters are meant; 0 where the line is not shown.
    pub width: usize,
    /// The line itself, or why it is not shown.
    pub text: String,
    /// What was expected, and what was found.
    pub message: String,
    /// What to do. Empty if nothing more can be said.
    pub hint: String,
}

/// Every fault of a file, in the order they were found. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Source {
    /// A named text.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: Arc::from(name), text: Arc::from(text) }
    }

    /// A fault at a place in this text.
    #[must_use]
    pub fn fault(&self, span: &Range<usize>, message: impl Into<String>) -> Diagnostic {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |index| index + 1);
        let text = self.text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let meant = self.text.get(span.clone()).unwrap_or_default();
        let width = meant.lines().next().unwrap_or_default().trim_end().chars().count().max(1);
        Diagnostic {
            file: Arc::clone(&self.name),
            line: before.matches('\n').count() + 1,
            column,
            width,
            text: text.to_owned(),
            message: message.into(),
            hint: String::new(),
        }
    }
}

impl Diagnostic {
    /// The same fault, with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The same fault without its line, which not everybody is to read.
    #[must_use]
    pub fn withhold(mut self, why: &str) -> Self {
        self.text = format!("(withheld: {why})");
        self.width = 0;
        self
    }

    /// The same fault, with the nearest of the known words as advice, or all of them where there
    /// are few.
    #[must_use]
    pub fn nearest<'w>(self, word: &str, known: impl IntoIterator<Item = &'w str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match nearest(word, known.iter().copied()).into_iter().next() {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None if !known.is_empty() && known.len() <= LISTED_MAX => {
                self.hint(format!("one of `{}`", known.join("`, `")))
            }
            None => self,
        }
    }
}

/// Known words that are all listed in a hint: what fits on a line or two.
const LISTED_MAX: usize = 12;

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let indent: String = self
            .text
            .chars()
            .take(self.column.saturating_sub(1))
            .map(|letter| if letter == '\t' { '\t' } else { ' ' })
            .collect();
        writeln!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        writeln!(f, "{margin} |")?;
        write!(f, "{number} | {}", self.text)?;
        if self.width > 0 {
            write!(f, "\n{margin} | {indent}{}", "^".repeat(self.width))?;
        }
        if !self.hint.is_empty() {
            write!(f, "\nhint: {}", self.hint)?;
        }
        Ok(())
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn a_fault_shows_the_line_and_a_caret() {
        let source = Source::new("x.toml", "name = 1\nverson = 2\n");
        let start = source.text.find("verson").unwrap();
        let fault =
            source.fault(&(start..start + 6), "unknown key `verson`").nearest("verson", ["name", "version"]);
        insta::assert_snapshot!(fault, @r"
        x.toml:2:1: unknown key `verson`
          |
        2 | verson = 2
          | ^^^^^^
        hint: did you mean `version`?
        ");
    }
}
