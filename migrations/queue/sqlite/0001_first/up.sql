-- The embedded queue: its own file, opened by several processes at once.

CREATE TABLE queue (
    name TEXT PRIMARY KEY NOT NULL
);

-- One message of one queue. It is removed once it is acknowledged, so that nothing about a person
-- outlives its delivery.
CREATE TABLE message (
    -- The order of arrival, never used twice.
    position INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    queue TEXT NOT NULL REFERENCES queue (name),
    message_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    body BLOB NOT NULL,
    -- Times it was claimed since it was published or revived.
    deliveries INTEGER NOT NULL DEFAULT 0,
    -- Times it was claimed at all: tells a present claim from one whose lease ran out.
    fence INTEGER NOT NULL DEFAULT 0,
    -- Until when it stays with its claimer, in milliseconds since 1970; null while it waits.
    claimed_until INTEGER,
    is_dead BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (queue, message_id)
);

CREATE INDEX message_in_order ON message (queue, is_dead, position);
CREATE INDEX message_of_subject ON message (queue, subject, is_dead, position);
