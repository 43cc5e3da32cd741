//! What arrived, whole, kept sealed in pieces under a data key of its own.

use diesel::prelude::*;

use crate::base::seal::{KeyedHash, Sealed};
use crate::store::schema::{batch, kept_piece};
use crate::store::{StoreError, Tx};

/// One file or request as it arrived.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = batch, treat_none_as_default_value = false)]
pub struct Batch {
    /// Its id.
    pub id: String,
    /// The source it came from.
    pub source: String,
    /// The feed of the source.
    pub feed: String,
    /// Keyed hash of its bytes.
    pub content_hash: Vec<u8>,
    /// The sender's name for it, sealed: a file name may name a person.
    pub name_sealed: Vec<u8>,
    /// Its length.
    pub size_bytes: i64,
    /// Its data key, wrapped; none once shredded.
    pub wrapped_key: Option<Vec<u8>>,
    /// When it arrived.
    pub received_at: String,
    /// How many rows its manifest promised.
    pub rows_expected: Option<i64>,
}

/// Writes down a new one.
///
/// # Errors
/// Where the database fails.
pub fn create(tx: &mut Tx, new: &Batch) -> Result<(), StoreError> {
    diesel::insert_into(batch::table).values(new).execute(&mut tx.connection)?;
    Ok(())
}

/// Keeps one sealed piece.
///
/// # Errors
/// Where the database fails.
pub fn keep_piece(tx: &mut Tx, batch_id: &str, position: i64, sealed: &Sealed) -> Result<(), StoreError> {
    diesel::insert_into(kept_piece::table)
        .values((
            kept_piece::batch_id.eq(batch_id),
            kept_piece::position.eq(position),
            kept_piece::sealed.eq(sealed.as_bytes()),
        ))
        .execute(&mut tx.connection)?;
    Ok(())
}

/// One sealed piece; none past the end.
///
/// # Errors
/// Where the database fails.
pub fn find_piece(tx: &mut Tx, batch_id: &str, position: i64) -> Result<Option<Sealed>, StoreError> {
    let piece: Option<Vec<u8>> = kept_piece::table
        .find((batch_id, position))
        .select(kept_piece::sealed)
        .first(&mut tx.connection)
        .optional()?;
    Ok(piece.map(Sealed::from_bytes))
}

/// The batch of that id.
///
/// # Errors
/// Where there is none, or the database fails.
pub fn find(tx: &mut Tx, id: &str) -> Result<Batch, StoreError> {
    Ok(batch::table.find(id).select(Batch::as_select()).first(&mut tx.connection)?)
}

/// The last batch of a feed.
///
/// # Errors
/// Where the database fails.
pub fn find_last(tx: &mut Tx, source: &str, feed: &str) -> Result<Option<Batch>, StoreError> {
    let last = batch::table
        .filter(batch::source.eq(source).and(batch::feed.eq(feed)))
        .order((batch::received_at.desc(), batch::id.desc()))
        .select(Batch::as_select())
        .first(&mut tx.connection)
        .optional()?;
    Ok(last)
}

/// Every batch of a feed that is still kept, oldest first.
///
/// # Errors
/// Where the database fails.
pub fn list_kept(tx: &mut Tx, source: &str, feed: &str) -> Result<Vec<Batch>, StoreError> {
    let kept = batch::table
        .filter(batch::source.eq(source).and(batch::feed.eq(feed)).and(batch::wrapped_key.is_not_null()))
        .order((batch::received_at, batch::id))
        .select(Batch::as_select())
        .load(&mut tx.connection)?;
    Ok(kept)
}

/// The last batch of a feed that holds exactly these bytes.
///
/// # Errors
/// Where the database fails.
pub fn find_by_content(
    tx: &mut Tx,
    source: &str,
    feed: &str,
    content: &KeyedHash,
) -> Result<Option<Batch>, StoreError> {
    let found = batch::table
        .filter(batch::source.eq(source).and(batch::feed.eq(feed)))
        .filter(batch::content_hash.eq(content.as_bytes().as_slice()))
        .order((batch::received_at.desc(), batch::id.desc()))
        .select(Batch::as_select())
        .first(&mut tx.connection)
        .optional()?;
    Ok(found)
}

/// Deletes what was kept of a batch. Its key stays, which opens the units that were set aside.
///
/// # Errors
/// Where the database fails.
pub fn drop_pieces(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    diesel::delete(kept_piece::table.filter(kept_piece::batch_id.eq(id))).execute(&mut tx.connection)?;
    Ok(())
}

/// Whether anything of a batch is kept.
///
/// # Errors
/// Where the database fails.
pub fn has_pieces(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
    let pieces = kept_piece::table.filter(kept_piece::batch_id.eq(id)).count();
    Ok(pieces.get_result::<i64>(&mut tx.connection)? > 0)
}

/// Writes down how many rows a later manifest promises.
///
/// # Errors
/// Where the database fails.
pub fn promise(tx: &mut Tx, id: &str, rows: Option<i64>) -> Result<(), StoreError> {
    diesel::update(batch::table.find(id)).set(batch::rows_expected.eq(rows)).execute(&mut tx.connection)?;
    Ok(())
}

/// Deletes what was kept of a batch, and its key.
///
/// # Errors
/// Where the database fails.
pub fn shred(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    diesel::delete(kept_piece::table.filter(kept_piece::batch_id.eq(id))).execute(&mut tx.connection)?;
    diesel::update(batch::table.find(id))
        .set(batch::wrapped_key.eq(None::<Vec<u8>>))
        .execute(&mut tx.connection)?;
    Ok(())
}
