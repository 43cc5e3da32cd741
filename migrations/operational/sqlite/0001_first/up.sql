-- The operational zone. Ids are text with a prefix, instants text of fixed width in UTC (so that
-- text order is time order), hashes 32 bytes, and whatever names a person stands only sealed.
-- Both backends have the same tables, column for column; a test compares them.

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- What arrived ------------------------------------------------------------------------------

CREATE TABLE batch (
    id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    feed TEXT NOT NULL,
    content_hash BLOB NOT NULL,
    name_sealed BLOB NOT NULL,
    size_bytes BIGINT NOT NULL,
    -- NULL once shredded.
    wrapped_key BLOB,
    received_at TEXT NOT NULL,
    UNIQUE (source, feed, content_hash, received_at)
);

CREATE TABLE kept_piece (
    batch_id TEXT NOT NULL REFERENCES batch (id),
    position BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (batch_id, position)
);

CREATE TABLE mapping_version (
    hash BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    text TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE run (
    id TEXT NOT NULL PRIMARY KEY,
    batch_id TEXT NOT NULL REFERENCES batch (id),
    source TEXT NOT NULL,
    feed TEXT NOT NULL,
    mapping_hash BLOB NOT NULL,
    -- receiving, processing, linking, releasing, finished, failed
    state TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    -- Units that are committed: where a run that was interrupted goes on.
    position BIGINT NOT NULL DEFAULT 0,
    received BIGINT NOT NULL DEFAULT 0,
    rejected BIGINT NOT NULL DEFAULT 0,
    quarantined BIGINT NOT NULL DEFAULT 0,
    duplicate BIGINT NOT NULL DEFAULT 0,
    filtered BIGINT NOT NULL DEFAULT 0,
    accepted BIGINT NOT NULL DEFAULT 0,
    unchanged BIGINT NOT NULL DEFAULT 0,
    records_new BIGINT NOT NULL DEFAULT 0,
    records_changed BIGINT NOT NULL DEFAULT 0,
    records_absent BIGINT NOT NULL DEFAULT 0,
    findings_note BIGINT NOT NULL DEFAULT 0,
    findings_warning BIGINT NOT NULL DEFAULT 0,
    findings_error BIGINT NOT NULL DEFAULT 0,
    linked BIGINT NOT NULL DEFAULT 0,
    released BIGINT NOT NULL DEFAULT 0,
    -- How often somebody may have come into scope when it began, what it brought itself included;
    -- see `meta` known/<source>/keys and /blocks.
    known_mark BIGINT NOT NULL DEFAULT 0,
    note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX run_by_feed ON run (source, feed, id);
CREATE INDEX run_unfinished ON run (state);

-- The first findings of a run, whole.
CREATE TABLE run_finding (
    run_id TEXT NOT NULL REFERENCES run (id),
    position BIGINT NOT NULL,
    code TEXT NOT NULL,
    severity TEXT NOT NULL,
    sheet TEXT,
    line BIGINT,
    column_name TEXT,
    path TEXT,
    expected TEXT NOT NULL,
    hint TEXT NOT NULL,
    PRIMARY KEY (run_id, position)
) WITHOUT ROWID;

CREATE TABLE run_finding_count (
    run_id TEXT NOT NULL REFERENCES run (id),
    code TEXT NOT NULL,
    severity TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (run_id, code, severity)
) WITHOUT ROWID;

CREATE TABLE quarantine (
    id TEXT NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES run (id),
    batch_id TEXT NOT NULL REFERENCES batch (id),
    source TEXT NOT NULL,
    feed TEXT NOT NULL,
    -- Ordinal of the unit in its batch, from 1.
    unit BIGINT NOT NULL,
    sheet TEXT,
    line BIGINT,
    path TEXT,
    code TEXT NOT NULL,
    sealed BLOB NOT NULL,
    -- open, fixed, replayed
    state TEXT NOT NULL,
    UNIQUE (batch_id, unit)
);
CREATE INDEX quarantine_by_feed ON quarantine (source, feed, state);

-- Webhook ids that were seen.
CREATE TABLE inbox (
    source TEXT NOT NULL,
    webhook_id_hash BLOB NOT NULL,
    batch_id TEXT NOT NULL,
    unit BIGINT NOT NULL,
    PRIMARY KEY (source, webhook_id_hash)
) WITHOUT ROWID;

-- People as the sources know them, and what is known of them ---------------------------------
--
-- These are the tables of millions of rows. Nothing here is a foreign key: whoever writes a row has
-- minted or found the id it names in the same transaction, and a test looks for rows that hang in
-- the air. Checking them once more was three tenths of what a new row cost a PostgreSQL server. Where
-- an index is of hashes or of people, both of which are random, a transaction touches it all over:
-- so those are of tables with a row number, whose indexes are narrow.

CREATE TABLE person (
    id TEXT NOT NULL PRIMARY KEY,
    created_at TEXT NOT NULL,
    superseded_by TEXT
);

CREATE TABLE subject (
    id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    key_hash BLOB NOT NULL,
    -- NULL once shredded.
    wrapped_key BLOB,
    -- NULL until linked.
    person_id TEXT,
    -- Known to a programme, by its own source or by likeness to one who is.
    is_known BOOLEAN NOT NULL,
    created_at TEXT NOT NULL,
    -- The hash is keyed by the source too.
    UNIQUE (key_hash)
);
CREATE INDEX subject_by_person ON subject (person_id) WHERE person_id IS NOT NULL;

CREATE TABLE subject_block (
    subject_id TEXT NOT NULL,
    block TEXT NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX subject_block_by_subject ON subject_block (subject_id);
-- The hash is keyed by the block's name too.
CREATE INDEX subject_block_by_hash ON subject_block (hash);

CREATE TABLE record (
    id TEXT NOT NULL PRIMARY KEY,
    -- NULL for settings.
    subject_id TEXT,
    source TEXT NOT NULL,
    -- The feed whose snapshots say whether it is still there.
    feed TEXT NOT NULL,
    kind TEXT NOT NULL,
    key_hash BLOB NOT NULL,
    current_number BIGINT NOT NULL,
    -- Number of the last version: a late, older one comes after the current.
    last_number BIGINT NOT NULL,
    current_hash BLOB NOT NULL,
    current_source_time TEXT,
    current_arrived_at TEXT NOT NULL,
    -- Ordinal of the unit within its batch that the current version came from.
    current_unit BIGINT NOT NULL,
    current_feed TEXT NOT NULL,
    absent_since TEXT,
    -- The run that last changed it.
    last_run TEXT NOT NULL,
    -- The hash is keyed by the source and the kind too.
    UNIQUE (key_hash)
);
CREATE INDEX record_by_subject ON record (subject_id, kind);
CREATE INDEX record_by_feed ON record (source, feed, id);

CREATE TABLE version (
    record_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    hash BLOB NOT NULL,
    source_time TEXT,
    arrived_at TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    feed TEXT NOT NULL,
    unit BIGINT NOT NULL,
    sheet TEXT,
    line BIGINT,
    path TEXT,
    mapping_hash BLOB NOT NULL,
    body TEXT NOT NULL,
    -- Sealed with the subject's data key.
    identity BLOB,
    PRIMARY KEY (record_id, number)
) WITHOUT ROWID;

-- What is still to do: subjects to link, persons to release. Claimed inside the transaction
-- that does it.
CREATE TABLE work (
    step TEXT NOT NULL,
    key TEXT NOT NULL,
    run_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (step, key)
) WITHOUT ROWID;

-- Append-only, each row chained to the one before.
CREATE TABLE audit (
    number BIGINT NOT NULL PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    purpose TEXT NOT NULL,
    object TEXT NOT NULL,
    count BIGINT NOT NULL,
    previous_hash BLOB NOT NULL,
    hash BLOB NOT NULL
);

-- Who is who, and what was released ----------------------------------------------------------

CREATE TABLE person_event (
    person_id TEXT NOT NULL,
    -- From 1.
    number BIGINT NOT NULL,
    -- formed, joined, left, merged, split
    kind TEXT NOT NULL,
    other_person_id TEXT,
    -- Who joined or left, or was the first.
    subject_id TEXT,
    tier TEXT NOT NULL,
    reason TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (person_id, number)
);

CREATE TABLE link_edge (
    subject_a TEXT NOT NULL REFERENCES subject (id),
    subject_b TEXT NOT NULL REFERENCES subject (id),
    -- same-key, D1, D2, D3
    tier TEXT NOT NULL,
    decided_at TEXT NOT NULL,
    PRIMARY KEY (subject_a, subject_b)
) WITHOUT ROWID;
CREATE INDEX link_edge_by_b ON link_edge (subject_b);

CREATE TABLE link_doubt (
    subject_a TEXT NOT NULL REFERENCES subject (id),
    subject_b TEXT NOT NULL REFERENCES subject (id),
    reason TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (subject_a, subject_b)
) WITHOUT ROWID;
CREATE INDEX link_doubt_by_b ON link_doubt (subject_b);

-- What is to be told to the evaluation side: no pseudonym, no key needed. A sent one stays, so
-- that what a release sent can be counted again.
CREATE TABLE intent (
    id TEXT NOT NULL PRIMARY KEY,
    study TEXT NOT NULL,
    -- NULL for a setting.
    person_id TEXT,
    -- A record, a setting, or the person whose merged record it is.
    record_id TEXT,
    record_kind TEXT,
    number BIGINT NOT NULL,
    -- record, setting, retracted, superseded, withdrawn
    kind TEXT NOT NULL,
    -- Of a retraction: corrected, unlinked, consent.
    reason TEXT NOT NULL,
    -- What it was laid on: equal to that of `standing` where the far side has it already.
    basis TEXT NOT NULL,
    notice_id TEXT,
    -- waiting, claimed, sent
    state TEXT NOT NULL,
    lease_until TEXT,
    claimed_by TEXT,
    message_id TEXT,
    sequence BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    sent_at TEXT,
    release_id TEXT
);
CREATE INDEX intent_to_do ON intent (study, state, id);
CREATE INDEX intent_by_person ON intent (person_id, study);
CREATE INDEX intent_by_record ON intent (record_id, study);
CREATE INDEX intent_by_release ON intent (release_id);

-- What stands on the far side.
CREATE TABLE standing (
    study TEXT NOT NULL,
    record_id TEXT NOT NULL,
    person_id TEXT,
    kind TEXT NOT NULL,
    number BIGINT NOT NULL,
    basis TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (study, record_id)
) WITHOUT ROWID;
CREATE INDEX standing_by_person ON standing (person_id, study);

CREATE TABLE pseudonym (
    study TEXT NOT NULL,
    recipient TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    pseudonym TEXT NOT NULL,
    person_sealed BLOB NOT NULL,
    first_release TEXT NOT NULL,
    superseded_by TEXT,
    PRIMARY KEY (study, recipient, epoch, pseudonym)
) WITHOUT ROWID;

CREATE TABLE sequence (
    study TEXT NOT NULL,
    person_id TEXT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (study, person_id)
) WITHOUT ROWID;

CREATE TABLE release (
    id TEXT NOT NULL PRIMARY KEY,
    study TEXT NOT NULL,
    protocol_version BIGINT NOT NULL,
    cut_off TEXT NOT NULL,
    state TEXT NOT NULL,
    counts TEXT NOT NULL,
    closed_at TEXT
);

-- Withdrawals that the far side must acknowledge. Holds no pseudonym: whose a pseudonym is
-- stands nowhere in the open.
CREATE TABLE notice (
    id TEXT NOT NULL PRIMARY KEY,
    study TEXT NOT NULL,
    person_id TEXT NOT NULL,
    -- no-new-data, no-further-use
    scope TEXT NOT NULL,
    decided_on TEXT NOT NULL,
    laid_at TEXT NOT NULL,
    sent_at TEXT,
    acknowledged_at TEXT,
    removed_at TEXT
);
CREATE INDEX notice_by_person ON notice (person_id, study);
