-- What goes out by MESH and MLLP, one row a message: who may read it is sealed out, what became of
-- it is not.
CREATE TABLE sent (
    -- Our own id of it, which the exchange is told (mex-localid).
    id TEXT NOT NULL PRIMARY KEY,
    -- mesh, mllp
    transport TEXT NOT NULL,
    -- A mailbox, or the name of an MLLP receiver in the configuration.
    recipient TEXT NOT NULL,
    -- What it is for; empty over MLLP.
    workflow TEXT NOT NULL,
    subject TEXT NOT NULL,
    file_name TEXT NOT NULL,
    -- Messages of one order go one after the other; NULL for none.
    in_order_of TEXT,
    -- Keyed hash of the caller's own key: queued twice is queued once.
    key_hash BLOB NOT NULL UNIQUE,
    size_bytes BIGINT NOT NULL,
    -- The content; NULL once it is acknowledged.
    sealed BLOB,
    -- waiting, sending (its answer is not known), accepted, acknowledged, undelivered
    state TEXT NOT NULL,
    -- The exchange's id of it.
    message_id TEXT,
    -- Why it was not delivered, as a code of the receiver or ours.
    code TEXT,
    tries BIGINT NOT NULL,
    next_try_at TEXT NOT NULL,
    queued_at TEXT NOT NULL,
    changed_at TEXT NOT NULL
);
CREATE INDEX sent_waiting ON sent (transport, recipient, id) WHERE state IN ('waiting', 'sending');
CREATE INDEX sent_by_message ON sent (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX sent_accepted ON sent (next_try_at) WHERE state = 'accepted';

-- Messages of a mailbox that somebody has to look at: those of a workflow that no route takes, which
-- stay in the mailbox, and reports of messages that are not ours.
CREATE TABLE mailbox_doubt (
    message_id TEXT NOT NULL PRIMARY KEY,
    -- unrouted, too-large, report
    reason TEXT NOT NULL,
    workflow TEXT NOT NULL,
    sender TEXT NOT NULL,
    code TEXT NOT NULL,
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL
);
