//! Looking on while a unit is read: what coverage counts and what an explanation tells.

use crate::format::{At, Unit};
use crate::mapping::code_list::CodeList;
use crate::mapping::condition::Condition;
use crate::mapping::op::Refusal;
use crate::mapping::op::value::Value;
use crate::mapping::{Made, Outcome};
use crate::record::draft::Draft;

/// What is seen, in the order in which it happens. Values may identify: whoever keeps one keeps
/// it as an identifying value.
pub(crate) enum Seen<'s, 'u> {
    /// A record block took the unit, or did not.
    Block {
        /// Its place among the mapping's blocks.
        number: usize,
        /// Its condition.
        when: Option<&'s Condition<At>>,
        /// The unit.
        unit: &'s Unit<'u>,
        /// Whether it took it.
        is_taken: bool,
    },
    /// A rule begins.
    Rule {
        /// Its block.
        block: usize,
        /// Its place among the block's rules.
        rule: usize,
    },
    /// What its cells hold.
    Cells(&'s [Value<'u>]),
    /// What the next of its operations gave.
    Step(&'s Value<'u>),
    /// Its code list is asked for a word.
    Coded {
        /// The list.
        codes: &'s CodeList,
        /// The source's word.
        word: &'s Value<'u>,
    },
    /// It gave nothing.
    Nothing,
    /// It filled its field.
    Given {
        /// With this.
        leaf: &'s Draft,
        /// True if it was read; false for a constant, and for what stands for a blank.
        is_read: bool,
    },
    /// It refused.
    Refused(&'s Refusal),
    /// The block made a record of what its rules gave.
    Made(&'s Made),
    /// What became of the unit. The last thing seen of it.
    Outcome(Outcome),
}

/// Somebody who looks on. `()` looks away, and costs nothing.
pub(crate) trait Watch {
    /// Something happened.
    fn seen(&mut self, seen: Seen<'_, '_>);
}

impl Watch for () {
    #[inline]
    fn seen(&mut self, _seen: Seen<'_, '_>) {}
}
