//! Where a thing stands in what was sent.

use std::fmt;
use std::sync::Arc;

/// A place in a file or message, as exactly as the format allows.
///
/// Holds names and positions only, never a value from the data.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// File name as the sender gave it, without its folder.
    pub file: Option<Arc<str>>,
    /// Worksheet, where there is one.
    pub sheet: Option<Arc<str>>,
    /// Line (text) or row (sheet), from 1. For a quoted cell with line breaks: where the row began.
    pub line: Option<u64>,
    /// The sender's own column name.
    pub column: Option<Arc<str>>,
    /// Byte offset from the start of the decoded file.
    pub byte: Option<u64>,
    /// XML, JSON or HL7 path, such as `PID-3[2].1` or `/entry/4/resource/name`.
    pub path: Option<Arc<str>>,
}

impl Origin {
    /// The whole of one file.
    #[must_use]
    pub fn file(name: &str) -> Self {
        Self { file: Some(Arc::from(name)), ..Self::default() }
    }

    /// This place, at a line.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// This place, in a column.
    #[must_use]
    pub fn in_column(mut self, column: &str) -> Self {
        self.column = Some(Arc::from(column));
        self
    }

    /// This place, on a sheet.
    #[must_use]
    pub fn on_sheet(mut self, sheet: &str) -> Self {
        self.sheet = Some(Arc::from(sheet));
        self
    }

    /// This place, at a byte offset.
    #[must_use]
    pub fn at_byte(mut self, byte: u64) -> Self {
        self.byte = Some(byte);
        self
    }

    /// This place, at a path within a tree.
    #[must_use]
    pub fn at_path(mut self, path: &str) -> Self {
        self.path = Some(Arc::from(path));
        self
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lead = "";
        let mut part = |f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>| {
            let result = write!(f, "{lead}{text}");
            lead = ", ";
            result
        };
        if let Some(file) = &self.file {
            part(f, format_args!("{file}"))?;
        }
        if let Some(sheet) = &self.sheet {
            part(f, format_args!("sheet `{sheet}`"))?;
        }
        if let Some(line) = self.line {
            part(f, format_args!("line {line}"))?;
        }
        if let Some(column) = &self.column {
            part(f, format_args!("column `{column}`"))?;
        }
        if let Some(path) = &self.path {
            part(f, format_args!("at {path}"))?;
        }
        if self.line.is_none()
            && self.path.is_none()
            && let Some(byte) = self.byte
        {
            part(f, format_args!("byte {byte}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn reads_as_a_person_would_say_it() {
        let origin = Origin::file("cld.csv").at_line(9).in_column("Date of Birth");
        assert_eq!(origin.to_string(), "cld.csv, line 9, column `Date of Birth`");
    }
}
