//! Where the value of a field comes from: the lineage of one rule, and what it made of one unit
//! when it is run again with somebody looking on.
//!
//! Whatever may identify is kept as an identifying value, and is told only under a grant: the
//! cells that feed an identifying field or stand in a key, and all that is made of them but for
//! what a field that does not identify is given in the end.

pub mod written;

use std::sync::Arc;

use crate::base::finding::Code;
use crate::base::origin::Origin;
use crate::base::private::{Grant, Private, Show, WITHHELD};
use crate::format::Arrival;
use crate::mapping::code_list::CodeList;
use crate::mapping::compile::{Block, Part, Rule};
use crate::mapping::op::WayBack;
use crate::mapping::op::value::Value;
use crate::mapping::read::watch::{Seen, Watch};
use crate::mapping::read::{Bound, is_of};
use crate::mapping::{Mapping, Reading};
use crate::record::draft::Draft;
use crate::record::kind::Kind;
use crate::record::schema::Privacy;

/// How one field of a record is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// The record block, from 1, as they stand in the mapping.
    pub record: usize,
    /// The kind of record.
    pub kind: Kind,
    /// Its field.
    pub field: &'static str,
    /// How near the field comes to a person.
    pub privacy: Privacy,
    /// The sheet, in a workbook.
    pub sheet: Option<String>,
    /// The columns or paths it is read from; none for a constant.
    pub from: Vec<String>,
    /// The operations, in order.
    pub steps: Vec<Step>,
    /// The code list after them.
    pub codes: Option<List>,
    /// True for a constant of the mapping.
    pub is_constant: bool,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// As the mapping writes it.
    pub written: String,
    /// What it does.
    pub about: &'static str,
}

/// A code list, and which one it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// Which version of it.
    pub version: String,
    /// Of when.
    pub date: String,
}

/// What one rule made of one unit.
pub struct Explained {
    /// How the field is read.
    pub lineage: Lineage,
    /// What its cells hold, in the order of `from`.
    pub cells: Vec<Told>,
    /// What each operation that was reached gave.
    pub steps: Vec<Told>,
    /// What the field was given.
    pub came: Came,
    /// Whom the record is about that was made of it; a unit may be about several people.
    pub subject: Option<Private<String>>,
    /// The source's word that would be written back for this one, where that is another or none.
    pub comes_back: Option<String>,
}

/// How a rule ended.
pub enum Came {
    /// It gave nothing.
    Nothing,
    /// It was read from the unit.
    Read(Told),
    /// The mapping says so: a constant, or what stands for a blank.
    Fixed(Told),
    /// It refused.
    Refused {
        /// Which fault.
        code: Code,
        /// What was expected.
        expected: String,
    },
}

/// A value, told to whoever may see it.
#[derive(Clone)]
pub enum Told {
    /// There is none.
    Blank,
    /// It identifies nobody.
    Plain(String),
    /// It identifies somebody, or may.
    Hidden(Private<String>),
}

impl Told {
    /// The value in words: `(withheld)` without a grant where it may identify.
    #[must_use]
    pub fn text(&self, grant: Option<&Grant<Show>>) -> String {
        match (self, grant) {
            (Self::Blank, _) => "(blank)".to_owned(),
            (Self::Plain(text), _) => text.clone(),
            (Self::Hidden(text), Some(grant)) => text.open(grant).clone(),
            (Self::Hidden(_), None) => WITHHELD.to_owned(),
        }
    }

    fn of(value: &Value<'_>, is_hidden: bool) -> Self {
        if value.is_blank() {
            return Self::Blank;
        }
        let text = value.clone().plain().into_owned();
        if is_hidden { Self::Hidden(Private::new(text)) } else { Self::Plain(text) }
    }

    fn of_leaf(leaf: &Draft) -> Self {
        match leaf {
            Draft::Null => Self::Blank,
            Draft::Private(text) => Self::Hidden(text.clone()),
            Draft::Text(text) => Self::Plain(text.clone()),
            other => Self::Plain(other.to_shown().to_string()),
        }
    }
}

impl List {
    fn of(codes: &CodeList) -> Self {
        Self {
            name: codes.name.clone(),
            source: codes.source.clone(),
            version: codes.version.clone(),
            date: codes.date.clone(),
        }
    }
}

impl Lineage {
    fn of(block: &Block, rule: &Rule) -> Self {
        let steps = rule.steps.iter().zip(&rule.written);
        Self {
            record: block.number,
            kind: block.kind,
            field: rule.field.name,
            privacy: rule.field.privacy,
            sheet: block.sheet.clone(),
            from: rule.from.clone(),
            steps: steps
                .map(|(op, written)| Step { written: written.clone(), about: op.doc().about })
                .collect(),
            codes: rule.codes.as_ref().map(|codes| List::of(codes)),
            is_constant: rule.value.is_some(),
        }
    }
}

impl Mapping {
    /// Every way in which the mapping fills a field, in the order of its blocks; of any kind
    /// where none is named.
    #[must_use]
    pub fn explain(&self, kind: Option<Kind>, field: &str) -> Vec<Lineage> {
        let blocks = self.blocks.iter().filter(|block| kind.is_none_or(|kind| block.kind == kind));
        blocks
            .flat_map(|block| block.rules.iter().map(move |rule| (block, rule)))
            .filter(|(_, rule)| rule.field.name == field)
            .map(|(block, rule)| Lineage::of(block, rule))
            .collect()
    }

    /// Reads one unit, and tells how it fills a field: by each block that takes it.
    #[must_use]
    pub fn explain_unit(
        &self,
        bound: &Bound,
        arrival: &Arrival<'_>,
        file: &Origin,
        kind: Option<Kind>,
        field: &str,
    ) -> (Vec<Explained>, Reading) {
        let (open, codes, done) = (None, None, Vec::new());
        let mut watch = Explaining { mapping: self, kind, field, open, codes, done, since: 0 };
        let reading = bound.read_watched(arrival, file, &mut watch);
        (watch.done, reading)
    }

    /// Whether what stands at an address may identify somebody.
    #[must_use]
    pub fn is_private(&self, sheet: Option<&str>, address: &str) -> bool {
        let is_key = |part: &Part| matches!(part, Part::Cell(cell, _) if cell == address);
        self.blocks.iter().filter(|block| is_of(block.sheet.as_deref(), sheet)).any(|block| {
            let feeds = |rule: &Rule| {
                // What is left of a value says nothing of the whole: a district, of a postcode.
                let is_part =
                    rule.from.len() == 1 && rule.steps.iter().any(|op| op.doc().way_back == WayBack::Lost);
                // What is only looked at may be anything.
                let is_unknown = rule.is_check && rule.codes.is_none();
                (rule.field.privacy.is_sealed() || is_part || is_unknown)
                    && rule.from.iter().any(|from| from == address)
            };
            // A word of a closed list may stand in a key, and names nobody.
            let is_coded = block
                .rules
                .iter()
                .any(|rule| rule.codes.is_some() && rule.from.iter().any(|from| from == address));
            block.rules.iter().any(feeds)
                || block.subject.iter().any(is_key)
                || (block.key.iter().any(is_key) && !is_coded)
        })
    }
}

/// Looks on for one field.
struct Explaining<'e> {
    mapping: &'e Mapping,
    kind: Option<Kind>,
    field: &'e str,
    /// The rule at hand, if it is of the field: what it has told so far, and whether that may
    /// identify.
    open: Option<(Explained, bool)>,
    /// Its code list.
    codes: Option<Arc<CodeList>>,
    done: Vec<Explained>,
    /// Where in those the record at hand begins.
    since: usize,
}

impl Explaining<'_> {
    fn begin(&mut self, number: usize, index: usize) {
        self.open = None;
        if index == 0 {
            self.since = self.done.len();
        }
        let Some(block): Option<&Arc<Block>> = self.mapping.blocks.get(number) else { return };
        let Some(rule) = block.rules.get(index) else { return };
        if rule.field.name != self.field || self.kind.is_some_and(|kind| block.kind != kind) {
            return;
        }
        let is_private = |address: &String| self.mapping.is_private(block.sheet.as_deref(), address);
        let is_hidden = rule.from.iter().any(is_private);
        let lineage = Lineage::of(block, rule);
        let explained = Explained {
            lineage,
            cells: Vec::new(),
            steps: Vec::new(),
            came: Came::Nothing,
            subject: None,
            comes_back: None,
        };
        self.codes = rule.codes.clone();
        self.open = Some((explained, is_hidden));
    }

    fn end(&mut self, came: Came) {
        if let Some((mut explained, _)) = self.open.take() {
            explained.came = came;
            // The last operation gave what the field holds, and is hidden where the field is.
            if let (None, Came::Read(Told::Plain(text)), Some(last)) =
                (&explained.lineage.codes, &explained.came, explained.steps.last_mut())
            {
                *last = Told::Plain(text.clone());
            }
            explained.comes_back = self.comes_back(&explained);
            self.done.push(explained);
        }
    }

    /// What a lossy code list makes of a word on the way there and back.
    fn comes_back(&self, explained: &Explained) -> Option<String> {
        let codes = self.codes.as_ref()?;
        let asked = explained.steps.last().or(explained.cells.first())?;
        let (Told::Plain(word), Came::Read(Told::Plain(_))) = (asked, &explained.came) else { return None };
        codes.comes_back(word).map(str::to_owned)
    }
}

impl Watch for Explaining<'_> {
    fn seen(&mut self, seen: Seen<'_, '_>) {
        match seen {
            Seen::Rule { block, rule } => self.begin(block, rule),
            Seen::Cells(values) => {
                let mapping = self.mapping;
                if let Some((open, _)) = &mut self.open {
                    let sheet = open.lineage.sheet.as_deref();
                    let hidden = open.lineage.from.iter().map(|from| mapping.is_private(sheet, from));
                    open.cells =
                        values.iter().zip(hidden).map(|(value, hidden)| Told::of(value, hidden)).collect();
                }
            }
            Seen::Step(value) => {
                if let Some((open, is_hidden)) = &mut self.open {
                    open.steps.push(Told::of(value, *is_hidden));
                }
            }
            Seen::Nothing => self.end(Came::Nothing),
            Seen::Given { leaf, is_read: true } => self.end(Came::Read(Told::of_leaf(leaf))),
            Seen::Given { leaf, is_read: false } => self.end(Came::Fixed(Told::of_leaf(leaf))),
            Seen::Refused(refusal) => {
                self.end(Came::Refused { code: refusal.code, expected: refusal.expected.clone() });
            }
            Seen::Made(made) => {
                for explained in self.done.iter_mut().skip(self.since) {
                    explained.subject.clone_from(&made.subject);
                }
            }
            Seen::Block { .. } | Seen::Coded { .. } | Seen::Outcome(_) => {}
        }
    }
}
