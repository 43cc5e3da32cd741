//! Facts about the database itself, by name.

use diesel::prelude::*;

use crate::store::schema::meta;
use crate::store::{StoreError, Tx};

/// The value of that name.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, name: &str) -> Result<Option<String>, StoreError> {
    let found = meta::table.find(name).select(meta::value).first(&mut tx.connection).optional()?;
    Ok(found)
}

/// Sets a value.
///
/// # Errors
/// Where the database fails.
pub fn set(tx: &mut Tx, name: &str, value: &str) -> Result<(), StoreError> {
    on_both!(tx, connection => diesel::insert_into(meta::table)
        .values((meta::name.eq(name), meta::value.eq(value)))
        .on_conflict(meta::name)
        .do_update()
        .set(meta::value.eq(value))
        .execute(connection))?;
    Ok(())
}

/// The number of that name; 0 where there is none.
///
/// # Errors
/// Where the database fails.
pub fn number(tx: &mut Tx, name: &str) -> Result<i64, StoreError> {
    match find(tx, name)? {
        Some(text) => text.parse().map_err(|_digits| StoreError::Unreadable { what: "count" }),
        None => Ok(0),
    }
}

/// Every number whose name begins so, with its name.
///
/// # Errors
/// Where the database fails.
pub fn list_numbers(tx: &mut Tx, prefix: &str) -> Result<Vec<(String, i64)>, StoreError> {
    let rows: Vec<(String, String)> = meta::table
        .filter(meta::name.like(format!("{prefix}%")))
        .order(meta::name)
        .select((meta::name, meta::value))
        .load(&mut tx.connection)?;
    rows.into_iter()
        .map(|(name, text)| match text.parse() {
            Ok(number) => Ok((name, number)),
            Err(_digits) => Err(StoreError::Unreadable { what: "count" }),
        })
        .collect()
}
