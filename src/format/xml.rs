//! XML documents: a unit is an element that repeats, named by the mapping.
//!
//! Text is cut into units by its markup alone, within bounds, before anything of a unit is built,
//! as [`json`](super::json) does; a unit is then parsed by a library. A document type is noted and
//! never read, so no entity is ever expanded but the five that XML itself has.
//!
//! **The tree.** Elements go by their local name (`form`), or by `prefix:name` where the mapping
//! declares their namespace. An attribute is `@name`. Text of an element that has attributes or
//! children too is what stands at the element's own path. An element with `xsi:nil="true"` says
//! "take the old value away"; an empty one says nothing. An element that stands several times is
//! a list: `phone[0]`, `phone[@use=home]`; one alone may be written either way.

mod build;
mod encoding;
mod frame;
mod outline;
mod passing;
mod reader;
mod write;

pub(crate) use build::{NotATree, Spare, check_address, is_name, is_well_formed, tag_end};
pub(crate) use reader::XmlReader;
pub(crate) use write::{XmlWriter, attribute, holds_unwritable};

/// Where the text of an element stands that has attributes or children too. No element is called so.
pub(crate) const TEXT: &str = "#text";

/// The namespace of `nil`: XML Schema Part 1, section 2.6.2.
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
