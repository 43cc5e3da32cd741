//! The operations: a closed set, each total, one a file.
//!
//! An operation reads what a source wrote into what a record holds, and, where it has a way
//! back, writes it. A value it cannot take is refused with a finding code; nothing is guessed.

pub mod argument;
pub mod collapse;
pub mod cost;
pub mod date;
pub mod date_time;
pub mod day_month_year;
pub mod dd_format;
pub mod dd_timestamp;
pub mod fhir_date;
pub mod first;
pub mod hl7_date;
pub mod id;
pub mod integer;
pub mod join;
pub mod kebab;
pub mod list;
pub mod lower;
pub mod money;
pub mod name_case;
pub mod nhs_integer;
pub mod nhs_number;
pub mod nothing;
pub mod number;
pub mod pad;
pub mod pattern;
pub mod postcode;
pub mod postcode_district;
pub mod postcode_halves;
pub mod prefix;
pub mod present;
pub mod scale;
pub mod split;
pub mod strip;
pub mod sum;
pub mod text;
pub mod true_false;
pub mod unix_time;
pub mod upper;
pub mod value;
pub mod weekly_cost;
pub mod words;
pub mod yes_no;

use crate::base::edge::Instant;
use crate::base::finding::Code;
use argument::{Argument, Misuse};
use value::{Type, Value};

/// What an operation is, for the reference and for the compiler.
#[derive(Debug)]
pub struct Doc {
    /// Its name in a mapping.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// What its argument is. Empty if it takes none.
    pub argument: &'static str,
    /// What it takes.
    pub takes: Type,
    /// What it gives.
    pub gives: Type,
    /// How many cells it takes.
    pub inputs: Inputs,
    /// Whether it can be written.
    pub way_back: WayBack,
    /// Examples, run as tests.
    pub examples: &'static [Example],
}

/// How many cells an operation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inputs {
    /// One.
    One,
    /// One, and it has something to say of a blank.
    OneOrBlank,
    /// Two or more.
    Several,
    /// Just so many.
    Exactly(usize),
}

/// Whether an operation can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayBack {
    /// What was read is written in the sender's normal form.
    Written,
    /// It cannot: something was lost.
    Lost,
}

/// One example: an argument as TOML (empty for none), the cells, what is read, what is written
/// back.
#[derive(Debug)]
pub struct Example {
    /// The argument, as TOML.
    pub argument: &'static str,
    /// The cells.
    pub cells: &'static [&'static str],
    /// What is read, or the finding.
    pub read: Result<&'static str, Code>,
    /// What is written back. Empty if nothing can be.
    pub written: &'static str,
}

impl Example {
    /// An example that is read, and written back as given.
    #[must_use]
    pub const fn good(
        argument: &'static str,
        cells: &'static [&'static str],
        read: &'static str,
        written: &'static str,
    ) -> Self {
        Self { argument, cells, read: Ok(read), written }
    }

    /// An example that is refused.
    #[must_use]
    pub const fn bad(argument: &'static str, cells: &'static [&'static str], code: Code) -> Self {
        Self { argument, cells, read: Err(code), written: "" }
    }
}

/// Why a value was refused. Never quotes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which fault.
    pub code: Code,
    /// What was expected.
    pub expected: String,
}

impl Refusal {
    /// A refusal.
    #[must_use]
    pub fn new(code: Code, expected: impl Into<String>) -> Self {
        Self { code, expected: expected.into() }
    }
}

/// What an operation gives, or why not.
pub type Outcome<'u> = Result<Value<'u>, Refusal>;

/// One operation.
pub trait Operation: Sized {
    /// What it is.
    const DOC: Doc;

    /// Takes its argument.
    ///
    /// # Errors
    /// Where the argument is not what it takes.
    fn build(argument: &Argument<'_>) -> Result<Self, Misuse>;

    /// Reads one value; never a blank, unless the operation takes one.
    ///
    /// # Errors
    /// Where it is refused.
    fn read<'u>(&self, value: Value<'u>) -> Outcome<'u>;

    /// Writes one value that was read.
    ///
    /// # Errors
    /// Where the value was not read by this operation.
    fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
        Ok(value)
    }

    /// Reads several cells, blanks among them.
    ///
    /// # Errors
    /// Where they are refused.
    fn gather<'u>(&self, values: Vec<Value<'u>>) -> Outcome<'u> {
        values.into_iter().next().map_or(Ok(Value::Absent), |value| self.read(value))
    }

    /// What has to be said of a value that is taken all the same.
    fn remark(&self, _value: &Value<'_>) -> Option<Refusal> {
        None
    }

    /// One value as several cells, for an operation that takes several and writes each back.
    fn scatter<'u>(&self, _value: &Value<'u>) -> Option<Vec<Value<'u>>> {
        None
    }

    /// The instant that a cell states, for operations on times.
    ///
    /// # Errors
    /// Where it states none.
    fn instant(&self, value: Value<'_>) -> Result<Instant, Refusal> {
        match self.read(value)? {
            Value::Day(day) => date_time::midnight(day),
            _ => Err(Refusal::new(Code::MapDateTime, "expected a time")),
        }
    }

    /// An instant as a cell would state it; `None` where a cell of this operation cannot.
    fn print_instant(&self, _instant: Instant) -> Option<String> {
        None
    }
}

macro_rules! operations {
    ($($name:ident, $module:ident;)*) => {
        /// An operation, ready for use.
        #[derive(Debug, Clone)]
        pub enum Op { $(#[doc = concat!("See [`", stringify!($module), "`].")] $name($module::$name),)* }

        /// What each operation is, in the order of the reference.
        pub const REFERENCE: &[&Doc] = &[$(&<$module::$name as Operation>::DOC,)*];

        impl Op {
            /// The operation of that name, with its argument; `None` if there is none.
            pub fn build(name: &str, argument: &Argument<'_>) -> Option<Result<Self, Misuse>> {
                $(if name == <$module::$name as Operation>::DOC.name {
                    return Some($module::$name::build(argument).map(Self::$name));
                })*
                None
            }

            /// What it is.
            #[must_use]
            pub const fn doc(&self) -> &'static Doc {
                match self { $(Self::$name(_) => &<$module::$name as Operation>::DOC,)* }
            }

            /// Reads one value.
            ///
            /// # Errors
            /// Where it is refused.
            pub fn read<'u>(&self, value: Value<'u>) -> Outcome<'u> {
                match self { $(Self::$name(op) => op.read(value),)* }
            }

            /// Reads several cells.
            ///
            /// # Errors
            /// Where they are refused.
            pub fn gather<'u>(&self, values: Vec<Value<'u>>) -> Outcome<'u> {
                match self { $(Self::$name(op) => op.gather(values),)* }
            }

            /// Writes one value that was read.
            ///
            /// # Errors
            /// Where it was not read by this operation.
            pub fn write<'u>(&self, value: Value<'u>) -> Outcome<'u> {
                match self { $(Self::$name(op) => op.write(value),)* }
            }

            /// What has to be said of a value that is taken all the same.
            #[must_use]
            pub fn remark(&self, value: &Value<'_>) -> Option<Refusal> {
                match self { $(Self::$name(op) => op.remark(value),)* }
            }

            /// One value as several cells; `None` where it is written into one.
            #[must_use]
            pub fn scatter<'u>(&self, value: &Value<'u>) -> Option<Vec<Value<'u>>> {
                match self { $(Self::$name(op) => op.scatter(value),)* }
            }

            /// An instant as a cell would state it; `None` where a cell of this operation cannot.
            #[must_use]
            pub fn print_instant(&self, instant: Instant) -> Option<String> {
                match self { $(Self::$name(op) => op.print_instant(instant),)* }
            }

            /// The instant that a cell states.
            ///
            /// # Errors
            /// Where it states none.
            pub fn instant(&self, value: Value<'_>) -> Result<Instant, Refusal> {
                match self { $(Self::$name(op) => op.instant(value),)* }
            }
        }
    };
}

operations! {
    Text, text;
    Upper, upper;
    Lower, lower;
    Collapse, collapse;
    NameCase, name_case;
    Kebab, kebab;
    Prefix, prefix;
    Strip, strip;
    Pad, pad;
    Split, split;
    Words, words;
    Id, id;
    NhsNumber, nhs_number;
    NhsInteger, nhs_integer;
    Postcode, postcode;
    PostcodeDistrict, postcode_district;
    PostcodeHalves, postcode_halves;
    Date, date;
    DayMonthYear, day_month_year;
    DdFormat, dd_format;
    DateTime, date_time;
    DdTimestamp, dd_timestamp;
    FhirDate, fhir_date;
    Hl7Date, hl7_date;
    UnixTime, unix_time;
    Integer, integer;
    Number, number;
    Money, money;
    Cost, cost;
    Scale, scale;
    YesNo, yes_no;
    TrueFalse, true_false;
    Present, present;
    List, list;
    First, first;
    Join, join;
    Sum, sum;
    WeeklyCost, weekly_cost;
    Nothing, nothing;
}

#[cfg(test)]
mod tests;
