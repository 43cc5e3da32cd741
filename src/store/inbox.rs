//! Webhook ids that were seen, as keyed hashes.

use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::base::seal::KeyedHash;
use crate::store::schema::inbox;
use crate::store::{StoreError, Tx};

/// A webhook id that was seen, and the unit that brought it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = inbox, treat_none_as_default_value = false)]
pub struct Seen {
    /// The source that sent it.
    pub source: String,
    /// Keyed hash of the id.
    pub webhook_id_hash: Vec<u8>,
    /// The batch it first came in.
    pub batch_id: String,
    /// Its ordinal in that batch.
    pub unit: i64,
}

/// Those of the ids that were seen.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, source: &str, hashes: &[KeyedHash]) -> Result<Vec<Seen>, StoreError> {
    let mut found = Vec::new();
    for hashes in hashes.chunks(ROWS_A_STATEMENT_MAX) {
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        found.extend(
            inbox::table
                .filter(inbox::source.eq(source).and(inbox::webhook_id_hash.eq_any(hashes)))
                .select(Seen::as_select())
                .load::<Seen>(&mut tx.connection)?,
        );
    }
    Ok(found)
}

/// Writes down ids as seen.
///
/// # Errors
/// Where one is there already, or the database fails.
pub fn put(tx: &mut Tx, rows: &[Seen]) -> Result<(), StoreError> {
    for rows in rows.chunks(ROWS_A_STATEMENT_MAX) {
        on_both!(tx, connection => diesel::insert_into(inbox::table).values(rows).execute(connection))?;
    }
    Ok(())
}
