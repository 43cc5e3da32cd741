-- How many rows a manifest promised of a file; NULL where none did.
ALTER TABLE batch ADD COLUMN rows_expected BIGINT;

-- The files of a feed's place as they were last seen there, by name. A file that stays as it is
-- counts as complete, and one whose content is known need not be fetched again.
CREATE TABLE seen_file (
    source TEXT NOT NULL,
    feed TEXT NOT NULL,
    -- Keyed hash of its name: a file name may name a person.
    name_hash BYTEA NOT NULL,
    size_bytes BIGINT NOT NULL,
    -- By the clock of where it lies, in milliseconds: told apart, never compared with ours.
    modified_ms BIGINT NOT NULL,
    -- Since when it has been seen so.
    since TEXT NOT NULL,
    -- Keyed hash of its bytes, where it was read as it is; NULL until then.
    content_hash BYTEA,
    PRIMARY KEY (source, feed, name_hash)
);
