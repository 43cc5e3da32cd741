//! One field of a record: its operations, its types, its constants.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use super::{Blank, Compiler, Other, Published, Rule, Wrong};
use crate::base::finding::Code;
use crate::base::origin::Origin;
use crate::mapping::code_list::CodeList;
use crate::mapping::file::RawField;
use crate::mapping::file::node::{Node, Placed};
use crate::mapping::op::argument::Argument;
use crate::mapping::op::value::{Type, Value};
use crate::mapping::op::{Inputs, Op, WayBack};
use crate::mapping::read::leaf;
use crate::record::draft::Draft;
use crate::record::schema::{Field, Holds, Privacy, Schema};

/// The field of a check: none of any schema.
static CHECKED: LazyLock<Field> = LazyLock::new(|| Field {
    name: "",
    description: String::new(),
    holds: Holds::Text,
    privacy: Privacy::Plain,
    is_required: false,
});

impl Compiler<'_> {
    pub(super) fn rule(
        &mut self,
        raw: &RawField,
        schema: &'static Schema,
        one_way: bool,
        sheet: Option<&str>,
    ) -> Option<Rule> {
        let Some(field) = schema.field(&raw.to.value) else {
            let known = schema.fields.iter().map(|field| field.name);
            self.unknown(&raw.to, &format!("field of `{}`", schema.kind), known);
            return None;
        };
        let one_way = one_way || raw.one_way || raw.is_delete;
        match (raw.from.is_empty(), &raw.value) {
            (true, None) if raw.is_delete => {}
            (_, _) if raw.is_delete => {
                self.fault(&raw.to.span, "`delete` stands alone: leave out `from` and `value`");
            }
            (true, None) => self.fault(&raw.to.span, "expected `from`, or a constant `value`"),
            (false, Some(value)) => self.fault(&value.span, "a constant is not read: leave out `from`"),
            _ => {}
        }
        for address in &raw.from {
            self.check_address(address, sheet);
        }
        let codes = raw.codes.as_ref().and_then(|name| self.code_list(name, schema, field));
        let steps = match &raw.pipeline {
            Some(ops) => ops.iter().filter_map(|op| self.op(op)).collect(),
            None => default_steps(field, raw, codes.is_some()),
        };
        let is_whole = raw.pipeline.as_ref().is_none_or(|ops| ops.len() == steps.len());
        if is_whole && raw.value.is_none() && !raw.is_delete {
            self.check_steps(raw, field, &steps, codes.is_some());
            self.check_written(raw, &steps, one_way);
        }
        for op in &steps {
            if let Op::Words(words) = op {
                self.check_canonical(&words.0, &raw.to.span, schema, field, steps.len() == 1);
            }
        }
        let mut rule = rule_of(raw, field, steps, codes);
        rule.written = self.written(raw, &rule.steps);
        rule.value = match &raw.value {
            _ if raw.is_delete => Some(Draft::Null),
            value => value.as_ref().and_then(|value| self.constant(value, schema, field)),
        };
        rule.default = raw.default.as_ref().and_then(|value| self.constant(value, schema, field));
        rule.one_way = one_way;
        Some(rule)
    }

    /// A cell that is looked at and not kept: it has no field of the record behind it.
    pub(super) fn check(
        &mut self,
        raw: &RawField,
        schema: &'static Schema,
        sheet: Option<&str>,
    ) -> Option<Rule> {
        for address in &raw.from {
            self.check_address(address, sheet);
        }
        if raw.from.len() != 1 || raw.value.is_some() || raw.default.is_some() {
            self.fault(
                &raw.span,
                "a check looks at one cell: expected `from`, and neither `value` nor `default`",
            );
            return None;
        }
        let steps = raw.pipeline.iter().flatten().filter_map(|op| self.op(op)).collect();
        let codes = raw.codes.as_ref().and_then(|name| self.code_list(name, schema, &CHECKED));
        let mut rule = rule_of(raw, &CHECKED, steps, codes);
        rule.written = self.written(raw, &rule.steps);
        rule.is_check = true;
        rule.one_way = true;
        Some(rule)
    }

    /// The operations as the file writes them, or as they are called.
    fn written(&self, raw: &RawField, steps: &[Op]) -> Vec<String> {
        match &raw.pipeline {
            Some(ops) => ops.iter().map(|op| op.written(&self.raw.source)).collect(),
            None => steps.iter().map(|op| op.doc().name.to_owned()).collect(),
        }
    }

    fn check_steps(&mut self, raw: &RawField, field: &Field, steps: &[Op], has_codes: bool) {
        let mut gives = Type::Cell;
        for (index, op) in steps.iter().enumerate() {
            let doc = op.doc();
            let count = if index == 0 { raw.from.len() } else { 1 };
            let fits = match doc.inputs {
                Inputs::One | Inputs::OneOrBlank => count == 1,
                Inputs::Several => count > 1,
                Inputs::Exactly(number) => count == number,
            };
            if !fits {
                let wanted = match doc.inputs {
                    Inputs::One | Inputs::OneOrBlank => "one cell".to_owned(),
                    Inputs::Several => "two cells or more".to_owned(),
                    Inputs::Exactly(number) => format!("{number} cells"),
                };
                self.fault(&raw.to.span, format!("`{}` takes {wanted}, found {count}", doc.name));
                return;
            }
            if gives != Type::Cell && doc.takes != Type::Cell && gives != doc.takes {
                let message =
                    format!("`{}` takes {}, but is given {}", doc.name, doc.takes.as_str(), gives.as_str());
                self.fault(&raw.to.span, message);
                return;
            }
            gives = doc.gives;
        }
        let is_list = matches!(field.holds, Holds::Texts);
        if has_codes {
            gives = if is_list && gives == Type::List { Type::List } else { Type::Cell };
        }
        let wanted = type_of(&field.holds);
        // A list of words may stand for numbers and truth values; its words are checked one by one.
        let is_checked_elsewhere = matches!(steps.last(), Some(Op::Words(_))) && !is_list;
        if gives != Type::Cell && gives != wanted && !is_checked_elsewhere {
            let message =
                format!("`{}` holds {}, but is given {}", field.name, wanted.as_str(), gives.as_str());
            self.fault(&raw.to.span, message);
        }
    }

    fn check_written(&mut self, raw: &RawField, steps: &[Op], one_way: bool) {
        let lost = steps.iter().find(|op| op.doc().way_back == WayBack::Lost);
        if let (Some(op), false) = (lost, one_way) {
            self.advise(
                &raw.to.span,
                format!("`{}` has no way back", op.doc().name),
                "say `one_way = true`: the field is read, and never written",
            );
        }
    }

    fn code_list(
        &mut self,
        name: &Placed<String>,
        schema: &Schema,
        field: &'static Field,
    ) -> Option<Arc<CodeList>> {
        let Some(source) = self.codes.find(&name.value) else {
            let known = self.codes.names();
            self.unknown(name, "code list", known.iter().map(String::as_str));
            return None;
        };
        match CodeList::parse(&name.value, &source) {
            Ok(mut list) => {
                self.note_others(&mut list, name);
                self.check_canonical(&list, &name.span, schema, field, true);
                let lost = list
                    .lost()
                    .map(|word| format!("`{word}` has no preferred source, so it cannot be written"));
                let widened = list.widened().map(|word| format!("`{word}` is written as a wider word"));
                for said in lost.chain(widened) {
                    let note = format!("code list `{}`: {said}", list.name);
                    if !self.notes.contains(&note) {
                        self.notes.push(note);
                    }
                }
                self.used.insert(name.value.clone());
                Some(Arc::new(list))
            }
            Err(faults) => {
                // The same list may be named by several fields; its faults are said once.
                if self.used.insert(name.value.clone()) {
                    self.faults.extend(faults.0);
                }
                None
            }
        }
    }

    /// The lists of other releases that a list names.
    fn note_others(&mut self, list: &mut CodeList, at: &Placed<String>) {
        for other in std::mem::take(&mut list.others) {
            let named = Placed { value: other, span: at.span.clone() };
            let Some(source) = self.codes.find(&named.value) else {
                let known = self.codes.names();
                self.unknown(&named, "code list", known.iter().map(String::as_str));
                continue;
            };
            // Its own faults are said where a mapping uses it.
            if let Ok(other) = CodeList::parse(&named.value, &source) {
                list.note_other(&other);
            }
            list.others.push(named.value);
        }
    }

    /// Every word of a list has to be one that the field may hold.
    fn check_canonical(
        &mut self,
        list: &CodeList,
        span: &Range<usize>,
        schema: &Schema,
        field: &'static Field,
        is_last: bool,
    ) {
        if !is_last || field.name.is_empty() {
            return;
        }
        let wrong: Vec<String> = list
            .canonical()
            .filter(|word| {
                let value = match field.holds {
                    Holds::Texts => Value::List(vec![(*word).to_owned()]),
                    _ => Value::owned((*word).to_owned()),
                };
                !leaf(value, field).is_ok_and(|leaf| is_allowed(schema, field, leaf))
            })
            .map(str::to_owned)
            .collect();
        if let Some(word) = wrong.first() {
            let hint = match &field.holds {
                Holds::Word(words) => format!("`{}` holds one of `{}`", field.name, words.join("`, `")),
                _ => format!("{} of its words are wrong", wrong.len()),
            };
            let message =
                format!("the list `{}` gives `{word}`, which `{}` may not hold", list.name, field.name);
            self.advise(span, message, hint);
        }
    }

    fn constant(&mut self, node: &Placed<Node>, schema: &Schema, field: &'static Field) -> Option<Draft> {
        let value = match (&node.value, &field.holds) {
            (Node::Text(text), Holds::Day) => text.parse().map(Value::Day).ok(),
            (Node::Text(text), _) => Some(Value::owned(text.clone())),
            (Node::Number(number), _) => number.parse().map(Value::Number).ok(),
            (Node::Truth(truth), _) => Some(Value::Truth(*truth)),
            _ => None,
        };
        let made = value.and_then(|value| leaf(value, field).ok());
        match made {
            Some(made) if is_allowed(schema, field, made.clone()) => Some(made),
            _ => {
                let hint = match &field.holds {
                    Holds::Word(words) => format!("one of `{}`", words.join("`, `")),
                    other => format!("it holds {}", type_of(other).as_str()),
                };
                self.advise(&node.span, format!("`{}` may not hold this", field.name), hint);
                None
            }
        }
    }
}

/// A rule as its words say; neither constant, default nor direction.
fn rule_of(raw: &RawField, field: &'static Field, steps: Vec<Op>, codes: Option<Arc<CodeList>>) -> Rule {
    let word =
        |word: &Option<Placed<String>>| word.as_ref().map_or("", |word| word.value.as_str()).to_owned();
    Rule {
        field,
        from: raw.from.iter().map(|from| from.value.clone()).collect(),
        steps,
        written: Vec::new(),
        codes,
        other: match word(&raw.other).as_str() {
            "quarantine" => Other::Quarantine,
            "keep-as-text" => Other::KeepAsText,
            "warn" => Other::Warn,
            _ => Other::Reject,
        },
        blank: match word(&raw.blank).as_str() {
            "reject" => Blank::Reject,
            "quarantine" => Blank::Quarantine,
            "delete" => Blank::Delete,
            "warn" => Blank::Warn,
            _ => Blank::Absent,
        },
        wrong: match word(&raw.wrong).as_str() {
            "quarantine" => Wrong::Quarantine,
            "warn" => Wrong::Warn,
            _ => Wrong::Reject,
        },
        published: published(&raw.published),
        value: None,
        default: None,
        one_way: false,
        is_keyed: false,
        is_check: false,
    }
}

fn published(codes: &[(String, String)]) -> Published {
    let code = |of: &str| codes.iter().find(|(name, _)| name == of).map(|(_, code)| code.clone());
    Published {
        blank: code("blank").unwrap_or_default(),
        format: code("format").unwrap_or_default(),
        code: code("code").unwrap_or_default(),
    }
}

/// The operations of a field whose mapping leaves them out.
fn default_steps(field: &Field, raw: &RawField, has_codes: bool) -> Vec<Op> {
    if has_codes || raw.value.is_some() {
        return Vec::new();
    }
    let semicolon = Placed { value: Node::Text(";".to_owned()), span: 0..0 };
    let (name, argument) = match field.holds {
        Holds::Text | Holds::Word(_) => ("text", None),
        Holds::Day => ("date", None),
        Holds::Integer => ("integer", None),
        Holds::Number => ("number", None),
        Holds::Truth => ("true-false", None),
        Holds::Texts => ("list", Some(&semicolon)),
    };
    Op::build(name, &Argument(argument)).and_then(Result::ok).into_iter().collect()
}

const fn type_of(holds: &Holds) -> Type {
    match holds {
        Holds::Text | Holds::Word(_) => Type::Text,
        Holds::Day => Type::Day,
        Holds::Integer | Holds::Number => Type::Number,
        Holds::Truth => Type::Truth,
        Holds::Texts => Type::List,
    }
}

/// Whether the schema allows a leaf in a field.
pub(in crate::mapping) fn is_allowed(schema: &Schema, field: &'static Field, leaf: Draft) -> bool {
    let mut draft = Draft::empty();
    draft.set(field.name, leaf);
    schema
        .faults(&draft, &Origin::default())
        .iter()
        .all(|(at, fault)| at.split('/').next() != Some(field.name) || fault.code == Code::SchemaRequired)
}
