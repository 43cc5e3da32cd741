//! Rows as the collector writes them.

use diesel::prelude::*;

use crate::evaluation::store::table::{
    aggregate, closed_release, extract, inbox, notice, record, refused, setting, subject, withdrawal,
};

/// A message that has taken effect.
#[derive(Insertable)]
#[diesel(table_name = inbox, treat_none_as_default_value = false)]
pub struct InboxRow {
    /// Its id.
    pub message_id: String,
    /// Its study.
    pub study: String,
}

/// A message that did not fit.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, Queryable)]
#[diesel(table_name = refused, treat_none_as_default_value = false)]
pub struct RefusedRow {
    /// Its id, as the broker gave it.
    pub message_id: String,
    /// Study of the queue it stood in.
    pub study: String,
    /// Finding code.
    pub code: String,
    /// What was expected, and where in our schema.
    pub expected: String,
}

/// The last that was heard of a pseudonym.
#[derive(Insertable)]
#[diesel(table_name = subject, treat_none_as_default_value = false)]
pub struct SubjectRow {
    /// Study.
    pub study: String,
    /// Pseudonym.
    pub pseudonym: String,
    /// Life of the gateway.
    pub incarnation: i64,
    /// Number within it.
    pub sequence: i64,
}

/// A tombstone.
#[derive(Insertable)]
#[diesel(table_name = withdrawal, treat_none_as_default_value = false)]
pub struct WithdrawalRow {
    /// Study.
    pub study: String,
    /// Pseudonym.
    pub pseudonym: String,
    /// Life of the gateway.
    pub incarnation: i64,
    /// Number within it.
    pub sequence: i64,
    /// How far it goes.
    pub scope: String,
    /// Day of the withdrawal.
    pub decided_on: String,
    /// Notice it came with.
    pub notice: String,
}

/// What stands of a record as sent under one pseudonym.
#[derive(Insertable)]
#[diesel(table_name = record, treat_none_as_default_value = false)]
pub struct RecordRow {
    /// Study.
    pub study: String,
    /// Pseudonym it was sent under.
    pub pseudonym: String,
    /// Pseudonym of the record.
    pub record_pseudonym: String,
    /// Kind.
    pub kind: String,
    /// Pseudonym that stands for the person now.
    pub owner: String,
    /// Life of the gateway.
    pub incarnation: i64,
    /// Number within it.
    pub sequence: i64,
    /// Day of the consent it was released under.
    pub decided_on: Option<String>,
    /// Release that sent it.
    pub release: Option<String>,
    /// Protocol version, record version and consent form, as JSON.
    pub provenance: Option<String>,
    /// Fields as JSON; none where nothing stands.
    pub fields: Option<String>,
    /// Why fields have no value, as JSON.
    pub missing: Option<String>,
}

/// A care home, landlord or provider.
#[derive(Insertable)]
#[diesel(table_name = setting, treat_none_as_default_value = false)]
pub struct SettingRow {
    /// Study.
    pub study: String,
    /// Its pseudonym.
    pub setting_pseudonym: String,
    /// Life of the gateway.
    pub incarnation: i64,
    /// Number within it.
    pub sequence: i64,
    /// Release that sent it.
    pub release: String,
    /// Fields as JSON.
    pub fields: String,
    /// Why fields have no value, as JSON.
    pub missing: Option<String>,
}

/// A table over the whole cohort.
#[derive(Insertable)]
#[diesel(table_name = aggregate, treat_none_as_default_value = false)]
pub struct AggregateRow {
    /// Study.
    pub study: String,
    /// Release that sent it.
    pub release: String,
    /// Its name.
    pub name: String,
    /// Life of the gateway.
    pub incarnation: i64,
    /// Its message.
    pub message_id: String,
    /// The data as it came.
    pub body: String,
}

/// The end of one release.
#[derive(Insertable)]
#[diesel(table_name = closed_release, treat_none_as_default_value = false)]
pub struct ReleaseRow {
    /// Study.
    pub study: String,
    /// The release.
    pub release: String,
    /// Instant up to which records were taken.
    pub cut_off: String,
    /// Life of the gateway.
    pub incarnation: i64,
    /// Its message.
    pub message_id: String,
    /// The data as it came.
    pub body: String,
}

/// A notice that is owed an answer.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, Queryable)]
#[diesel(table_name = notice, treat_none_as_default_value = false)]
pub struct NoticeRow {
    /// Study.
    pub study: String,
    /// The notice.
    pub notice_id: String,
    /// Whether it asked for removal.
    pub is_removal: bool,
    /// Whether the answer has gone back.
    pub is_answered: bool,
}

/// An extract that was built from this store.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, Queryable, serde::Serialize)]
#[diesel(table_name = extract, treat_none_as_default_value = false)]
pub struct ExtractRow {
    /// Its id.
    pub extract_id: String,
    /// Study.
    pub study: String,
    /// Release it holds.
    pub release: String,
    /// Folder it was built in.
    pub folder: String,
    /// SHA-256 of its manifest.
    pub manifest_sha256: String,
}
