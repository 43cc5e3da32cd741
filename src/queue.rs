//! The two brokers under one contract.
