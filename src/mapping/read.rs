//! From a source's unit to records.

mod bind;
mod each;
mod fault;
mod key;
mod live;
mod row_id;
mod same;
pub(crate) mod watch;

pub(crate) use bind::is_of;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rust_decimal::Decimal;

use crate::base::edge::Instant;
use crate::base::finding::{Code, Finding, Severity};
use crate::base::origin::Origin;
use crate::base::private::Private;
use crate::format::{Arrival, At, Unit};
use crate::mapping::compile::{Block, Other, Part, Rule};
use crate::mapping::condition::Condition;
use crate::mapping::op::value::{Value, day_text};
use crate::mapping::op::{Inputs, Op, Refusal};
use crate::mapping::submission::row::BoundRules;
use crate::mapping::{Made, Outcome, Reading, Update};
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::record::schema::{Field, Holds};
use fault::{SUBJECT_EXPECTED, blank};
use key::{address_of, joined};
use watch::{Seen, Watch};

/// A mapping whose every address has been found: columns are numbers, paths are compiled.
pub struct Bound {
    blocks: Vec<BoundBlock>,
    /// The rules of a data set that look at one unit alone.
    rules: Option<BoundRules>,
    /// True where tests and invented people are refused.
    is_live: bool,
}

struct BoundBlock {
    /// Its place among the mapping's blocks.
    number: usize,
    block: Arc<Block>,
    when: Option<Condition<At>>,
    key: Vec<BoundPart>,
    subject: Vec<BoundPart>,
    /// Where the file has the column.
    row_id: Option<At>,
    /// Rows with an id, by what they say but for their days: where each stands.
    rows: Mutex<HashMap<u64, u64>>,
    source_time: Option<At>,
    /// The cells of each rule.
    cells: Vec<Vec<At>>,
}

enum BoundPart {
    Cell(At),
    Field(usize),
}

/// What is wrong with a unit, so far.
#[derive(Default)]
struct Faults {
    findings: Vec<Finding>,
    is_rejected: bool,
    is_quarantined: bool,
}

/// The unit being read.
struct Reader<'a, 'u, W> {
    unit: Unit<'u>,
    arrival: &'a Arrival<'u>,
    file: &'a Origin,
    is_live: bool,
    /// The item of the unit that is read, and what selects it.
    item: Option<(Arc<Block>, usize)>,
    faults: Faults,
    watch: &'a mut W,
}

impl Bound {
    /// Reads one unit.
    #[must_use]
    pub fn read(&self, arrival: &Arrival<'_>, file: &Origin) -> Reading {
        self.read_watched(arrival, file, &mut ())
    }

    /// Reads one unit while somebody looks on.
    pub(crate) fn read_watched<W: Watch>(
        &self,
        arrival: &Arrival<'_>,
        file: &Origin,
        watch: &mut W,
    ) -> Reading {
        let unit = match &arrival.unit {
            Ok(unit) => *unit,
            Err(finding) => {
                watch.seen(Seen::Outcome(Outcome::Rejected));
                return refused(finding.clone());
            }
        };
        if let Some(finding) = live::check_unit(self.is_live, arrival, file) {
            watch.seen(Seen::Outcome(Outcome::Rejected));
            return refused(finding);
        }
        let (is_live, faults) = (self.is_live, Faults::default());
        let mut reader = Reader { unit, arrival, file, is_live, item: None, faults, watch };
        let mut records = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            let is_taken = block.when.as_ref().is_none_or(|when| when.takes(&unit));
            reader.watch.seen(Seen::Block {
                number: block.number,
                when: block.when.as_ref(),
                unit: &unit,
                is_taken,
            });
            if is_taken {
                reader.records(block, &mut records);
            }
        }
        if let Some(rules) = &self.rules {
            reader.hold_to(rules);
        }
        let Faults { findings, is_rejected, is_quarantined } = reader.faults;
        let outcome = match (is_rejected, is_quarantined) {
            (true, _) => Outcome::Rejected,
            (false, true) => Outcome::Quarantined,
            _ if records.is_empty() => Outcome::Filtered,
            _ => Outcome::Records,
        };
        watch.seen(Seen::Outcome(outcome));
        let (records, about) = match outcome {
            Outcome::Records => (records, Vec::new()),
            _ => (Vec::new(), records),
        };
        Reading { outcome, records, about, findings }
    }
}

fn refused(finding: Finding) -> Reading {
    Reading { outcome: Outcome::Rejected, records: Vec::new(), about: Vec::new(), findings: vec![finding] }
}

/// Something is wrong, and its finding has been noted.
struct Noted;

/// What a rule gives.
enum Given<'u> {
    /// Something that was read.
    Read(Value<'u>),
    /// A constant, or what stands for a blank.
    Fixed(Draft),
    /// The old value is taken away.
    Deleted,
    /// Nothing.
    Nothing,
}

impl<'u, W: Watch> Reader<'_, 'u, W> {
    fn record(&mut self, bound: &BoundBlock) -> Option<Made> {
        let block = &*bound.block;
        let mut fields = Vec::with_capacity(block.rules.len());
        let mut keyed: Vec<(usize, String)> = Vec::new();
        let mut is_filled = false;
        let mut is_good = true;
        for (index, (rule, cells)) in block.rules.iter().zip(&bound.cells).enumerate() {
            self.watch.seen(Seen::Rule { block: bound.number, rule: index });
            let given = self.field(rule, cells, block.update);
            let made = given.and_then(|given| match given {
                Given::Nothing => Ok(None),
                Given::Read(_) | Given::Deleted if rule.is_check => Ok(None),
                Given::Fixed(leaf) => Ok(Some((false, leaf))),
                Given::Deleted => Ok(Some((true, Draft::Null))),
                Given::Read(value) => {
                    live::check_value(self.is_live, rule.field, &value)?;
                    if rule.is_keyed {
                        keyed.push((index, value.clone().plain().into_owned()));
                    }
                    leaf(value, rule.field).map(|leaf| Some((true, leaf)))
                }
            });
            match made {
                Ok(None) => self.watch.seen(Seen::Nothing),
                Ok(Some((is_read, leaf))) => {
                    self.watch.seen(Seen::Given { leaf: &leaf, is_read });
                    is_filled |= is_read;
                    if let (true, false, Some(text)) = (rule.is_keyed, is_read, leaf.text()) {
                        keyed.push((index, text.to_owned()));
                    }
                    fields.push((rule.field.name, leaf));
                }
                Err(refusal) => {
                    self.watch.seen(Seen::Refused(&refusal));
                    is_good &= self.refuse(refusal, rule, block);
                }
            }
        }
        if !is_filled || !is_good {
            return None;
        }
        let subject = match block.kind {
            Kind::Setting => None,
            _ => Some(Private::new(self.subject(bound)?)),
        };
        let (key, has_row_id) = match self.row_key(bound).ok()? {
            Some(row) => (row, true),
            None => (self.key(bound, &keyed)?, false),
        };
        let source_time = self.source_time(bound).ok()?;
        let draft = self.check(block, Draft::Fields(fields))?;
        let same = self.same(bound, (&key, has_row_id), &keyed, &draft);
        let key = Private::new(key);
        Some(Made { kind: block.kind, subject, key, draft, update: block.update, source_time, same })
    }

    fn field(&mut self, rule: &Rule, cells: &[At], update: Update) -> Result<Given<'u>, Refusal> {
        if let Some(value) = &rule.value {
            return Ok(Given::Fixed(value.clone()));
        }
        let mut value = self.gather(rule, cells)?;
        let takes_blank = rule.steps.first().is_some_and(|op| matches!(op.doc().inputs, Inputs::OneOrBlank));
        if value.is_blank() && !takes_blank {
            return blank(rule, &value, update);
        }
        for op in rule.steps.iter().skip(usize::from(cells.len() > 1)) {
            if value.is_blank() && !takes_blank {
                return blank(rule, &value, update);
            }
            let remark = op.remark(&value);
            value = op.read(value)?;
            if let Some(remark) = remark {
                let origin = self.origin(rule.from.first().map(String::as_str));
                self.note(Finding::new(remark.code, origin, remark.expected));
            }
            self.watch.seen(Seen::Step(&value));
        }
        if value.is_blank() {
            return blank(rule, &value, update);
        }
        let Some(codes) = &rule.codes else { return Ok(Given::Read(value)) };
        if let Value::List(items) = value {
            let read = items.into_iter().map(|item| {
                let word = Value::owned(item);
                self.watch.seen(Seen::Coded { codes, word: &word });
                codes.read(word).map(|value| value.plain().into_owned())
            });
            return read.collect::<Result<_, _>>().map(|items| Given::Read(Value::List(items)));
        }
        self.watch.seen(Seen::Coded { codes, word: &value });
        match codes.read(value.clone()) {
            Err(refusal) if rule.other == Other::KeepAsText && refusal.code == Code::MapUnknownCode => {
                let origin = self.origin(rule.from.first().map(String::as_str));
                self.faults.findings.push(Finding::new(Code::MapCodeKept, origin, refusal.expected));
                Ok(Given::Read(value))
            }
            read => read.map(Given::Read),
        }
    }

    /// The value of the cells: of one as it is, of several through the first operation.
    fn gather(&mut self, rule: &Rule, cells: &[At]) -> Result<Value<'u>, Refusal> {
        // The number that people are linked by: the wrong one of two would make one person of two.
        if rule.field.name == "nhs_number" && cells.iter().any(|cell| self.unit.meets_different(cell)) {
            return Err(Refusal::new(Code::MapSeveral, "expected one NHS number, found several that differ"));
        }
        if let [cell] = cells {
            let value = Value::of_cell(self.unit.cell(cell))?;
            self.watch.seen(Seen::Cells(std::slice::from_ref(&value)));
            return Ok(value);
        }
        let values: Vec<Value<'u>> =
            cells.iter().map(|cell| Value::of_cell(self.unit.cell(cell))).collect::<Result<_, _>>()?;
        self.watch.seen(Seen::Cells(&values));
        if values.iter().all(Value::is_blank) {
            let is_deleted = !values.is_empty() && values.iter().all(|value| matches!(value, Value::Delete));
            return Ok(if is_deleted { Value::Delete } else { Value::Absent });
        }
        let Some(op) = rule.steps.first() else { return Ok(Value::Absent) };
        let value = op.gather(values)?;
        self.watch.seen(Seen::Step(&value));
        Ok(value)
    }

    fn subject(&mut self, bound: &BoundBlock) -> Option<String> {
        let parts = self.parts(&bound.block.subject, &bound.subject, &[])?;
        let is_whole = !parts.is_empty() && parts.iter().all(|part| !part.is_empty());
        if is_whole {
            let subject = joined(&parts);
            self.note_others(bound);
            return Some(subject);
        }
        let missing = parts.iter().position(|part| part.is_empty()).unwrap_or_default();
        self.reject(Code::MapSubjectMissing, address_of(bound.block.subject.get(missing)), SUBJECT_EXPECTED);
        None
    }

    /// That a unit names several people where one is read: the first is, and that is said.
    fn note_others(&mut self, bound: &BoundBlock) {
        let is_several =
            |part: &BoundPart| matches!(part, BoundPart::Cell(at) if self.unit.meets_different(at));
        let Some(place) = bound.subject.iter().position(is_several) else { return };
        let origin = self.origin(address_of(bound.block.subject.get(place)));
        let expected = "expected one id of the person, found several that differ: the first was read";
        self.note(Finding::new(Code::MapSeveral, origin, expected).severity(Severity::Warning));
    }

    fn key(&mut self, bound: &BoundBlock, keyed: &[(usize, String)]) -> Option<String> {
        let parts = self.parts(&bound.block.key, &bound.key, keyed)?;
        if parts.iter().any(|part| !part.is_empty()) {
            return Some(joined(&parts));
        }
        let expected = format!("expected something that tells one {} from another", bound.block.kind);
        self.reject(Code::MapKeyMissing, address_of(bound.block.key.first()), &expected);
        None
    }

    fn parts<'k>(
        &mut self,
        parts: &[Part],
        bound: &[BoundPart],
        keyed: &'k [(usize, String)],
    ) -> Option<Vec<Cow<'k, str>>>
    where
        'u: 'k,
    {
        let mut out = Vec::with_capacity(parts.len());
        for (part, bound) in parts.iter().zip(bound) {
            let text: Cow<'k, str> = match (part, bound) {
                (Part::Cell(address, ops), BoundPart::Cell(at)) => match self.part(at, ops) {
                    Ok(text) => text,
                    Err(refusal) => {
                        self.reject(refusal.code, Some(address), &refusal.expected);
                        return None;
                    }
                },
                (_, BoundPart::Field(index)) => {
                    let text = keyed.iter().find(|(rule, _)| rule == index).map(|(_, text)| text.as_str());
                    Cow::Borrowed(text.unwrap_or_default())
                }
                (Part::Field(_), BoundPart::Cell(_)) => Cow::Borrowed(""),
            };
            out.push(text);
        }
        Some(out)
    }

    fn part(&self, at: &At, ops: &[Op]) -> Result<Cow<'u, str>, Refusal> {
        let mut value = Value::of_cell(self.unit.cell(at))?;
        // A number cell has lost the leading noughts of an id, and would name somebody else.
        if ops.is_empty() && matches!(value, Value::Number(_)) {
            value = value.text().map(Value::Text)?;
        }
        for op in ops {
            if value.is_blank() {
                break;
            }
            value = op.read(value)?;
        }
        Ok(value.plain())
    }

    fn source_time(&mut self, bound: &BoundBlock) -> Result<Option<Instant>, Noted> {
        let (Some((address, op)), Some(at)) = (&bound.block.source_time, &bound.source_time) else {
            return Ok(None);
        };
        let instant = match Value::of_cell(self.unit.cell(at)) {
            Ok(value) if value.is_blank() => return Ok(None),
            Ok(value) => op.instant(value),
            Err(refusal) => Err(refusal),
        };
        instant.map(Some).map_err(|refusal| {
            self.reject(refusal.code, Some(address), &refusal.expected);
            Noted
        })
    }

    /// A record that keeps to its schema. A patch need not hold what the whole record must, and
    /// what it takes away is not looked at.
    fn check(&mut self, block: &Block, draft: Draft) -> Option<Draft> {
        if block.schema.is_valid(&draft) {
            return Some(draft);
        }
        let is_patch = block.update == Update::Patch;
        let shown = if is_patch {
            let kept = draft.fields().iter().filter(|(_, leaf)| !matches!(leaf, Draft::Null));
            Cow::Owned(Draft::Fields(kept.cloned().collect()))
        } else {
            Cow::Borrowed(&draft)
        };
        let mut is_good = true;
        for (field, mut fault) in block.schema.faults(&shown, &Origin::default()) {
            if is_patch && fault.code == Code::SchemaRequired {
                continue;
            }
            is_good = false;
            let name = field.split('/').next().unwrap_or_default();
            let rule = block.rules.iter().find(|rule| rule.field.name == name);
            fault.origin = self.origin(rule.and_then(|rule| rule.from.first()).map(String::as_str));
            self.faults.is_rejected = true;
            self.faults.findings.push(fault);
        }
        is_good.then_some(draft)
    }

    fn origin(&self, address: Option<&str>) -> Origin {
        let origin = self.arrival.place.origin(self.file);
        let Some(address) = address else { return origin };
        let address = &*self.named(address);
        match self.unit {
            Unit::Row(_) | Unit::Sheet(_) => origin.in_column(address),
            Unit::Tree(_) | Unit::Xml(_) | Unit::Message(_) => {
                let path = match &origin.path {
                    Some(path) => format!("{path}/{address}"),
                    None => address.to_owned(),
                };
                origin.at_path(&path)
            }
        }
    }
}

/// A value as the leaf of a field. Words of a code list may stand for numbers and truth values.
pub(crate) fn leaf(value: Value<'_>, field: &Field) -> Result<Draft, Refusal> {
    let wrong = |value: &Value<'_>| {
        Refusal::new(
            Code::MapType,
            format!("expected another type for `{}`, found {}", field.name, value.what()),
        )
    };
    let text = match (&field.holds, value) {
        (Holds::Text | Holds::Word(_), Value::Text(text)) => text.into_owned(),
        (Holds::Day, Value::Day(day)) => day_text(day),
        (Holds::Integer | Holds::Number, Value::Number(number)) => return Ok(Draft::Number(number)),
        (Holds::Integer | Holds::Number, Value::Text(text)) => {
            let number = text.parse::<Decimal>().ok();
            return number.map(Draft::Number).ok_or_else(|| wrong(&Value::Text(text)));
        }
        (Holds::Truth, Value::Truth(truth)) => return Ok(Draft::Bool(truth)),
        (Holds::Truth, Value::Text(text)) if text == "true" || text == "false" => {
            return Ok(Draft::Bool(text == "true"));
        }
        (Holds::Texts, Value::List(items)) => {
            return Ok(Draft::List(items.into_iter().map(Draft::Text).collect()));
        }
        (_, other) => return Err(wrong(&other)),
    };
    Ok(if field.privacy.is_sealed() { Draft::Private(Private::new(text)) } else { Draft::Text(text) })
}
