//! From a mapping file as written to one that can be used: every name looked up, every operation
//! made ready, every way back checked.

mod each;
mod fault;
mod field;
mod format;
mod parts;
mod rules;
mod same;
mod way_back;

pub use each::Each;
pub use same::SameAs;
pub use way_back::Write;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::day::Day;
use crate::format::At;
pub(in crate::mapping) use field::is_allowed;

use crate::mapping::code_list::CodeList;
use crate::mapping::condition::{Condition, Test};
use crate::mapping::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::mapping::file::node::Placed;
use crate::mapping::file::{RawCondition, RawKey, RawMapping, RawOp, RawPart, RawRecord};
use crate::mapping::op::argument::Argument;
use crate::mapping::op::{Op, REFERENCE};
use crate::mapping::{Mapping, Snapshot, Update};
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::record::schema::{self, Field, Schema};

/// Before the name of rules where they stand among the code lists that a mapping names.
pub const RULES: &str = "rules/";

/// The code lists and rules a mapping may name. The text of each, by name.
pub trait CodeLists {
    /// The list of that name, as its file holds it.
    fn find(&self, name: &str) -> Option<Source>;
    /// Every name, for a hint.
    fn names(&self) -> Vec<String>;
    /// The rules of a data set, under [`RULES`] and their name.
    fn rules(&self, name: &str) -> Option<Source>;
}

/// One record block, ready for use.
pub struct Block {
    /// Where its `[[record]]` stands in the file, from 1. Blocks of several sheets share one.
    pub number: usize,
    /// The kind it makes.
    pub kind: Kind,
    /// The kind's schema.
    pub schema: &'static Schema,
    /// The sheet it is read from.
    pub sheet: Option<String>,
    /// When written: one row for each.
    pub drives: bool,
    /// The items of a unit each of which is a record of it.
    pub each: Option<Each>,
    /// When it takes a unit.
    pub when: Option<Condition<String>>,
    /// Parts of its key.
    pub key: Vec<Part>,
    /// The column of the row's own id, which stands for the key where it is filled. A sheet may
    /// do without it.
    pub row_id: Option<String>,
    /// What tells it apart for every feed of its source.
    pub same_as: Option<Arc<SameAs>>,
    /// Parts of the subject's key. Empty for a setting.
    pub subject: Vec<Part>,
    /// How its records stand to the ones before them.
    pub update: Update,
    /// The source's own time.
    pub source_time: Option<(String, Op)>,
    /// True if it is never written.
    pub one_way: bool,
    /// True if it is never read: it says where a person's own fields stand in a row about
    /// something else.
    pub is_written_only: bool,
    /// What is written into rows of it and never read.
    pub writes: Vec<Write>,
    /// Its fields.
    pub rules: Vec<Rule>,
}

impl Block {
    /// Every address it names, more than once if it does.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let parts = self.subject.iter().chain(&self.key).filter_map(|part| match part {
            Part::Cell(address, _) => Some(address.as_str()),
            Part::Field(_) => None,
        });
        let mut asked = Vec::new();
        if let Some(when) = &self.when {
            when.cells(&mut asked);
        }
        let asked = asked.into_iter().map(|(address, _)| address.as_str());
        let fields = self.rules.iter().flat_map(|rule| rule.from.iter().map(String::as_str));
        let time = self.source_time.iter().map(|(address, _)| address.as_str());
        let written = self.writes.iter().map(|write| write.address.as_str());
        parts.chain(asked).chain(fields).chain(time).chain(written).chain(self.row_id.as_deref())
    }
}

/// One part of a key.
#[derive(Debug, Clone)]
pub enum Part {
    /// A cell, through operations.
    Cell(String, Vec<Op>),
    /// A field of the record: its place among the rules.
    Field(usize),
}

/// How one field is read and written.
pub struct Rule {
    /// The field.
    pub field: &'static Field,
    /// The cells it is read from; none for a constant.
    pub from: Vec<String>,
    /// The operations, in order.
    pub steps: Vec<Op>,
    /// The same as the file writes them, argument and all.
    pub written: Vec<String>,
    /// The code list after them.
    pub codes: Option<Arc<CodeList>>,
    /// What a value outside a list does.
    pub other: Other,
    /// What a blank does.
    pub blank: Blank,
    /// What a refused value does.
    pub wrong: Wrong,
    /// The codes under which the layout's owner publishes these rules.
    pub published: Published,
    /// The constant.
    pub value: Option<Draft>,
    /// What stands for a blank.
    pub default: Option<Draft>,
    /// True if it is never written.
    pub one_way: bool,
    /// True if it is part of the record's key.
    pub is_keyed: bool,
    /// True if its cell is looked at and not kept.
    pub is_check: bool,
}

/// The codes under which the owner of a layout publishes the rules of a field, such as the
/// `MHSnnnnn` of the mental health services data set. Blank where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// Of a blank.
    pub blank: String,
    /// Of a value of the wrong form.
    pub format: String,
    /// Of a value outside the list.
    pub code: String,
}

/// What a value outside a list does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// The unit goes back.
    Reject,
    /// The unit is set aside.
    Quarantine,
    /// The text is kept as it is.
    KeepAsText,
    /// The field is absent, with a warning.
    Warn,
}

/// What a blank does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blank {
    /// The field is absent.
    Absent,
    /// The unit goes back.
    Reject,
    /// The unit is set aside.
    Quarantine,
    /// The old value is taken away.
    Delete,
    /// The field is absent, with a warning.
    Warn,
}

/// What a refused value does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The unit goes back.
    Reject,
    /// The unit is set aside.
    Quarantine,
    /// The field is absent, with a warning.
    Warn,
}

/// Compiles a mapping file.
///
/// # Errors
/// With every fault it has.
pub fn compile(raw: &RawMapping, codes: &dyn CodeLists) -> Result<Mapping, Diagnostics> {
    let mut compiler = Compiler { raw, codes, faults: Vec::new(), used: BTreeSet::new(), notes: Vec::new() };
    compiler.check_name();
    let settings = compiler.settings();
    let subject = raw.subject.as_ref();
    let blocks: Vec<Option<Block>> =
        raw.records.iter().map(|record| compiler.block(record, subject)).collect();
    let rules = compiler.rules();
    if raw.records.is_empty() {
        compiler.fault(&(0..0), "a mapping has at least one `[[record]]`");
    }
    if !compiler.faults.is_empty() {
        return Err(Diagnostics(compiler.faults));
    }
    let (code_lists, hash) = compiler.parts();
    Ok(Mapping {
        name: raw.name.value.clone(),
        version: raw.version,
        title: raw.title.clone(),
        hash,
        settings,
        columns: raw.format.columns.clone(),
        snapshot: if raw.is_snapshot { Snapshot::Full } else { Snapshot::Incremental },
        one_way: raw.one_way,
        is_live: false,
        notes: compiler.notes,
        rules,
        code_lists,
        blocks: blocks.into_iter().flatten().map(Arc::new).collect(),
    })
}

struct Compiler<'r> {
    raw: &'r RawMapping,
    codes: &'r dyn CodeLists,
    faults: Vec<Diagnostic>,
    used: BTreeSet<String>,
    notes: Vec<String>,
}

impl Compiler<'_> {
    fn check_name(&mut self) {
        let parts: Vec<&str> = self.raw.name.value.split('/').collect();
        let is_word = |word: &&str| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if parts.len() != 2 || !parts.iter().all(is_word) {
            let span = self.raw.name.span.clone();
            self.fault(&span, "expected a name as `<source>/<feed>`, in small letters and hyphens");
        }
    }

    fn block(&mut self, raw: &RawRecord, subject: Option<&RawKey>) -> Option<Block> {
        let Ok(kind) = raw.kind.value.parse::<Kind>() else {
            self.unknown(&raw.kind, "kind", Kind::ALL.iter().map(|kind| kind.as_str()));
            return None;
        };
        let schema = schema::of(kind);
        self.check_sheet(raw);
        let sheet = raw.sheet.as_ref().map(|sheet| sheet.value.clone());
        let one_way = raw.one_way || self.raw.one_way;
        let mut rules: Vec<Rule> = raw
            .fields
            .iter()
            .filter_map(|field| self.rule(field, schema, one_way, sheet.as_deref()))
            .collect();
        rules.extend(raw.checks.iter().filter_map(|check| self.check(check, schema, sheet.as_deref())));
        let when = raw.when.as_ref().and_then(|when| self.condition(when, sheet.as_deref()));
        let subject = match (raw.subject.as_ref().or(subject), kind) {
            (_, Kind::Setting) => Vec::new(),
            (Some(key), _) => self.key(key, &rules, raw, sheet.as_deref()),
            (None, _) => {
                self.advise(
                    &raw.kind.span,
                    "whom this record is about is not said",
                    "add `[subject]` with `key = [..]`",
                );
                Vec::new()
            }
        };
        let key = match &raw.key {
            Some(key) => self.key(key, &rules, raw, sheet.as_deref()),
            None if kind == Kind::Setting => {
                self.fault(&raw.kind.span, "a setting needs a `key`: it has no subject to take one from");
                Vec::new()
            }
            None => subject.clone(),
        };
        mark_keyed(&key, &mut rules);
        let source_time = raw.source_time.as_ref().and_then(|(from, ops)| {
            self.check_address(from, sheet.as_deref());
            let op = match ops.as_slice() {
                [op] => self.op(op)?,
                _ => Op::build("date-time", &Argument(None))?.ok()?,
            };
            Some((from.value.clone(), op))
        });
        let same_as = self.same_as(raw, kind, &rules, &key, &subject);
        let writes = self.writes(raw, sheet.as_deref());
        let each = self.each(raw, &key, &rules);
        let block = Block {
            number: raw.number,
            kind,
            schema,
            sheet,
            drives: raw.drives,
            each,
            when,
            key,
            row_id: raw.row_id.as_ref().map(|row_id| row_id.value.clone()),
            same_as,
            subject,
            update: if raw.is_patch { Update::Patch } else { Update::Whole },
            source_time,
            one_way,
            is_written_only: raw.written_only,
            writes,
            rules,
        };
        self.check_fields(raw, &block);
        self.check_way_back(raw, &block);
        Some(block)
    }

    fn check_sheet(&mut self, raw: &RawRecord) {
        let is_workbook = self.raw.format.name.value == "xlsx";
        for field in raw.fields.iter().filter(|field| field.is_delete && !raw.is_patch) {
            self.advise(&field.to.span, "only a patch takes old values away", "add `update = \"patch\"`");
        }
        if let Some(row_id) = &raw.row_id {
            self.check_address(row_id, raw.sheet.as_ref().map(|sheet| sheet.value.as_str()));
        }
        match &raw.sheet {
            Some(sheet) if !is_workbook => {
                self.fault(&sheet.span, "`sheet` is for workbooks: the format is not `xlsx`");
            }
            None if is_workbook => {
                self.fault(&raw.kind.span, "a record of a workbook says which `sheet` it is read from");
            }
            _ => {}
        }
    }

    /// Two fields that name one field of the record, or that write one column, cannot both be
    /// meant.
    fn check_fields(&mut self, raw: &RawRecord, block: &Block) {
        let mut named = BTreeSet::new();
        for field in &raw.fields {
            if !named.insert(field.to.value.as_str()) {
                self.fault(&field.to.span, format!("`{}` stands twice in this record", field.to.value));
            }
        }
        if block.one_way {
            return;
        }
        let mut written = BTreeSet::new();
        for field in raw.fields.iter().filter(|field| !field.one_way) {
            if let Some(from) = field.from.first()
                && !written.insert(from.value.as_str())
            {
                self.advise(
                    &from.span,
                    format!("two fields of this record would be written into `{}`", from.value),
                    "say `one_way = true` on the one that is only read",
                );
            }
        }
    }

    fn key(&mut self, raw: &RawKey, rules: &[Rule], record: &RawRecord, sheet: Option<&str>) -> Vec<Part> {
        if raw.parts.is_empty() {
            self.fault(&raw.span, "a key has at least one part");
        }
        let mut parts = Vec::with_capacity(raw.parts.len());
        for part in &raw.parts {
            match part {
                RawPart::Cell(address, ops) => {
                    self.check_address(address, sheet);
                    let ops = ops.iter().filter_map(|op| self.op(op)).collect();
                    parts.push(Part::Cell(address.value.clone(), ops));
                }
                RawPart::Field(name) => {
                    match rules.iter().position(|rule| rule.field.name == name.value) {
                        Some(index) => parts.push(Part::Field(index)),
                        // Its own fault has been noted if the field is there but wrong.
                        None if record.fields.iter().any(|field| field.to.value == name.value) => {}
                        None => self.unknown(
                            name,
                            "field of this record",
                            rules.iter().map(|rule| rule.field.name),
                        ),
                    }
                }
            }
        }
        parts
    }

    fn op(&mut self, raw: &RawOp) -> Option<Op> {
        match Op::build(&raw.name.value, &Argument(raw.argument.as_ref())) {
            Some(Ok(op)) => Some(op),
            Some(Err(misuse)) => {
                let span = misuse.span.unwrap_or_else(|| raw.name.span.clone());
                let doc = REFERENCE.iter().find(|doc| doc.name == raw.name.value);
                let hint = doc.map(|doc| match doc.argument {
                    "" => format!("`{}` takes no argument", doc.name),
                    argument => format!("`{}` takes {argument}", doc.name),
                });
                self.advise(&span, misuse.message, hint.unwrap_or_default());
                None
            }
            None => {
                self.unknown(&raw.name, "operation", REFERENCE.iter().map(|doc| doc.name));
                None
            }
        }
    }

    fn condition(&mut self, raw: &Placed<RawCondition>, sheet: Option<&str>) -> Option<Condition<String>> {
        Some(match &raw.value {
            RawCondition::All(several) => {
                Condition::All(several.iter().filter_map(|one| self.condition(one, sheet)).collect())
            }
            RawCondition::Any(several) => {
                Condition::Any(several.iter().filter_map(|one| self.condition(one, sheet)).collect())
            }
            RawCondition::Not(one) => Condition::Not(Box::new(self.condition(one, sheet)?)),
            RawCondition::Test { address, test, against, pipeline } => {
                self.check_address(address, sheet);
                let test = self.test(test, against, pipeline)?;
                Condition::Test(address.value.clone(), test)
            }
        })
    }

    fn test(&mut self, test: &Placed<String>, against: &[Placed<String>], ops: &[RawOp]) -> Option<Test> {
        let first = against.first();
        let text = first.map(|text| text.value.clone()).unwrap_or_default();
        Some(match test.value.as_str() {
            "blank" => Test::Blank,
            "not-blank" => Test::NotBlank,
            "in" => Test::In(against.iter().map(|text| text.value.clone()).collect()),
            "is" => Test::Is(text),
            "matches" => Test::Matches(text),
            before_or_after => {
                let Ok(day) = text.parse::<Day>() else {
                    self.fault(&test.span, "expected a day as `YYYY-MM-DD`");
                    return None;
                };
                let op = match ops {
                    [op] => self.op(op)?,
                    _ => Op::build("date", &Argument(None))?.ok()?,
                };
                if before_or_after == "before" { Test::Before(day, op) } else { Test::After(day, op) }
            }
        })
    }

    /// An address is checked against the layout where the mapping lists it, and as a path where
    /// the format has paths.
    fn check_address(&mut self, address: &Placed<String>, sheet: Option<&str>) {
        let is_table = matches!(self.raw.format.name.value.as_str(), "csv" | "xlsx");
        if !is_table {
            if let Err(unknown) = At::compile(&address.value, None) {
                self.fault(&address.span, unknown.reason);
            }
            return;
        }
        let columns = self.raw.format.columns.iter().find(|(of, _)| of == sheet.unwrap_or_default());
        let Some((_, columns)) = columns else { return };
        if !columns.iter().any(|column| column.trim() == address.value.trim()) {
            let columns = columns.clone();
            self.unknown(address, "column", columns.iter().map(String::as_str));
        }
    }
}

/// Notes which fields are part of a key.
fn mark_keyed(key: &[Part], rules: &mut [Rule]) {
    for part in key {
        if let Part::Field(index) = part
            && let Some(rule) = rules.get_mut(*index)
        {
            rule.is_keyed = true;
        }
    }
}
