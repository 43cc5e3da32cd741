//! The mapping language: one file says how a source's layout and the canonical records stand to
//! each other, in both directions.
//!
//! `mappings/<source>/<feed>.toml`, its cases beside it in `<feed>.cases.toml`, code lists in
//! `mappings/codes/<family>/<name>.csv`. A closed set of total [operations](op); no general
//! expression language.
//!
//! # A mapping file
//!
//! An unknown key is an error, with the nearest known one named.
//!
//! ```toml
//! name = "council/cld"               # <source>/<feed>; kebab words
//! version = 2                        # whole number from 1
//! title = "Client Level Data, R2"    # optional, for people
//! format = { csv = { encoding = "windows-1252", separator = ",", header = "exact" } }
//! snapshot = "full"                  # full | incremental (the default)
//! one_way = true                     # optional: never written, only read
//! rules = "trust/mhsds-6"            # optional: rules of a data set; those of one row alone are said of each
//!
//! [subject]                          # the person as this source knows them
//! key = ["LA Person Unique Identifier"]
//!
//! [[record]]
//! kind = "service"                   # one of the fifteen
//! sheet = "Clients"                  # workbooks only, and there always: one sheet, or several alike, with
//! sheets = { "Action Plan" = { activity = "action-plan" } }   # the fields that each sets by being itself.
//!                                    # A field whose column a sheet does not list is left out of that sheet
//! drives = true                      # when written: one row for each of these
//! each = "householdMembers[isResponsible=true]"   # optional, JSON and FHIR: a record for each item that this
//!                                    # selects, where addresses that begin so mean that item
//! when = { column = "Event Type", is = "Service" }
//! key = ["LA Person Unique Identifier", { field = "started_on" }]   # default: the subject's key
//! row_id = "Row Id"                  # optional: the row's own id stands for the key where it is filled;
//!                                    # a sheet may do without the column
//! same_as = ["completed_on", "edition"]   # optional: told by several feeds of its source. Where two say the
//!                                    # same of these fields for one person, it is one record, and each adds
//!                                    # to what the other said; "key": every feed gives it this key
//! subject = [{ from = "subject.reference", as = { strip = "Patient/" } }]   # default: [subject]
//! update = "whole"                   # whole (default) | patch: leaves what it does not name
//! source_time = { from = "Last Updated", as = "date-time" }         # optional
//! one_way = true                     # optional: this record is never written
//! written_only = true                # optional: never read; says where a person's own fields stand
//!                                    # in a row about something else. With `drives`: what a row names, as
//!                                    # a row of its own, once a file: a worker. Told apart by `key`
//! writes = { status = "active" }     # optional: written into every row of it, never read; or
//!                                    # { value = "active", with = "address" }: where that is written too
//! check = [{ from = "Ward", as = { dd-format = "max an12" } }]   # looked at and not kept: fields without `to`
//!
//! [[record.field]]
//! to = "started_on"                  # a field of the kind's schema
//! from = "Event Start Date"          # or several: from = ["A", "B"], for an operation that takes several
//! as = { date = "%d/%m/%Y" }         # an operation; a list is a pipeline, read left to right
//! codes = "cld/service-component"    # after `as`: a code list
//! other = "quarantine"               # value outside the list: reject (default) | quarantine | keep-as-text | warn
//! blank = "absent"                   # absent (default) | reject | quarantine | delete (a patch takes the old value away) | warn
//! wrong = "reject"                   # an operation refused the value: reject (default) | quarantine | warn
//! published = { blank = "MHS00103", format = "MHS00104", code = "MHS00116" }   # the owner's codes of these rules;
//!                                    # of a postcode, `code` is that it has the form of one
//! default = "not-known"              # instead of a blank; when written, this value is written as it is
//! one_way = true                     # read, never written
//!
//! [[record.field]]
//! to = "type"
//! value = "admission"                # a constant, with no `from`
//!
//! [[record.field]]
//! to = "ended_on"
//! delete = true                      # a patch takes the old value away, whatever the unit holds
//! ```
//!
//! **Formats.** `csv` takes `encoding` (`utf-8`, `windows-1252`, `utf-16`; decided over the whole
//! file if left out), `separator` (one character or `"tab"`; detected if left out), `header`
//! (`exact`: on the first line; `find`: searched for near the top, the default; `named`: there is
//! none, `columns` names them; `numbered`: `columns` names them, and a row that begins with `field
//! number` says, if there is one, which stands where), `ends` (of a row when written: `crlf`, the default, or `lf`) and `columns` (the whole layout in order; what is written when the
//! mapping is used the other way). `xlsx` takes `header_row` (searched for if left out) and, for
//! writing, `columns = { Clients = [..] }`. `json` and `ndjson` take `units`
//! (path of the list whose items are the units, if not the document itself) and, `ndjson` only, `body` (path of a text that
//! holds the JSON to map, such as a webhook's). `fhir` reads JSON and XML alike, and takes `form` (`json`, the
//! default, or `xml`), in which it is written. `xml` takes `units` (the names that lead to the element that is a
//! unit, from the outermost: `"forms.form"`), `namespace` (of the outermost element, where it has to have one),
//! `namespaces = { core = "urn:.." }` (prefixes for addresses, whatever the document calls them) and `columns`
//! (the addresses in the order their elements are written in; those without a value are then written empty).
//! The encoding is what the document declares. `hl7v2` takes nothing: `format = { hl7v2 = {} }`.
//!
//! **Addresses** are column names, or paths that select by value:
//! `identifier[system=https://fhir.nhs.uk/Id/nhs-number].value`, `PID-3[5=NHS].1` (`[5=MR|MRN]`: either). In XML an attribute is `@name`:
//! `phone[@use=home]`, `code.@system`; an element that stands several times is never entered without `[..]`.
//!
//! **Key parts** are addresses, whose cell stands trimmed but otherwise as sent (a date cell as
//! `YYYY-MM-DD`), or `{ field = "started_on" }`, the canonical value of a field of this record, or
//! `{ from = "address", as = operation }`. A unit with a blank subject key is rejected, and so is
//! one whose whole record key is blank; single blank parts of a record key are allowed.
//!
//! **Conditions** are data. One test: `{ column = "Event Type", is = "Service" }` (or
//! `path = "resourceType"`) with one of `is = ".."`, `in = ["..", ".."]`, `blank = true`,
//! `not-blank = true`, `before = "2024-04-01"`, `after = "2024-04-01"` (day cells, or texts as
//! `YYYY-MM-DD`, or as the further key `as = { date = ".." }` says), `matches = "A0*"` (`*` any
//! characters, `?` one). Several: `{ all = [ .. ] }`, `{ any = [ .. ] }`, `{ not = { .. } }`. Texts
//! are compared trimmed and otherwise exactly. A unit that no record takes is *filtered*.
//! When a row is written, `is` writes its constant; any other condition needs a field or key that sets
//! the column, or a record that is `one_way`, else the file does not compile.
//!
//! **A record is made** if its `when` holds and at least one field was read from the unit (constants and defaults do not count).
//!
//! **Faults.** A cell that an operation refuses is a finding, and the unit is rejected (or
//! quarantined, by `wrong`). Nothing is guessed: 31/02/1950 is an error. A number cell where a
//! text id belongs is a finding. Every record is checked against its schema; a fault rejects the
//! unit.
//!
//! **Without `as`**, the schema decides: text and word fields take `text`, day fields `date`,
//! whole numbers `integer`, numbers `number`, truth values `true-false`, lists `{ list = ";" }`.
//!
//! # Operations
//!
//! `text` `upper` `lower` `collapse` `name-case` `kebab` `{ prefix = "x" }` (adds; written: takes
//! away) `{ strip = "x" }` (takes away; written: adds) `{ pad = 6 }` or `{ pad = { width = 6, with = "0" } }`
//! `{ split = { on = " ", part = 1 } }` `{ words = { "Care Home" = "care-home", .. } }` (a small code
//! list in place; the first of several to one word is the way back) · `id` (printable, no blanks)
//! `nhs-number` `nhs-integer` (one kept as a number: leading noughts put back, and said so) `postcode`
//! `postcode-halves` (two cells) `postcode-district` `{ dd-format = "max an20" }` (a form of the NHS Data
//! Dictionary) · `date` (date cells and `YYYY-MM-DD`; an instant is its day in London, and that is reported)
//! `{ date = "%d/%m/%Y" }` (also `%b` for Jan, `%y` never) `date-time` (RFC 3339, or without offset
//! taken as Europe/London; gives the day in London) `{ date-time = "%d/%m/%Y %H:%M" }` `dd-timestamp` (written with
//! London's offset) `fhir-date`
//! (day or instant; a partial date is refused) `hl7-date` (`YYYYMMDD[HHMM[SS]][+ZZZZ]`) `unix-time`
//! (seconds) `day-month-year` (three cells) · `integer` `number` `money` (pounds; `£` and thousands commas allowed)
//! `cost` (pounds; a minus is left out, and said so) `{ scale = "0.01" }`
//! · `yes-no` (Yes/No, Y/N, any case; writes Yes/No) `{ yes-no = { yes = "1", no = "0" } }` `true-false`
//! `present` (not blank) · `{ list = ";" }` · taking several `from`: `first` (the first not blank)
//! `{ join = " " }` `sum` `weekly-cost` (unit cost, cost frequency, planned units per week).
//!
//! `nothing` is for checks: the cell has to be blank.
//!
//! Seven have no way back, and need `one_way = true` on their field: `kebab`, `split`,
//! `postcode-district`, `present`, `join`, `sum`, `weekly-cost`.
//!
//! # Code lists
//!
//! `mappings/codes/<family>/<name>.csv`: header comment lines `# source: ..`, `# version: ..`,
//! `# date: ..`, then `source,canonical,preferred,note`. Several sources of one canonical value
//! mark one `preferred` = `yes` for the way back; without it that direction is lossy, and
//! `coverage` says so. A row with `preferred` = `write` is for the way back alone: the canonical word
//! is written as a source word that stands for more than it, which is always said (`map/wider-code`).
//! `# other: <list>` names the list of another release of the column: a value in its spelling is told
//! from a mistake.
//!
//! What a target's list has no word for is left out of what is written, and said, unless the layout
//! cannot do without it.
//!
//! # Rules of a data set
//!
//! `mappings/rules/<source>/<name>.csv`: rules that look at several elements, rows or tables of what was
//! sent together, under their owner's codes; the language stands at the top of [`submission::rule`].
//! A mapping that names them says those that look at one row alone of every row that it reads, in the
//! order of the file, whatever reads it: a sync, a conversion, a case.
//!
//! # Cases
//!
//! ```toml
//! [[case]]
//! name = "a spaced NHS number is accepted"
//! rows = [{ "LA Person Unique Identifier" = "LL0000001", "NHS Number" = "999 000 0018" }]   # other columns blank
//! sheet = "Clients"                     # workbooks
//! # or: text = """..."""                # the file itself, header included: CSV, JSON, HL7 v2
//! outcome = ["accepted"]                # one a unit: accepted | filtered | quarantined | rejected; one word if all are the same
//! findings = ["map/date"]               # codes in order; default none
//! [[case.record]]
//! kind = "person"
//! subject = "LL0000001"                 # optional to state
//! key = "LL0000001|x"                   # optional; parts joined by |
//! fields = { nhs_number = "9990000018" }   # exactly the fields; "(deleted)" for what a patch takes away
//! ```

pub mod case;
pub mod code_list;
pub mod compile;
pub mod condition;
pub mod coverage;
pub mod diagnostic;
pub mod draft;
pub mod drift;
pub mod explain;
pub mod file;
pub mod form;
pub mod library;
pub mod op;
pub mod profile;
pub mod read;
pub mod shipped;
pub mod submission;
pub mod write;

use std::sync::Arc;

use crate::base::edge::Instant;
use crate::base::finding::Finding;
use crate::base::private::Private;
use crate::format::settings::Settings;
use crate::mapping::submission::row::RowRules;
use crate::record::draft::Draft;
use crate::record::kind::Kind;

/// A mapping, compiled. Bound to a header before it reads.
#[derive(Clone)]
pub struct Mapping {
    /// `<source>/<feed>`.
    pub name: String,
    /// Its version, from 1.
    pub version: u32,
    /// What people call it.
    pub title: String,
    /// SHA-256 of the file and of the code lists it uses.
    pub hash: [u8; 32],
    /// How its files are read.
    pub settings: Settings,
    /// All columns of the layout, by sheet (the empty name without sheets), where the mapping
    /// lists them.
    pub columns: Vec<(String, Vec<String>)>,
    /// Whether each file holds everything there is.
    pub snapshot: Snapshot,
    /// True if it is only ever read.
    pub one_way: bool,
    /// True in service with real people's data: test messages and test NHS numbers are refused.
    pub is_live: bool,
    /// What its author should know: lossy code lists.
    pub notes: Vec<String>,
    /// The code lists and rules it names, each with its text: part of what it is.
    pub code_lists: Vec<(String, String)>,
    /// The rules of a data set that look at one row of it alone.
    pub rules: Option<RowRules>,
    /// Its record blocks.
    pub blocks: Vec<Arc<compile::Block>>,
}

/// Whether a file holds everything there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Snapshot {
    /// It does: what is no longer in it is absent since.
    Full,
    /// It holds what is new or changed.
    Incremental,
}

/// How a record stands to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// It replaces it.
    Whole,
    /// It leaves what it does not name unchanged.
    Patch,
}

/// What became of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is wrong, and goes back to the sender.
    Rejected,
    /// It is set aside, to be put right here.
    Quarantined,
    /// No record block takes it.
    Filtered,
    /// It gave records.
    Records,
}

/// What was read from one unit.
pub struct Reading {
    /// What became of it.
    pub outcome: Outcome,
    /// The records; none unless that is the outcome.
    pub records: Vec<Made>,
    /// What could be made of a unit that was refused or set aside. It says whom the unit is
    /// about, and is never kept.
    pub about: Vec<Made>,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// One record made from a unit.
#[derive(Clone)]
pub struct Made {
    /// Its kind.
    pub kind: Kind,
    /// Whom it is about: the parts of the subject's key, joined by [`KEY_SEPARATOR`]. None for a
    /// setting.
    pub subject: Option<Private<String>>,
    /// What tells it apart within its source and kind: its parts, joined likewise.
    pub key: Private<String>,
    /// Its fields.
    pub draft: Draft,
    /// How it stands to the one before it.
    pub update: Update,
    /// The source's own time.
    pub source_time: Option<Instant>,
    /// How it stands to what other feeds of its source tell; none where its block says nothing of it.
    pub same: Option<Same>,
}

/// How a record stands to what other feeds of its source tell.
#[derive(Clone)]
pub struct Same {
    /// What tells it apart.
    pub of: Arc<compile::SameAs>,
    /// What its fields say of that; none where one of them is blank, or its key alone tells.
    pub text: Option<Private<String>>,
    /// Its key but for the row's own id, where it has one.
    pub plain_key: Option<Private<String>>,
    /// It has something of its own that tells it apart further, such as a row's own id.
    pub has_own: bool,
}

/// Between the parts of a key: the unit separator of ASCII, which stands in no cell.
pub const KEY_SEPARATOR: char = '\u{1f}';

/// Begins a key that is a row's own id, so that it is not taken for what the sender calls a thing.
pub const ROW_ID_MARK: char = '#';

impl Mapping {
    /// Who sends it: what stands before the stroke in its name.
    #[must_use]
    pub fn source(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    /// What they send: what stands after it.
    #[must_use]
    pub fn feed(&self) -> &str {
        self.name.split('/').nth(1).unwrap_or_default()
    }

    /// Every address it names (on one sheet), in the order of first mention.
    #[must_use]
    pub fn addresses(&self, sheet: Option<&str>) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let blocks = self.blocks.iter().filter(|block| read::is_of(block.sheet.as_deref(), sheet));
        let ruled = self.rules.iter().flat_map(RowRules::columns);
        for address in blocks.flat_map(|block| block.addresses()).chain(ruled) {
            if !out.iter().any(|known| known == address) {
                out.push(address.to_owned());
            }
        }
        out
    }
}
