//! When a partner is told: the occasion of a flow, held against the open half of a record.

use serde_json::Value;

use crate::base::day::Day;
use crate::record::kind::Kind;
use crate::record::schema::{self, Holds};

/// What happens to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It has begun: its first day is there, and has come.
    Started,
    /// It has ended: its last day is there, and has come.
    Ended,
    /// Anything of it is new.
    Changed,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 3] = [Self::Started, Self::Ended, Self::Changed];

    /// The word in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Ended => "ended",
            Self::Changed => "changed",
        }
    }

    /// The field that holds its day.
    const fn field(self) -> Option<&'static str> {
        match self {
            Self::Started => Some("started_on"),
            Self::Ended => Some("ended_on"),
            Self::Changed => None,
        }
    }
}

/// The occasion of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// The kind of record.
    pub kind: Kind,
    /// What happens to it.
    pub event: Event,
    /// What its fields must hold: one of some words.
    pub fields: Vec<(&'static str, Vec<String>)>,
}

/// Why an occasion cannot be used: what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnOccasion(pub String);

impl When {
    /// An occasion in the words of the configuration.
    ///
    /// # Errors
    /// Where there is no such kind, event, field or word.
    pub fn parse<'w>(
        kind: &str,
        event: &str,
        fields: impl IntoIterator<Item = (&'w String, &'w [String])>,
    ) -> Result<Self, NotAnOccasion> {
        let known: Kind = kind
            .parse()
            .map_err(|_kind| NotAnOccasion(format!("there is no kind of record called `{kind}`")))?;
        let happens = Event::ALL.into_iter().find(|one| one.as_str() == event).ok_or_else(|| {
            NotAnOccasion(format!("expected `started`, `ended` or `changed` in `event`, not `{event}`"))
        })?;
        let schema = schema::of(known);
        if let Some(day) = happens.field().filter(|day| schema.field(day).is_none()) {
            return Err(NotAnOccasion(format!("the kind `{known}` has no `{day}`; use event = \"changed\"")));
        }
        let mut of = Vec::new();
        for (name, words) in fields {
            let field = schema
                .field(name)
                .ok_or_else(|| NotAnOccasion(format!("the kind `{known}` has no field called `{name}`")))?;
            if field.privacy.is_sealed() {
                let told = format!("`{name}` names somebody; an occasion is told by what names nobody");
                return Err(NotAnOccasion(told));
            }
            if let Holds::Word(known) = &field.holds
                && let Some(word) = words.iter().find(|word| !known.contains(word))
            {
                let told = format!("`{name}` is never `{word}`; it is one of `{}`", known.join("`, `"));
                return Err(NotAnOccasion(told));
            }
            of.push((field.name, words.to_vec()));
        }
        Ok(Self { kind: known, event: happens, fields: of })
    }

    /// The fields that whoever is told learns something of by being told.
    pub fn occasion_fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| *name).chain(self.event.field())
    }

    /// From which day on a record is an occasion; none where it is not. `body` is its open half.
    #[must_use]
    pub fn since(&self, body: &Value, today: Day) -> Option<Day> {
        let is_fit = self.fields.iter().all(|(name, words)| match body.get(name) {
            Some(Value::String(text)) => words.contains(text),
            Some(Value::Bool(truth)) => words.contains(&truth.to_string()),
            Some(Value::Number(number)) => words.contains(&number.to_string()),
            _ => false,
        });
        if !is_fit {
            return None;
        }
        match self.event.field() {
            None => Some(today),
            Some(day) => body.get(day)?.as_str()?.parse::<Day>().ok().map(|day| day.max(today)),
        }
    }
}
