//! Keys of clients of the web, by their hashes.

use diesel::prelude::*;

use crate::store::schema::api_key;
use crate::store::{StoreError, Tx};

/// A key, but for itself.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_key, treat_none_as_default_value = false)]
pub struct ApiKeyRow {
    /// Its id.
    pub id: String,
    /// SHA-256 of the key.
    pub hash: Vec<u8>,
    /// What it is called by people.
    pub label: String,
    /// What it is for.
    pub role: String,
    /// The one source it is for; none for all.
    pub source: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// Until when it is good.
    pub expires_at: String,
    /// When it was taken back.
    pub revoked_at: Option<String>,
    /// The key it takes the place of.
    pub replaces: Option<String>,
    /// Whether it may see records of restricted people.
    pub sees_restricted: bool,
}

/// Writes a key down.
///
/// # Errors
/// Where the database fails.
pub fn create(tx: &mut Tx, row: &ApiKeyRow) -> Result<(), StoreError> {
    diesel::insert_into(api_key::table).values(row).execute(&mut tx.connection)?;
    Ok(())
}

/// The key of that hash.
///
/// # Errors
/// Where the database fails.
pub fn find_by_hash(tx: &mut Tx, hash: &[u8]) -> Result<Option<ApiKeyRow>, StoreError> {
    let found = api_key::table.filter(api_key::hash.eq(hash)).select(ApiKeyRow::as_select());
    Ok(found.first(&mut tx.connection).optional()?)
}

/// The key of that id.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, id: &str) -> Result<Option<ApiKeyRow>, StoreError> {
    let found = api_key::table.find(id).select(ApiKeyRow::as_select());
    Ok(found.first(&mut tx.connection).optional()?)
}

/// Every key, newest first.
///
/// # Errors
/// Where the database fails.
pub fn list(tx: &mut Tx) -> Result<Vec<ApiKeyRow>, StoreError> {
    let rows = api_key::table.order(api_key::id.desc()).select(ApiKeyRow::as_select());
    Ok(rows.load(&mut tx.connection)?)
}

/// Sets until when a key is good.
///
/// # Errors
/// Where the database fails.
pub fn set_expiry(tx: &mut Tx, id: &str, until: &str) -> Result<(), StoreError> {
    diesel::update(api_key::table.find(id)).set(api_key::expires_at.eq(until)).execute(&mut tx.connection)?;
    Ok(())
}

/// Takes a key back.
///
/// # Errors
/// Where the database fails.
pub fn revoke(tx: &mut Tx, id: &str, at: &str) -> Result<(), StoreError> {
    diesel::update(api_key::table.find(id)).set(api_key::revoked_at.eq(at)).execute(&mut tx.connection)?;
    Ok(())
}
