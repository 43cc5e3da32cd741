//! HL7 v2 messages (ER7).

/// One message.
pub struct Message {}

/// A compiled path into a message, such as `PID-3[5=NHS].1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePath {}
