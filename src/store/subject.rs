//! Subjects: one person as one source knows them, each with a data key of its own.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};

use crate::base::limit::ROWS_A_STATEMENT_MAX;
use crate::base::seal::{DataKey, KeyedHash, Sealed};
use crate::store::connection::AnyConnection;
use crate::store::keys::Keys;
use crate::store::schema::{subject, subject_block};
use crate::store::{StoreError, Tx};

/// One person as one source knows them.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = subject, treat_none_as_default_value = false)]
pub struct SubjectRow {
    /// Its id.
    pub id: String,
    /// The source.
    pub source: String,
    /// Keyed hash of the source's own key.
    pub key_hash: Vec<u8>,
    /// Its data key, wrapped; none once shredded.
    pub wrapped_key: Option<Vec<u8>>,
    /// The person it belongs to, once linked.
    pub person_id: Option<String>,
    /// Known to a programme, by its own source or by likeness to one who is.
    pub is_known: bool,
    /// When it was first seen.
    pub created_at: String,
}

/// One blocking key of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = subject_block, treat_none_as_default_value = false)]
pub struct Block {
    /// The subject.
    pub subject_id: String,
    /// Which kind of block.
    pub block: String,
    /// Keyed hash of its value.
    pub hash: Vec<u8>,
}

/// The subject's data key. The label it is wrapped under is its id.
///
/// # Errors
/// Where it was shredded, or another master key wrapped it.
pub fn data_key(keys: &Keys, row: &SubjectRow) -> Result<DataKey, StoreError> {
    let wrapped = row.wrapped_key.clone().ok_or(StoreError::Unreadable { what: "key: it was shredded" })?;
    Ok(keys.master.unwrap(&row.id, &Sealed::from_bytes(wrapped))?)
}

/// The subjects of these keys.
///
/// # Errors
/// Where the database fails.
pub fn find_by_keys(tx: &mut Tx, source: &str, hashes: &[KeyedHash]) -> Result<Vec<SubjectRow>, StoreError> {
    let mut found = Vec::with_capacity(hashes.len());
    for hashes in hashes.chunks(ROWS_A_STATEMENT_MAX) {
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        found.extend(on_both!(tx, connection => subject::table
            .filter(subject::source.eq(source).and(subject::key_hash.eq_any(hashes)))
            .select(SubjectRow::as_select())
            .load::<SubjectRow>(connection))?);
    }
    Ok(found)
}

/// Key, id and whether known to a programme, of the subjects of these keys.
///
/// # Errors
/// Where the database fails.
pub fn find_known_by_keys(
    tx: &mut Tx,
    source: &str,
    hashes: &[KeyedHash],
) -> Result<Vec<(Vec<u8>, String, bool)>, StoreError> {
    let mut found = Vec::with_capacity(hashes.len());
    for hashes in hashes.chunks(ROWS_A_STATEMENT_MAX) {
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        let query = subject::table
            .filter(subject::source.eq(source).and(subject::key_hash.eq_any(hashes)))
            .select((subject::key_hash, subject::id, subject::is_known));
        found.extend(on_both!(tx, connection => query.load::<(Vec<u8>, String, bool)>(connection))?);
    }
    Ok(found)
}

/// The subjects of these ids; one that is not there is left out.
///
/// # Errors
/// Where the database fails.
pub fn find(tx: &mut Tx, ids: &[String]) -> Result<Vec<SubjectRow>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(on_both!(tx, connection => subject::table
            .filter(subject::id.eq_any(ids))
            .order(subject::id)
            .select(SubjectRow::as_select())
            .load::<SubjectRow>(connection))?);
    }
    Ok(found)
}

/// The subjects of these people, in order of id.
///
/// # Errors
/// Where the database fails.
pub fn list_of_people(tx: &mut Tx, person_ids: &[String]) -> Result<Vec<SubjectRow>, StoreError> {
    let mut found = Vec::with_capacity(person_ids.len());
    for ids in person_ids.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(on_both!(tx, connection => subject::table
            .filter(subject::person_id.eq_any(ids))
            .select(SubjectRow::as_select())
            .load::<SubjectRow>(connection))?);
    }
    found.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

/// Whose block it is, for each of these blocks that more than one subject has. The hash is keyed
/// by the block's name too, so that a hash is of one block only.
///
/// # Errors
/// Where the database fails.
pub fn find_by_shared_blocks(tx: &mut Tx, hashes: &[KeyedHash]) -> Result<Vec<Block>, StoreError> {
    let mut found = Vec::new();
    for hashes in hashes.chunks(ROWS_A_STATEMENT_MAX) {
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        let query = subject_block::table
            .filter(subject_block::hash.eq_any(hashes))
            .group_by(subject_block::hash)
            .having(diesel::dsl::count_star().gt(1))
            .select(subject_block::hash);
        let shared: Vec<Vec<u8>> = on_both!(tx, connection => query.load(connection))?;
        if !shared.is_empty() {
            found.extend(on_both!(tx, connection => subject_block::table
                .filter(subject_block::hash.eq_any(&shared))
                .select(Block::as_select())
                .load::<Block>(connection))?);
        }
    }
    Ok(found)
}

/// The blocks of these subjects.
///
/// # Errors
/// Where the database fails.
pub fn list_blocks(tx: &mut Tx, ids: &[String]) -> Result<Vec<Block>, StoreError> {
    let mut found = Vec::new();
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        found.extend(on_both!(tx, connection => subject_block::table
            .filter(subject_block::subject_id.eq_any(ids))
            .select(Block::as_select())
            .load::<Block>(connection))?);
    }
    Ok(found)
}

/// Those of these blocks that a known subject has.
///
/// # Errors
/// Where the database fails.
pub fn find_known_blocks(tx: &mut Tx, hashes: &[KeyedHash]) -> Result<Vec<KeyedHash>, StoreError> {
    let mut found = Vec::new();
    for hashes in hashes.chunks(ROWS_A_STATEMENT_MAX) {
        let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        let query = subject_block::table
            .inner_join(subject::table)
            .filter(subject_block::hash.eq_any(hashes).and(subject::is_known.eq(true)))
            .select(subject_block::hash);
        let known: Vec<Vec<u8>> = on_both!(tx, connection => query.load(connection))?;
        found.extend(known.iter().filter_map(|hash| KeyedHash::from_slice(hash)));
    }
    Ok(found)
}

/// Writes down new subjects.
///
/// # Errors
/// Where one is there already, or the database fails.
pub fn create(tx: &mut Tx, rows: &[SubjectRow]) -> Result<(), StoreError> {
    insert_all!(tx, subject::table, rows);
    Ok(())
}

/// Marks subjects as known to a programme.
///
/// # Errors
/// Where the database fails.
pub fn mark_known(tx: &mut Tx, ids: &[String]) -> Result<(), StoreError> {
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        diesel::update(subject::table.filter(subject::id.eq_any(ids)))
            .set(subject::is_known.eq(true))
            .execute(&mut tx.connection)?;
    }
    Ok(())
}

/// Puts each subject into a person: pairs of a subject's and a person's id. On either backend by
/// one statement for all of them: the library writes and prepares one update after another anew.
///
/// # Errors
/// Where the database fails.
pub fn set_people(tx: &mut Tx, moved: &[(String, String)]) -> Result<(), StoreError> {
    match &mut tx.connection {
        AnyConnection::Sqlite(connection) => {
            let moved: BTreeMap<&str, &str> =
                moved.iter().map(|(id, person)| (id.as_str(), person.as_str())).collect();
            let moved = serde_json::to_string(&moved).unwrap_or_default();
            diesel::sql_query(SET_PEOPLE_SQLITE).bind::<Text, _>(moved).execute(connection)?;
        }
        AnyConnection::Postgres(connection) => {
            let (ids, people): (Vec<&str>, Vec<&str>) =
                moved.iter().map(|(id, person)| (id.as_str(), person.as_str())).unzip();
            diesel::sql_query(SET_PEOPLE)
                .bind::<Array<Text>, _>(ids)
                .bind::<Array<Text>, _>(people)
                .execute(connection)?;
        }
    }
    Ok(())
}

const SET_PEOPLE: &str = "UPDATE subject SET person_id = moved.person_id
    FROM UNNEST($1, $2) AS moved (id, person_id) WHERE subject.id = moved.id";

const SET_PEOPLE_SQLITE: &str = "UPDATE subject SET person_id = moved.value
    FROM JSON_EACH(?) AS moved WHERE subject.id = moved.key";

/// Takes away the blocks of these subjects, then adds blocks, none of them twice.
///
/// # Errors
/// Where one is there already, or the database fails.
pub fn replace_blocks(tx: &mut Tx, ids: &[String], blocks: &[Block]) -> Result<(), StoreError> {
    for ids in ids.chunks(ROWS_A_STATEMENT_MAX) {
        let of_these = subject_block::table.filter(subject_block::subject_id.eq_any(ids));
        on_both!(tx, connection => diesel::delete(of_these).execute(connection))?;
    }
    insert_all!(tx, subject_block::table, blocks);
    Ok(())
}

/// How many subjects there are, and how many of them are known.
///
/// # Errors
/// Where the database fails.
pub fn count(tx: &mut Tx) -> Result<(i64, i64), StoreError> {
    let all = subject::table.count().get_result(&mut tx.connection)?;
    let known = subject::table.filter(subject::is_known.eq(true)).count().get_result(&mut tx.connection)?;
    Ok((all, known))
}

/// How many people a programme knows: each counts once, however many sources know them.
///
/// # Errors
/// Where the database fails.
pub fn count_known_people(tx: &mut Tx) -> Result<i64, StoreError> {
    let linked = subject::table
        .filter(subject::is_known.eq(true))
        .select(diesel::dsl::count(subject::person_id).aggregate_distinct())
        .first::<i64>(&mut tx.connection)?;
    // Whoever is not linked yet is nobody else, as far as is known.
    let apart = subject::table
        .filter(subject::is_known.eq(true).and(subject::person_id.is_null()))
        .count()
        .get_result::<i64>(&mut tx.connection)?;
    Ok(linked + apart)
}

/// The id of every subject, in order.
///
/// # Errors
/// Where the database fails.
pub fn list_ids(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    Ok(subject::table.order(subject::id).select(subject::id).load(&mut tx.connection)?)
}
