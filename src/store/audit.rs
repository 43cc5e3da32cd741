//! The audit: append-only, each entry chained to the one before by SHA-256, so that none can be
//! altered or left out without all later ones changing.

use diesel::prelude::*;
use sha2::{Digest, Sha256};

use crate::base::edge::Instant;
use crate::base::private::Receipt;
use crate::store::schema::audit;
use crate::store::{StoreError, Tx};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit, treat_none_as_default_value = false)]
pub struct Entry {
    /// Its ordinal, from 1, without gaps.
    pub number: i64,
    /// When.
    pub at: String,
    /// Who: a role and account.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// Why.
    pub purpose: String,
    /// To what, by id.
    pub object: String,
    /// How many identifying values were opened.
    pub count: i64,
    /// Hash of the entry before; zeros for the first.
    pub previous_hash: Vec<u8>,
    /// Hash of this entry.
    pub hash: Vec<u8>,
}

impl Entry {
    /// The hash this entry should carry: over the one before and every field, each with its
    /// length.
    #[must_use]
    pub fn expected_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(&self.previous_hash);
        hash.update(self.number.to_be_bytes());
        hash.update(self.count.to_be_bytes());
        for field in [&self.at, &self.actor, &self.action, &self.purpose, &self.object] {
            hash.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(field.as_bytes());
        }
        hash.finalize().into()
    }
}

/// Adds an entry for what a grant opened.
///
/// # Errors
/// Where the database fails.
pub fn append(
    tx: &mut Tx,
    receipt: &Receipt,
    action: &str,
    object: &str,
    at: Instant,
) -> Result<Entry, StoreError> {
    let count = i64::try_from(receipt.opened).unwrap_or(i64::MAX);
    append_act(tx, &receipt.actor, action, receipt.purpose, object, count, at)
}

/// Adds an entry for an act that opened nothing.
///
/// # Errors
/// Where the database fails.
pub fn append_act(
    tx: &mut Tx,
    actor: &str,
    action: &str,
    purpose: &str,
    object: &str,
    count: i64,
    at: Instant,
) -> Result<Entry, StoreError> {
    let last: Option<(i64, Vec<u8>)> = audit::table
        .order(audit::number.desc())
        .select((audit::number, audit::hash))
        .first(&mut tx.connection)
        .optional()?;
    let (number, previous_hash) = last.unwrap_or_else(|| (0, vec![0; 32]));
    let mut entry = Entry {
        number: number + 1,
        at: at.to_string(),
        actor: actor.to_owned(),
        action: action.to_owned(),
        purpose: purpose.to_owned(),
        object: object.to_owned(),
        count,
        previous_hash,
        hash: Vec::new(),
    };
    entry.hash = entry.expected_hash().to_vec();
    diesel::insert_into(audit::table).values(&entry).execute(&mut tx.connection)?;
    Ok(entry)
}

/// Entries after a number, in order.
///
/// # Errors
/// Where the database fails.
pub fn list_after(tx: &mut Tx, number: i64, n_max: i64) -> Result<Vec<Entry>, StoreError> {
    Ok(audit::table
        .filter(audit::number.gt(number))
        .order(audit::number)
        .limit(n_max)
        .select(Entry::as_select())
        .load(&mut tx.connection)?)
}

/// The hash of every entry, in order: the leaves of the log.
///
/// # Errors
/// Where the database fails.
pub fn list_hashes(tx: &mut Tx) -> Result<Vec<Vec<u8>>, StoreError> {
    Ok(audit::table.order(audit::number).select(audit::hash).load(&mut tx.connection)?)
}
