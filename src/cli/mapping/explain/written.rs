//! How a field that is explained is written in another layout, and what that loses.

use serde_json::{Value, json};

use crate::base::private::{Grant, Show};
use crate::mapping::Mapping;
use crate::mapping::explain::Explained;
use crate::mapping::explain::written::{Way, Written};

pub(super) fn lines(explained: &Explained, to: &Mapping, grant: Option<&Grant<Show>>) -> Vec<String> {
    let mut out = vec![format!("  to     {} version {}", to.name, to.version)];
    let written = to.explain_written(explained);
    if written.is_empty() {
        out.push("         has no place for it: it is not written".to_owned());
    }
    for Written { at, codes, way } in &written {
        let codes = codes.as_ref().map(|list| format!(", codes {}, version {}", list.name, list.version));
        let place = format!("  at     `{}`{}", at.join("`, `"), codes.unwrap_or_default());
        match way {
            Way::Word(word) => out.push(format!("{place}: `{word}`")),
            Way::Wider(word) => {
                out.push(format!("{place}: `{word}`"));
                out.push(format!("  lossy  `{word}` stands for more than this, and is not read back as it"));
            }
            Way::NoWord => {
                out.push(place);
                out.push("  lossy  the list has no word for it".to_owned());
            }
            Way::Value(value) => out.push(format!("{place}: {}", value.text(grant))),
        }
    }
    out
}

pub(super) fn as_json(explained: &Explained, to: &Mapping, grant: Option<&Grant<Show>>) -> Value {
    let places: Vec<Value> = to
        .explain_written(explained)
        .iter()
        .map(|Written { at, codes, way }| {
            let (word, loses) = match way {
                Way::Word(word) => (Some(word.clone()), None),
                Way::Wider(word) => (Some(word.clone()), Some("wider")),
                Way::NoWord => (None, Some("no-word")),
                Way::Value(value) => (Some(value.text(grant)), None),
            };
            json!({"at": at, "list": codes.as_ref().map(|list| &list.name), "word": word, "loses": loses})
        })
        .collect();
    json!({"mapping": to.name, "version": to.version, "places": places})
}
