-- What goes to partners under agreements.

-- That a version of a record is to go to a partner. The outbox of exchange, and its record: a row
-- stays with what became of it.
CREATE TABLE dispatch (
    id TEXT NOT NULL PRIMARY KEY,
    flow TEXT NOT NULL,
    agreement TEXT NOT NULL,
    -- Of the agreement under which it was decided; 0 until it was.
    agreement_version BIGINT NOT NULL,
    partner TEXT NOT NULL,
    mapping TEXT NOT NULL,
    person_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    record_kind TEXT NOT NULL,
    -- Of the version.
    number BIGINT NOT NULL,
    -- 0 by the flow; one more for each time it was laid again by hand.
    round BIGINT NOT NULL,
    -- waiting, sent, unchanged, refused, undelivered
    state TEXT NOT NULL,
    -- Why it was refused or not delivered, or what the last try met; never a value of a record.
    reason TEXT NOT NULL,
    tries BIGINT NOT NULL,
    due_at TEXT NOT NULL,
    lease_until TEXT,
    message_id TEXT,
    created_at TEXT NOT NULL,
    ended_at TEXT,
    UNIQUE (flow, agreement, record_id, number, round)
);
CREATE INDEX dispatch_waiting ON dispatch (partner, state, due_at);
CREATE INDEX dispatch_person ON dispatch (person_id, state);

-- What each partner was last told of a record, as a keyed hash of the message.
CREATE TABLE told (
    partner TEXT NOT NULL,
    mapping TEXT NOT NULL,
    record_id TEXT NOT NULL,
    content_hash BLOB NOT NULL,
    message_id TEXT NOT NULL,
    told_at TEXT NOT NULL,
    PRIMARY KEY (partner, mapping, record_id)
);

-- Partners to whom nothing is sent until somebody says so again.
CREATE TABLE halted (
    partner TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    at TEXT NOT NULL
);

-- What people said about agreements. Rows are added and never changed.
CREATE TABLE objection (
    id TEXT NOT NULL PRIMARY KEY,
    subject_id TEXT NOT NULL REFERENCES subject (id),
    agreement TEXT NOT NULL,
    -- objected, lifted
    decision TEXT NOT NULL,
    decided_on TEXT NOT NULL,
    entered_at TEXT NOT NULL
);
CREATE INDEX objection_subject ON objection (subject_id);

-- What officers said of people by hand: that they are restricted, or no longer. Rows are added and never
-- changed.
CREATE TABLE restriction (
    id TEXT NOT NULL PRIMARY KEY,
    subject_id TEXT NOT NULL REFERENCES subject (id),
    -- restricted, lifted
    decision TEXT NOT NULL,
    decided_on TEXT NOT NULL,
    entered_at TEXT NOT NULL
);
CREATE INDEX restriction_subject ON restriction (subject_id);

-- Whom a partner was asked about by a cohort request.
CREATE TABLE requested (
    request TEXT NOT NULL,
    partner TEXT NOT NULL,
    study TEXT NOT NULL,
    -- Keyed hash of the NHS number, as in `subject_block`.
    number_hash BLOB NOT NULL,
    person_id TEXT NOT NULL,
    -- Sealed with the gateway's own key: a removal names whom it removes.
    number_sealed BLOB NOT NULL,
    -- to-add, adding, listed, to-remove, removing, removed
    state TEXT NOT NULL,
    -- The message by which the last change goes.
    message_id TEXT,
    changed_at TEXT NOT NULL,
    PRIMARY KEY (request, number_hash)
);
CREATE INDEX requested_person ON requested (person_id);

-- Whether a key may see records of restricted people.
ALTER TABLE api_key ADD COLUMN sees_restricted BOOLEAN NOT NULL DEFAULT FALSE;
