//! Sending identifiable records on to a partner: what an agreement allows of one record, decided
//! without looking at a clock, a file or a database.
//!
//! The way is one-way through the types. An [`agreement::Agreement`] is read and checked;
//! [`decide::decide`] holds a record against it and against what stands in the way of the person's
//! records, and gives either a [`decide::Refusal`], with the rule, or what is
//! [`cleared`](decide::Cleared); only what is cleared can be written as a
//! [`message::PartnerMessage`], and only under a grant for that purpose. Nothing else makes one.

pub mod agreement;
pub mod decide;
pub mod flow;
pub mod message;
pub mod objection;
pub mod restricted;
