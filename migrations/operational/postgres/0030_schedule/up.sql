-- How far each schedule is, one row a feed (`sync/council/cld`) and a promise (`promise/council/cld`),
-- so that of several replicas exactly one runs each slot.
CREATE TABLE slot (
    name TEXT NOT NULL PRIMARY KEY,
    -- The last slot that is done or was passed over. Nothing before it is looked for.
    last TEXT NOT NULL,
    -- The slot that is being run, or is to be tried again; NULL for none.
    claimed TEXT,
    -- Who runs it, and until when nobody else may; without a holder, not to be tried before.
    holder TEXT,
    until TEXT,
    -- How often it was tried.
    tries BIGINT NOT NULL DEFAULT 0
);

-- Files that were held before anything of them had effect, one row a run.
CREATE TABLE hold (
    run_id TEXT NOT NULL PRIMARY KEY REFERENCES run (id),
    batch_id TEXT NOT NULL REFERENCES batch (id),
    -- failed, vanished
    reason TEXT NOT NULL,
    -- So many of so many, and the share in thousandths that was allowed.
    part BIGINT NOT NULL,
    whole BIGINT NOT NULL,
    share_max BIGINT NOT NULL,
    held_at TEXT NOT NULL,
    -- let-through, thrown-away; NULL while nobody has decided.
    decided TEXT,
    decided_by TEXT,
    decided_at TEXT
);
CREATE INDEX hold_by_batch ON hold (batch_id);

-- What somebody is to be told. Holds feeds, ids of runs, counts and codes, and nothing of anybody.
CREATE TABLE alert (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    -- The feed or study; empty where it is about the gateway.
    feed TEXT NOT NULL,
    -- What tells it from others of its kind: a run, a deadline.
    about TEXT NOT NULL,
    -- The number that made it worth telling.
    count BIGINT NOT NULL,
    text TEXT NOT NULL,
    to_do TEXT NOT NULL,
    raised_at TEXT NOT NULL,
    ended_at TEXT
);
CREATE UNIQUE INDEX alert_open ON alert (kind, feed, about) WHERE ended_at IS NULL;

-- By which ways an alert is told, and how far that is.
CREATE TABLE alert_telling (
    alert_id TEXT NOT NULL REFERENCES alert (id),
    way TEXT NOT NULL,
    tries BIGINT NOT NULL DEFAULT 0,
    -- Not before.
    next_at TEXT NOT NULL,
    told_at TEXT,
    given_up_at TEXT,
    PRIMARY KEY (alert_id, way)
);
CREATE INDEX alert_untold ON alert_telling (next_at) WHERE told_at IS NULL AND given_up_at IS NULL;
