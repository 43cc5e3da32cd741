-- Records that several feeds of a source tell, each in its own way. Of kinds that only one feed tells
-- there is nothing here.

-- What else a record is told by, beside the key it was first seen under: other keys, and what tells it
-- apart for every feed. The hashes are keyed by the source and the kind too.
CREATE TABLE record_key (
    key_hash BLOB NOT NULL,
    record_id TEXT NOT NULL,
    PRIMARY KEY (key_hash, record_id)
) WITHOUT ROWID;
CREATE INDEX record_key_by_record ON record_key (record_id);

-- What each feed last said of a record.
CREATE TABLE saying (
    record_id TEXT NOT NULL,
    feed TEXT NOT NULL,
    -- The key under which it did.
    key_hash BLOB NOT NULL,
    -- What told it apart for every feed; NULL where something of that was blank.
    same_hash BLOB,
    -- What it says but for its days, where it has a row's own id.
    like_hash BLOB,
    -- It tells it by something of its own, such as a row's own id.
    has_own BOOLEAN NOT NULL,
    -- Keyed hash of what it last said, as it said it.
    hash BLOB NOT NULL,
    source_time TEXT,
    arrived_at TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    unit BIGINT NOT NULL,
    -- What it says: the open half, the half sealed with the subject's data key, and when it last said
    -- something else of each field.
    body TEXT NOT NULL,
    identity BLOB,
    times TEXT NOT NULL,
    PRIMARY KEY (record_id, feed)
) WITHOUT ROWID;
CREATE INDEX saying_by_like ON saying (like_hash) WHERE like_hash IS NOT NULL;
