//! Mappings that are tried beside live ones, and what they make differently, counted.

use diesel::prelude::*;

use crate::store::schema::{shadow, shadow_difference};
use crate::store::{StoreError, Tx};

/// A mapping that is tried beside the live one.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = shadow, treat_none_as_default_value = false)]
pub struct Shadow {
    /// Its id.
    pub id: String,
    /// The source.
    pub source: String,
    /// The feed.
    pub feed: String,
    /// The mapping.
    pub mapping_hash: Vec<u8>,
    /// Since when it is tried.
    pub started_at: String,
    /// Until when it was.
    pub ended_at: Option<String>,
    /// Who began it.
    pub actor: String,
    /// Units that both mappings read.
    pub units: i64,
    /// Those of which they made different things.
    pub differing: i64,
    /// The mapping that was live when the trial began.
    pub live_hash: Option<Vec<u8>>,
}

/// How often the two differ in one way.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = shadow_difference, treat_none_as_default_value = false)]
pub struct Difference {
    /// The shadow.
    pub shadow_id: String,
    /// What sort of difference.
    pub what: String,
    /// A field, a kind of record, two outcomes or the code of a finding.
    pub about: String,
    /// In how many units.
    pub count: i64,
    /// The first of them, as JSON.
    pub examples: String,
}

/// Writes down that a mapping is tried.
///
/// # Errors
/// Where the database fails.
pub fn create(tx: &mut Tx, new: &Shadow) -> Result<(), StoreError> {
    diesel::insert_into(shadow::table).values(new).execute(&mut tx.connection)?;
    Ok(())
}

/// The mapping that is tried beside a feed's live one.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, source: &str, feed: &str) -> Result<Option<Shadow>, StoreError> {
    Ok(shadow::table
        .filter(shadow::source.eq(source).and(shadow::feed.eq(feed)))
        .filter(shadow::ended_at.is_null())
        .order(shadow::id.desc())
        .select(Shadow::as_select())
        .first(&mut tx.connection)
        .optional()?)
}

/// The mapping that was tried last beside a feed's live one, or is now.
///
/// # Errors
/// Where the database fails.
pub fn find_last(tx: &mut Tx, source: &str, feed: &str) -> Result<Option<Shadow>, StoreError> {
    Ok(shadow::table
        .filter(shadow::source.eq(source).and(shadow::feed.eq(feed)))
        .order(shadow::id.desc())
        .select(Shadow::as_select())
        .first(&mut tx.connection)
        .optional()?)
}

/// Ends it; what was counted stays.
///
/// # Errors
/// Where the database fails.
pub fn end(tx: &mut Tx, id: &str, at: &str) -> Result<(), StoreError> {
    diesel::update(shadow::table.find(id)).set(shadow::ended_at.eq(at)).execute(&mut tx.connection)?;
    Ok(())
}

/// Counts units that both have read.
///
/// # Errors
/// Where the database fails.
pub fn count_units(tx: &mut Tx, id: &str, units: i64, differing: i64) -> Result<(), StoreError> {
    diesel::update(shadow::table.find(id))
        .set((shadow::units.eq(shadow::units + units), shadow::differing.eq(shadow::differing + differing)))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// The differences that were counted, the most frequent first.
///
/// # Errors
/// Where the database fails.
pub fn list_differences(tx: &mut Tx, id: &str) -> Result<Vec<Difference>, StoreError> {
    Ok(shadow_difference::table
        .filter(shadow_difference::shadow_id.eq(id))
        .order((shadow_difference::count.desc(), shadow_difference::what, shadow_difference::about))
        .select(Difference::as_select())
        .load(&mut tx.connection)?)
}

/// How often the two differ in one way so far.
///
/// # Errors
/// Where the database fails.
pub fn find_difference(
    tx: &mut Tx,
    id: &str,
    what: &str,
    about: &str,
) -> Result<Option<Difference>, StoreError> {
    Ok(shadow_difference::table
        .find((id, what, about))
        .select(Difference::as_select())
        .first(&mut tx.connection)
        .optional()?)
}

/// Writes down how often the two differ in one way.
///
/// # Errors
/// Where the database fails.
pub fn put_difference(tx: &mut Tx, row: &Difference) -> Result<(), StoreError> {
    let place = shadow_difference::table.find((&row.shadow_id, &row.what, &row.about));
    let updated = diesel::update(place)
        .set((shadow_difference::count.eq(row.count), shadow_difference::examples.eq(&row.examples)))
        .execute(&mut tx.connection)?;
    if updated == 0 {
        diesel::insert_into(shadow_difference::table).values(row).execute(&mut tx.connection)?;
    }
    Ok(())
}
