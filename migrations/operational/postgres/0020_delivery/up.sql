-- What came in over HTTP, one row a request that was answered with 202. Its id is the receipt's.
CREATE TABLE delivery (
    id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    feed TEXT NOT NULL,
    -- Keyed hash of the sender's own id of it; a retry has the same one.
    id_hash BYTEA NOT NULL,
    -- Keyed hash of the body: another body under the same id is refused.
    content_hash BYTEA NOT NULL,
    -- How the sender showed who it is: signed, or key/<id of the key>.
    credential TEXT NOT NULL,
    -- event (one), events (a list), file
    shape TEXT NOT NULL,
    units BIGINT NOT NULL,
    -- The events as they are to be read, sealed; NULL once they stand in a batch.
    sealed BYTEA,
    received_at TEXT NOT NULL,
    -- How often it was sent again.
    repeats BIGINT NOT NULL DEFAULT 0,
    -- The batch it went into, and the ordinal there of its first unit.
    batch_id TEXT REFERENCES batch (id),
    first_unit BIGINT,
    UNIQUE (source, id_hash)
);
CREATE INDEX delivery_waiting ON delivery (source, feed, id) WHERE batch_id IS NULL;
CREATE INDEX delivery_by_batch ON delivery (batch_id);

-- What became of each unit of a delivery, for its receipt.
CREATE TABLE unit_outcome (
    batch_id TEXT NOT NULL REFERENCES batch (id),
    unit BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    -- JSON: codes and places, never a value.
    findings TEXT NOT NULL,
    PRIMARY KEY (batch_id, unit)
);

-- Who works on something now, so that replicas do not get in each other's way.
CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until TEXT NOT NULL
);
