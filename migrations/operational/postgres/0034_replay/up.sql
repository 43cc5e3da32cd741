-- Why a unit was set aside, in the sender's words, and how that ended.
ALTER TABLE quarantine ADD COLUMN column_name TEXT;
ALTER TABLE quarantine ADD COLUMN expected TEXT NOT NULL DEFAULT '';
-- The last run that replays it, alone or with others; NULL for one that none did.
ALTER TABLE quarantine ADD COLUMN replay_run TEXT REFERENCES run (id);
ALTER TABLE quarantine ADD COLUMN closed_at TEXT;
-- The run that took it, or who marked it as fixed.
ALTER TABLE quarantine ADD COLUMN closed_by TEXT;
CREATE INDEX quarantine_by_replay ON quarantine (replay_run);

-- Keyed hash of what a unit is about with a finding in it, so that the same fault is known again in a
-- corrected file, where the row may stand elsewhere.
ALTER TABLE run_finding ADD COLUMN about BYTEA;

-- The code lists of a mapping that was kept, so that it can be used again as it was.
CREATE TABLE mapping_code_list (
    mapping_hash BYTEA NOT NULL REFERENCES mapping_version (hash),
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (mapping_hash, name)
);

-- Which mapping a feed is read through. The last row of a feed stands; without one, and where its
-- hash is NULL, it is the mapping that the configuration names.
CREATE TABLE live_mapping (
    source TEXT NOT NULL,
    feed TEXT NOT NULL,
    number BIGINT NOT NULL,
    mapping_hash BYTEA REFERENCES mapping_version (hash),
    -- The number of the row to which a rollback goes back; NULL for none.
    before BIGINT,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (source, feed, number)
);

-- A mapping that is tried beside the live one. Nothing that it makes is kept.
CREATE TABLE shadow (
    id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    feed TEXT NOT NULL,
    mapping_hash BYTEA NOT NULL REFERENCES mapping_version (hash),
    started_at TEXT NOT NULL,
    -- NULL while it is tried.
    ended_at TEXT,
    actor TEXT NOT NULL,
    -- Units that both read, and those of them of which they made different things.
    units BIGINT NOT NULL DEFAULT 0,
    differing BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX shadow_by_feed ON shadow (source, feed, ended_at);

-- What the two make of the same units, counted. Names and places; never a value.
CREATE TABLE shadow_difference (
    shadow_id TEXT NOT NULL REFERENCES shadow (id),
    -- only-live, only-shadow, differs, outcome, finding-new, finding-gone
    what TEXT NOT NULL,
    -- A field as kind.field, a kind of record, two outcomes, or the code of a finding.
    about TEXT NOT NULL,
    count BIGINT NOT NULL,
    -- JSON: the first units of which it is true.
    examples TEXT NOT NULL,
    PRIMARY KEY (shadow_id, what, about)
);
