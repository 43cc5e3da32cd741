//! What partners were told, and partners to whom nothing is sent.

use diesel::prelude::*;

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::store::schema::{halted, told};
use crate::store::{StoreError, Tx};

/// What a partner was last told of a record.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = told, treat_none_as_default_value = false)]
pub struct Told {
    /// The partner.
    pub partner: String,
    /// In which layout.
    pub mapping: String,
    /// Of which record.
    pub record_id: String,
    /// Keyed hash of the message.
    pub content_hash: Vec<u8>,
    /// Its id.
    pub message_id: String,
    /// When.
    pub told_at: String,
}

/// A partner to whom nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = halted, treat_none_as_default_value = false)]
pub struct Halted {
    /// The partner.
    pub partner: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: String,
}

/// What a partner was last told of some records in one layout.
///
/// # Errors
/// Where the database fails.
pub fn list(tx: &mut Tx, partner: &str, mapping: &str, records: &[String]) -> Result<Vec<Told>, StoreError> {
    let mut found = Vec::new();
    for records in records.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(on_both!(tx, connection => told::table
            .filter(told::partner.eq(partner).and(told::mapping.eq(mapping)))
            .filter(told::record_id.eq_any(records))
            .select(Told::as_select())
            .load::<Told>(connection))?);
    }
    Ok(found)
}

/// Writes down what a partner was told.
///
/// # Errors
/// Where the database fails.
pub fn put(tx: &mut Tx, row: &Told) -> Result<(), StoreError> {
    on_both!(tx, connection => diesel::insert_into(told::table)
        .values(row)
        .on_conflict((told::partner, told::mapping, told::record_id))
        .do_update()
        .set((
            told::content_hash.eq(&row.content_hash),
            told::message_id.eq(&row.message_id),
            told::told_at.eq(&row.told_at),
        ))
        .execute(connection))?;
    Ok(())
}

/// Forgets that a partner was told something by a message, because that did not go after all.
///
/// # Errors
/// Where the database fails.
pub fn forget(tx: &mut Tx, partner: &str, message_id: &str) -> Result<(), StoreError> {
    let rows = told::table.filter(told::partner.eq(partner).and(told::message_id.eq(message_id)));
    diesel::delete(rows).execute(&mut tx.connection)?;
    Ok(())
}

/// The partners to whom nothing is sent.
///
/// # Errors
/// Where the database fails.
pub fn list_halted(tx: &mut Tx) -> Result<Vec<Halted>, StoreError> {
    Ok(halted::table.order(halted::partner).select(Halted::as_select()).load(&mut tx.connection)?)
}

/// Sends a partner nothing from now on. True if it was sent something before.
///
/// # Errors
/// Where the database fails.
pub fn halt(tx: &mut Tx, row: &Halted) -> Result<bool, StoreError> {
    let is_new = on_both!(tx, connection => diesel::insert_into(halted::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(connection))?;
    Ok(is_new > 0)
}

/// Sends a partner again what waits. False if nothing was in the way.
///
/// # Errors
/// Where the database fails.
pub fn go_on(tx: &mut Tx, partner: &str) -> Result<bool, StoreError> {
    let gone =
        diesel::delete(halted::table.filter(halted::partner.eq(partner))).execute(&mut tx.connection)?;
    Ok(gone > 0)
}
