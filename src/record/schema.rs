//! The schema registry: what each field of each kind is, and the check of a whole record.

use std::sync::OnceLock;

use serde_json::Value;

use crate::base::finding::{Code, Finding};
use crate::base::origin::Origin;
use crate::record::draft::{Draft, DraftJson};
use crate::record::kind::Kind;

/// Faults of one record that are reported; the rest would only repeat the first.
const FAULTS_REPORTED_MAX: usize = 20;

/// How near a field comes to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Privacy {
    /// Says nothing about anybody.
    Plain,
    /// Tells people apart together with others.
    Quasi,
    /// Would hurt if it came out.
    Sensitive,
    /// Names somebody.
    Identifier,
    /// May hold anything.
    FreeText,
}

impl Privacy {
    /// The word in `x-privacy`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Quasi => "quasi",
            Self::Sensitive => "sensitive",
            Self::Identifier => "identifier",
            Self::FreeText => "free-text",
        }
    }

    fn find(word: &str) -> Option<Self> {
        [Self::Plain, Self::Quasi, Self::Sensitive, Self::Identifier, Self::FreeText]
            .into_iter()
            .find(|privacy| privacy.as_str() == word)
    }

    /// True for what is stored only sealed.
    #[must_use]
    pub const fn is_sealed(self) -> bool {
        matches!(self, Self::Identifier | Self::FreeText)
    }
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    /// Text.
    Text,
    /// One of a closed set of words.
    Word(Vec<String>),
    /// A day, `YYYY-MM-DD`.
    Day,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A truth value.
    Truth,
    /// A list of texts.
    Texts,
}

/// One field of a kind.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name. Lives as long as the program, so that a draft can hold it without copying.
    pub name: &'static str,
    /// What it means, from the schema.
    pub description: String,
    /// What it holds.
    pub holds: Holds,
    /// How near it comes to a person.
    pub privacy: Privacy,
    /// Whether a record without it is refused.
    pub is_required: bool,
}

/// One kind's schema, ready for use.
pub struct Schema {
    /// The kind.
    pub kind: Kind,
    /// What the kind is, in one sentence.
    pub description: String,
    /// Its fields, in schema order.
    pub fields: Vec<Field>,
    /// What each rule that looks at several fields says is wrong, in schema order (`allOf`).
    rules: Vec<String>,
    check: jsonschema::Validator<DraftJson>,
}

impl Schema {
    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// True if the record keeps to the schema. The quick way.
    #[must_use]
    pub fn is_valid(&self, draft: &Draft) -> bool {
        self.check.is_valid(draft)
    }

    /// Every fault of the record (up to a bound), each with the field it is of. No value is
    /// quoted.
    #[must_use]
    pub fn faults(&self, draft: &Draft, origin: &Origin) -> Vec<(String, Finding)> {
        self.check
            .iter_errors(draft)
            .take(FAULTS_REPORTED_MAX)
            .map(|error| {
                let field = error.instance_path().as_str().trim_start_matches('/').to_owned();
                let path = error.schema_path().as_str();
                let expected = match self.rule(path) {
                    Some(rule) => format!("expected no `{}.{field}`: it is {rule}", self.kind),
                    None => format!("{} in `{}.{field}`", error.masked_with("the value"), self.kind),
                };
                (field, Finding::new(code_of(path), origin.clone(), expected))
            })
            .collect()
    }

    /// What the rule over several fields says that a place in the schema belongs to.
    fn rule(&self, schema_path: &str) -> Option<&str> {
        let number = schema_path.strip_prefix("/allOf/")?.split('/').next()?;
        self.rules.get(number.parse::<usize>().ok()?).map(String::as_str)
    }
}

fn code_of(schema_path: &str) -> Code {
    match schema_path.rsplit('/').next().unwrap_or_default() {
        "type" => Code::SchemaType,
        "pattern" | "format" => Code::SchemaPattern,
        "enum" | "const" => Code::SchemaEnum,
        "minimum" | "maximum" | "minLength" | "maxLength" | "maxItems" => Code::SchemaRange,
        "required" => Code::SchemaRequired,
        _ => Code::SchemaOther,
    }
}

/// Why the published schemas cannot be used: a fault of the build, which a test finds first.
#[derive(Debug, thiserror::Error)]
#[error("schemas/record/{kind}.json: {fault}")]
pub struct SchemaError {
    kind: Kind,
    fault: String,
}

/// The schema of a kind.
#[must_use]
#[expect(clippy::expect_used, reason = "the schemas are compiled in, and a test compiles each")]
pub fn of(kind: Kind) -> &'static Schema {
    // Each is compiled when it is first asked for: a command that meets two kinds waits for two.
    static REGISTRY: [OnceLock<Schema>; Kind::ALL.len()] = [const { OnceLock::new() }; Kind::ALL.len()];
    let (_, slot) =
        Kind::ALL.iter().zip(&REGISTRY).find(|(known, _)| **known == kind).expect("every kind has a schema");
    slot.get_or_init(|| compile(kind).expect("the published schemas compile"))
}

fn compile(kind: Kind) -> Result<Schema, SchemaError> {
    let fail = |fault: String| SchemaError { kind, fault };
    let document: Value = serde_json::from_str(kind.schema()).map_err(|error| fail(error.to_string()))?;
    let required = document.get("required").and_then(Value::as_array);
    let required: Vec<&str> = required.into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = document.get("properties").and_then(Value::as_object);
    let properties = properties.ok_or_else(|| fail("no properties".to_owned()))?;
    let mut fields = Vec::with_capacity(properties.len());
    for (name, property) in properties {
        let privacy = property["x-privacy"]
            .as_str()
            .and_then(Privacy::find)
            .ok_or_else(|| fail(format!("`{name}` carries no x-privacy")))?;
        let holds =
            holds(property).ok_or_else(|| fail(format!("`{name}` has no type that a record holds")))?;
        fields.push(Field {
            name: Box::leak(name.clone().into_boxed_str()),
            description: property["description"].as_str().unwrap_or_default().to_owned(),
            holds,
            privacy,
            is_required: required.contains(&name.as_str()),
        });
    }
    let check =
        jsonschema::options_for::<DraftJson>().build(&document).map_err(|error| fail(error.to_string()))?;
    let description = document.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
    let rules = document.get("allOf").and_then(Value::as_array);
    let rules = rules.into_iter().flatten().map(|rule| rule["description"].as_str().unwrap_or_default());
    let rules = rules.map(str::to_owned).collect();
    Ok(Schema { kind, description, fields, rules, check })
}

fn holds(property: &Value) -> Option<Holds> {
    let words = property["enum"].as_array();
    Some(match (property["type"].as_str()?, words) {
        ("string", Some(words)) => {
            Holds::Word(words.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        ("string", None) if property["format"] == "date" => Holds::Day,
        ("string", None) => Holds::Text,
        ("integer", _) => Holds::Integer,
        ("number", _) => Holds::Number,
        ("boolean", _) => Holds::Truth,
        ("array", _) => Holds::Texts,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{compile, of};
    use crate::base::origin::Origin;
    use crate::base::private::Private;
    use crate::record::draft::Draft;
    use crate::record::kind::Kind;

    #[test]
    fn every_published_schema_compiles() {
        for kind in Kind::ALL {
            assert!(compile(*kind).is_ok(), "{kind}");
        }
    }

    #[test]
    fn areas_of_two_editions_make_no_star() {
        let star = |edition: &str, area: &'static str| {
            let mut star = Draft::empty();
            star.set("edition", Draft::Text(edition.to_owned()));
            star.set("completed_on", Draft::Text("2024-03-01".to_owned()));
            star.set(area, Draft::Number(5.into()));
            let faults = of(Kind::Star).faults(&star, &Origin::default());
            assert_eq!(of(Kind::Star).is_valid(&star), faults.is_empty());
            faults
                .into_iter()
                .map(|(field, fault)| format!("{field}: {}", fault.expected))
                .collect::<String>()
        };
        for edition in ["RS1", "RS2", "RS3"] {
            assert_eq!(star(edition, "work"), "");
            assert_eq!(
                star(edition, "home"),
                "home: expected no `star.home`: it is an area of the fourth edition, in a reading of an earlier one"
            );
        }
        assert_eq!(star("RS4", "home"), "");
        assert_eq!(star("RS4", "mental_health"), "");
        assert_eq!(
            star("RS4", "work"),
            "work: expected no `star.work`: it is an area of an earlier edition, in a reading of the fourth"
        );
    }

    #[test]
    fn a_fault_never_quotes_an_identifying_value() {
        let mut person = Draft::empty();
        person.set("nhs_number", Draft::Private(Private::new("Canary".to_owned())));
        person.set("sex", Draft::Text("Canary".to_owned()));
        let faults = of(Kind::Person).faults(&person, &Origin::default());
        assert_eq!(faults.len(), 2);
        for (_, fault) in faults {
            assert!(!fault.to_string().contains("Canary"), "{fault}");
        }
    }
}
