//! The argument of an operation, as a mapping file gives it.

use std::ops::Range;

use rust_decimal::Decimal;

use crate::mapping::file::node::{Node, Placed};

/// The argument of an operation; `None` for a bare name.
#[derive(Clone, Copy)]
pub struct Argument<'a>(pub Option<&'a Placed<Node>>);

/// An argument that the operation does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misuse {
    /// Where, if not at the operation's name.
    pub span: Option<Range<usize>>,
    /// What was expected.
    pub message: String,
}

impl Misuse {
    /// A misuse at the operation itself.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { span: None, message: message.into() }
    }
}

/// One entry of a table: its key and its value.
pub type Entry = (Placed<String>, Placed<Node>);

impl<'a> Argument<'a> {
    /// No argument.
    ///
    /// # Errors
    /// Where there is one.
    pub fn none(&self) -> Result<(), Misuse> {
        match self.0 {
            None => Ok(()),
            Some(node) => Err(misuse(node, "expected no argument: write the name alone")),
        }
    }

    /// A text.
    ///
    /// # Errors
    /// Where it is none, or empty.
    pub fn text(&self, what: &str) -> Result<&'a str, Misuse> {
        match self.0 {
            Some(Placed { value: Node::Text(text), .. }) if !text.is_empty() => Ok(text),
            Some(node) => Err(misuse(node, &format!("expected {what} as a text"))),
            None => Err(Misuse::new(format!("expected {what}: `{{ name = \"..\" }}`"))),
        }
    }

    /// A text, or nothing.
    ///
    /// # Errors
    /// Where it is something else.
    pub fn optional_text(&self, what: &str) -> Result<Option<&'a str>, Misuse> {
        if self.0.is_none() { Ok(None) } else { self.text(what).map(Some) }
    }

    /// A whole number.
    ///
    /// # Errors
    /// Where it is none.
    pub fn whole(&self, what: &str) -> Result<usize, Misuse> {
        match self.0 {
            Some(Placed { value: Node::Number(number), .. }) if number.parse::<usize>().is_ok() => {
                Ok(number.parse().unwrap_or_default())
            }
            Some(node) => Err(misuse(node, &format!("expected {what} as a whole number"))),
            None => Err(Misuse::new(format!("expected {what}"))),
        }
    }

    /// A number, as a number or a text.
    ///
    /// # Errors
    /// Where it is none.
    pub fn number(&self, what: &str) -> Result<Decimal, Misuse> {
        let number = match self.0.map(|node| &node.value) {
            Some(Node::Number(number) | Node::Text(number)) => number.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| match self.0 {
            Some(node) => misuse(node, &format!("expected {what} as a number")),
            None => Misuse::new(format!("expected {what}")),
        })
    }

    /// The named arguments in a table; all must be known.
    ///
    /// # Errors
    /// Where one is not known, or it is no table.
    pub fn named<const N: usize>(&self, known: [&str; N]) -> Result<[Argument<'a>; N], Misuse> {
        let entries = self.entries(&known.join("`, `"))?;
        if let Some((key, _)) = entries.iter().find(|(key, _)| !known.contains(&key.value.as_str())) {
            let message = format!("unknown argument `{}`; known are `{}`", key.value, known.join("`, `"));
            return Err(Misuse { span: Some(key.span.clone()), message });
        }
        Ok(known
            .map(|name| Argument(entries.iter().find(|(key, _)| key.value == name).map(|(_, value)| value))))
    }

    /// The entries of a table.
    ///
    /// # Errors
    /// Where it is no table.
    pub fn entries(&self, what: &str) -> Result<&'a [Entry], Misuse> {
        match self.0 {
            Some(Placed { value: Node::Table(entries), .. }) => Ok(entries),
            Some(node) => Err(misuse(node, &format!("expected a table with `{what}`"))),
            None => Err(Misuse::new(format!("expected a table with `{what}`"))),
        }
    }

    /// True if it is a table.
    #[must_use]
    pub fn is_table(&self) -> bool {
        matches!(self.0, Some(Placed { value: Node::Table(_), .. }))
    }
}

fn misuse(node: &Placed<Node>, message: &str) -> Misuse {
    Misuse { span: Some(node.span.clone()), message: message.to_owned() }
}
