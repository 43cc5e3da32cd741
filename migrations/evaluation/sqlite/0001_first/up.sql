-- The evaluation store, for SQLite. The same in PostgreSQL stands beside it.

-- Messages that have taken effect.
CREATE TABLE inbox (
    message_id TEXT NOT NULL PRIMARY KEY,
    study TEXT NOT NULL
);

-- Messages that did not fit. Says where in our schema, nothing of the message.
CREATE TABLE refused (
    message_id TEXT NOT NULL PRIMARY KEY,
    study TEXT NOT NULL,
    code TEXT NOT NULL,
    expected TEXT NOT NULL
);

-- One row a pseudonym: the last that was heard of it, and what replaces it.
CREATE TABLE subject (
    study TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    superseded_by TEXT,
    superseded_incarnation BIGINT,
    superseded_sequence BIGINT,
    PRIMARY KEY (study, pseudonym)
);
CREATE INDEX subject_superseded ON subject (study, superseded_by) WHERE superseded_by IS NOT NULL;

-- Tombstones.
CREATE TABLE withdrawal (
    study TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    scope TEXT NOT NULL,
    decided_on TEXT NOT NULL,
    notice TEXT NOT NULL,
    PRIMARY KEY (study, pseudonym, incarnation, sequence)
);

-- What stands of a record, as it was sent under one pseudonym. `fields` is null where nothing
-- stands: the row then only keeps an older message from bringing it back. `owner` is the
-- pseudonym that stands for the person now.
CREATE TABLE record (
    study TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    record_pseudonym TEXT NOT NULL,
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    decided_on TEXT,
    release TEXT,
    provenance TEXT,
    fields TEXT,
    missing TEXT,
    PRIMARY KEY (study, pseudonym, record_pseudonym)
);
CREATE INDEX record_kind ON record (study, kind, owner);

CREATE TABLE setting (
    study TEXT NOT NULL,
    setting_pseudonym TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    release TEXT NOT NULL,
    fields TEXT NOT NULL,
    missing TEXT,
    PRIMARY KEY (study, setting_pseudonym)
);

CREATE TABLE aggregate (
    study TEXT NOT NULL,
    release TEXT NOT NULL,
    name TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (study, release, name)
);

CREATE TABLE closed_release (
    study TEXT NOT NULL,
    release TEXT NOT NULL,
    cut_off TEXT NOT NULL,
    incarnation BIGINT NOT NULL,
    message_id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (study, release)
);

-- Notices, and which answers have gone back.
CREATE TABLE notice (
    study TEXT NOT NULL,
    notice_id TEXT NOT NULL,
    is_removal BOOLEAN NOT NULL,
    is_answered BOOLEAN NOT NULL,
    PRIMARY KEY (study, notice_id)
);

-- Extracts that were built from this store, and where.
CREATE TABLE extract (
    extract_id TEXT NOT NULL,
    study TEXT NOT NULL,
    release TEXT NOT NULL,
    folder TEXT NOT NULL,
    manifest_sha256 TEXT NOT NULL,
    PRIMARY KEY (extract_id, folder)
);
