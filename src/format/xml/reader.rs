//! Units of a document, one after another.

use std::sync::Arc;

use quick_xml::events::BytesStart;
use quick_xml::name::{NamespaceResolver, ResolveResult};
use serde_json::Value;

use super::build::{self, NotATree};
use super::encoding;
use super::frame::{Fault, Framer, Markup};
use super::passing::{Met, Passed, Passing, local};
use crate::base::finding::{Code, Finding, Findings};
use crate::base::limit::{TREE_DEPTH_MAX, UNIT_ELEMENTS_MAX};
use crate::base::origin::Origin;
use crate::format::charset::{self, Charset, Text};
use crate::format::json::TreePath;
use crate::format::settings::{Limits, XmlSettings};
use crate::format::source::Source;
use crate::format::{Arrival, FormatError, Place, Refused, Unit};

/// Reads the units of a document.
pub(crate) struct XmlReader {
    framer: Framer,
    settings: XmlSettings,
    file: Origin,
    unit_bytes_max: usize,
    resolver: NamespaceResolver,
    /// How many elements on the way to the units are open.
    entered: usize,
    /// Markup that was met and not yet dealt with.
    ahead: Option<Markup>,
    passing: Passing,
    spare: build::Spare,
    text: Vec<u8>,
    tree: Value,
    ordinal: u64,
    is_done: bool,
    is_begun: bool,
    has_repeated: bool,
    /// The addresses that the mapping reads.
    expected: Vec<(String, TreePath)>,
    pub(crate) findings: Findings,
}

/// What a step came to.
enum Taken {
    Unit(Place),
    Faulty(Place, Wrong),
    End,
}

/// What is wrong with a unit, or with the document from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Text(Fault),
    Tree(NotATree),
    TooLarge,
    /// Tags that do not match.
    Tags,
}

impl XmlReader {
    /// Opens a document and goes to its outermost element.
    pub(crate) fn open(
        mut source: Box<dyn Source>,
        settings: &XmlSettings,
        limits: &Limits,
        file: &Origin,
    ) -> Result<Self, Refused> {
        let declared = encoding::declared(source.as_mut(), file)?.map_err(|finding| *finding)?;
        let (decided, note) = charset::decide(source.as_mut(), declared, file)??;
        if declared.is_none() && !matches!(decided.charset, Charset::Utf16Le | Charset::Utf16Be) {
            let text = "expected UTF-16, as the first bytes say, found something else";
            return Err(Finding::new(Code::CharsetMismatch, file.clone(), text).into());
        }
        let paths = settings.expected.iter();
        let expected = paths.filter_map(|text| Some((text.clone(), TreePath::parse(text).ok()?))).collect();
        let mut reader = Self {
            framer: Framer::new(Text::new(source, decided)?),
            settings: settings.clone(),
            file: file.clone(),
            unit_bytes_max: limits.unit_bytes_max,
            resolver: build::resolver(),
            entered: 0,
            ahead: None,
            passing: Passing::default(),
            spare: build::Spare::default(),
            text: Vec::new(),
            tree: Value::Null,
            ordinal: 0,
            is_done: false,
            is_begun: false,
            has_repeated: false,
            expected,
            findings: note.into_iter().collect(),
        };
        reader.find_root()?;
        Ok(reader)
    }

    /// The local name of the outermost element.
    pub(crate) fn root(&self) -> String {
        String::from_utf8_lossy(local(self.framer.name())).into_owned()
    }

    /// Changes where the units are; before the first is read.
    pub(crate) fn set_units(&mut self, units: &[&str]) {
        self.settings.units = units.iter().map(ToString::to_string).collect();
    }

    fn find_root(&mut self) -> Result<(), Refused> {
        loop {
            let markup = self.framer.markup()?.map_err(|fault| self.refuse(fault))?;
            match markup {
                Markup::Passing => {}
                Markup::Doctype { has_entities } => self.note_doctype(has_entities),
                Markup::Open | Markup::Empty => {
                    self.ahead = Some(markup);
                    return self.check_root();
                }
                Markup::End { is_blank: true } if self.framer.at().1 == 0 => {
                    let text = "expected XML, found an empty file";
                    return Err(Finding::new(Code::FileEmpty, self.file.clone(), text).into());
                }
                Markup::Close | Markup::End { .. } => return Err(self.refuse(Fault::Syntax)),
            }
        }
    }

    fn check_root(&mut self) -> Result<(), Refused> {
        let wanted = self.settings.units.first();
        if wanted.is_some_and(|wanted| self.root() != *wanted) {
            let text = format!(
                "expected a document whose outermost element is `{}`, found another",
                wanted.map_or("", String::as_str)
            );
            return Err(Finding::new(Code::XmlShape, self.at_here(), text).into());
        }
        let Some(wanted) = self.settings.namespace.clone() else { return Ok(()) };
        if self.namespace_here().as_ref() == Some(&wanted) {
            return Ok(());
        }
        let text = format!("expected a document in the namespace `{wanted}`, found another or none");
        Err(Finding::new(Code::XmlShape, self.at_here(), text).into())
    }

    /// The namespace of the outermost element; only before the first unit is read.
    pub(crate) fn root_namespace(&self) -> Option<String> {
        self.namespace_here()
    }

    /// The namespace that the tag last met declares for its own element.
    fn namespace_here(&self) -> Option<String> {
        let tag = String::from_utf8_lossy(self.framer.tag()).into_owned();
        let name_length = self.framer.name().len();
        let start = BytesStart::from_content(tag, name_length);
        let mut resolver = build::resolver();
        resolver.push(&start).ok()?;
        match resolver.resolve_element(start.name()).0 {
            ResolveResult::Bound(namespace) => Some(namespace.into_inner().to_owned()),
            _ => None,
        }
    }

    /// The next markup, whatever it is.
    pub(super) fn markup(&mut self) -> Result<Markup, Refused> {
        match self.ahead.take() {
            Some(markup) => Ok(markup),
            None => self.framer.markup()?.map_err(|fault| self.refuse(fault)),
        }
    }

    /// The name in the tag last met.
    pub(super) fn name(&self) -> &[u8] {
        self.framer.name()
    }

    fn note_doctype(&mut self, has_entities: bool) {
        let text = if has_entities {
            "this document declares entities; they are not read, and where one is used the unit is refused"
        } else {
            "this document names a document type, which is not read"
        };
        self.findings.push(Finding::new(Code::XmlDoctype, self.at_here(), text));
    }

    pub(crate) fn next(&mut self) -> Result<Option<Arrival<'_>>, FormatError> {
        let Some((place, fault)) = self.next_text()? else { return Ok(None) };
        let fault = fault.or_else(|| match self.build() {
            Ok(()) => self.repeated(&place),
            Err(fault) => Some(self.not_a_tree(fault, &place)),
        });
        let unit = match fault {
            None => Ok(Unit::Xml(&self.tree)),
            Some(finding) => Err(finding),
        };
        Ok(Some(Arrival { place, unit }))
    }

    /// Goes to the next unit, whose text [`unit_text`](Self::unit_text) then gives; or why there
    /// is none.
    pub(crate) fn next_text(&mut self) -> Result<Option<(Place, Option<Finding>)>, FormatError> {
        let taken = if self.is_done { Taken::End } else { self.take().map_err(FormatError::Read)? };
        Ok(match taken {
            Taken::End => {
                self.is_done = true;
                None
            }
            Taken::Unit(place) => Some((place, None)),
            Taken::Faulty(place, wrong) => {
                let finding = finding(wrong, place.origin(&self.file));
                Some((place, Some(finding)))
            }
        })
    }

    /// The text of the unit last read.
    pub(crate) fn unit_text(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// That the text of a unit is no tree.
    pub(crate) fn not_a_tree(&self, fault: NotATree, place: &Place) -> Finding {
        finding(Wrong::Tree(fault), place.origin(&self.file))
    }

    /// The file, for what is found in it.
    pub(crate) fn file(&self) -> &Origin {
        &self.file
    }

    fn take(&mut self) -> std::io::Result<Taken> {
        loop {
            let markup = match self.ahead.take() {
                Some(markup) => Ok(markup),
                None => self.framer.markup()?,
            };
            let markup = match markup {
                Ok(markup) => markup,
                Err(fault) => return Ok(self.stop(Wrong::Text(fault))),
            };
            match markup {
                Markup::Passing => {}
                Markup::Doctype { has_entities } => self.note_doctype(has_entities),
                Markup::End { is_blank } if self.entered == 0 && is_blank => return Ok(Taken::End),
                Markup::End { .. } if self.entered == 0 => return Ok(self.stop(Wrong::Text(Fault::Syntax))),
                Markup::End { .. } => return Ok(self.stop(Wrong::Text(Fault::Truncated))),
                Markup::Close if !self.leave() => return Ok(self.stop(Wrong::Tags)),
                Markup::Close => {}
                Markup::Open | Markup::Empty => {
                    if let Some(taken) = self.element(markup == Markup::Empty)? {
                        return Ok(taken);
                    }
                }
            }
        }
    }

    /// Deals with a start tag outside any unit: a unit, a step on the way to one, or neither.
    fn element(&mut self, is_empty: bool) -> std::io::Result<Option<Taken>> {
        if self.entered == 0 && std::mem::replace(&mut self.is_begun, true) {
            return Ok(Some(self.stop(Wrong::Text(Fault::Syntax))));
        }
        let is_wanted = self
            .settings
            .units
            .get(self.entered)
            .is_none_or(|wanted| wanted.as_bytes() == local(self.framer.name()));
        if is_wanted && self.entered + 1 >= self.settings.units.len() {
            return self.unit(is_empty).map(Some);
        }
        if is_empty {
            return Ok(None);
        }
        if is_wanted {
            if !self.framer.has_whole_tag() {
                return Ok(Some(self.stop(Wrong::TooLarge)));
            }
            let name_length = self.framer.name().len();
            let tag = String::from_utf8_lossy(self.framer.tag()).into_owned();
            if self.resolver.push(&BytesStart::from_content(tag, name_length)).is_err() {
                return Ok(Some(self.stop(Wrong::Tree(NotATree::TooMany))));
            }
            self.entered += 1;
            return Ok(None);
        }
        let passed = self.pass_element()?;
        Ok(passed.err().map(|fault| self.stop(Wrong::Text(fault))))
    }

    fn unit(&mut self, is_empty: bool) -> std::io::Result<Taken> {
        self.ordinal += 1;
        let place = self.place();
        let room = std::mem::take(&mut self.text);
        self.framer.begin(room, self.unit_bytes_max);
        let passed = if is_empty { Ok(Passed::default()) } else { self.pass_element()? };
        let (text, is_over) = self.framer.end();
        self.text = text;
        Ok(match passed {
            Err(fault) => {
                self.is_done = true;
                Taken::Faulty(place, Wrong::Text(fault))
            }
            Ok(passed) if passed.depth > TREE_DEPTH_MAX => {
                Taken::Faulty(place, Wrong::Tree(NotATree::TooDeep))
            }
            Ok(passed) if passed.elements > UNIT_ELEMENTS_MAX => {
                Taken::Faulty(place, Wrong::Tree(NotATree::TooMany))
            }
            Ok(_) if is_over => Taken::Faulty(place, Wrong::TooLarge),
            Ok(passed) if passed.has_wrong_tags => Taken::Faulty(place, Wrong::Tags),
            Ok(_) => Taken::Unit(place),
        })
    }

    /// Passes to the end of the element whose start tag was met. An end tag that does not match
    /// closes what it can, so that one broken unit breaks no other.
    fn pass_element(&mut self) -> std::io::Result<Result<Passed, Fault>> {
        let mut passing = std::mem::take(&mut self.passing);
        passing.begin(self.framer.name());
        let passed = self.pass_through(&mut passing);
        self.passing = passing;
        passed
    }

    fn pass_through(&mut self, passing: &mut Passing) -> std::io::Result<Result<Passed, Fault>> {
        loop {
            let outer = self.entered.checked_sub(1).and_then(|at| self.settings.units.get(at));
            let mut met = Met::Inside;
            self.framer.run(|markup, name| {
                met = passing.meet(markup, name, outer);
                met == Met::Inside
            })?;
            // What is no ordinary tag, or is not at hand as a whole.
            if met == Met::Inside {
                let markup = match self.framer.markup()? {
                    Ok(markup) => markup,
                    Err(fault) => return Ok(Err(fault)),
                };
                match markup {
                    Markup::Passing => continue,
                    Markup::Doctype { .. } => return Ok(Err(Fault::Syntax)),
                    Markup::End { .. } => return Ok(Err(Fault::Truncated)),
                    Markup::Open | Markup::Empty | Markup::Close => {
                        met = passing.meet(markup, self.framer.name(), outer);
                    }
                }
            }
            if met == Met::EndOfOuter {
                self.ahead = Some(Markup::Close);
            }
            if met != Met::Inside {
                return Ok(Ok(passing.passed));
            }
        }
    }

    /// True if the end tag last met is that of the element round the units.
    fn closes_outer(&self) -> bool {
        let outer = self.entered.checked_sub(1).and_then(|at| self.settings.units.get(at));
        outer.is_some_and(|outer| outer.as_bytes() == local(self.framer.name()))
    }

    /// Leaves the innermost element on the way; false if the end tag is another's.
    fn leave(&mut self) -> bool {
        if !self.closes_outer() {
            return false;
        }
        self.entered -= 1;
        self.resolver.pop();
        true
    }

    /// Builds the tree.
    fn build(&mut self) -> Result<(), NotATree> {
        let text = std::str::from_utf8(&self.text).map_err(|_utf8| NotATree::Syntax)?;
        let mut names = build::Names { declared: &self.settings.namespaces, resolver: &mut self.resolver };
        self.spare.take(self.tree.take());
        let built = build::build(text, &mut names, &mut self.spare)?;
        self.tree = built.tree;
        self.has_repeated = built.has_repeated;
        Ok(())
    }

    /// That an element stands several times where the mapping reads one: which is meant cannot be
    /// known.
    fn repeated(&self, place: &Place) -> Option<Finding> {
        if !self.has_repeated {
            return None;
        }
        let (address, _) = self.expected.iter().find(|(_, path)| path.meets_several(&self.tree))?;
        let mut origin = place.origin(&self.file);
        let path = origin.path.as_deref().unwrap_or_default();
        origin = origin.clone().at_path(&format!("{path}/{address}"));
        let text = "expected one element at this address, found several";
        Some(Finding::new(Code::XmlRepeated, origin, text))
    }

    /// A fault after which nothing more can be read.
    fn stop(&mut self, wrong: Wrong) -> Taken {
        self.is_done = true;
        let (line, byte) = self.framer.at();
        Taken::Faulty(Place { sheet: None, line, byte, path: None }, wrong)
    }

    fn place(&self) -> Place {
        let (line, byte) = self.framer.at();
        let path = format!("/{}[{}]", self.settings.units.join("/"), self.ordinal);
        Place { sheet: None, line, byte, path: Some(Arc::from(path)) }
    }

    fn at_here(&self) -> Origin {
        let (line, byte) = self.framer.at();
        self.file.clone().at_line(line).at_byte(byte)
    }

    fn refuse(&self, fault: Fault) -> Refused {
        finding(Wrong::Text(fault), self.at_here()).into()
    }
}

fn finding(wrong: Wrong, origin: Origin) -> Finding {
    let (code, text) = match wrong {
        Wrong::Text(Fault::Truncated) => {
            (Code::FileTruncated, "expected more, found the end of the file inside an element")
        }
        Wrong::Text(Fault::Syntax) | Wrong::Tree(NotATree::Syntax) => {
            (Code::XmlSyntax, "expected XML, found text that is not")
        }
        Wrong::Tags => {
            (Code::XmlSyntax, "expected each tag to be closed by its own end tag, found another's")
        }
        Wrong::Text(Fault::TooLarge) => {
            (Code::UnitTooLarge, "expected a document type of ordinary length, found one longer than any is")
        }
        Wrong::TooLarge => (Code::UnitTooLarge, "expected one unit, found one larger than any can be"),
        Wrong::Tree(NotATree::TooDeep) => {
            (Code::XmlTooDeep, "expected a tree, found one nested deeper than any record is")
        }
        Wrong::Tree(NotATree::TooMany) => {
            (Code::XmlTooMany, "expected one unit, found one of more elements or attributes than any has")
        }
        Wrong::Tree(NotATree::Entity) => {
            (Code::XmlEntity, "expected text, found an entity that only a document type could explain")
        }
    };
    Finding::new(code, origin, text)
}
