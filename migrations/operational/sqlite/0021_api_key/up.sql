-- Keys by which clients of the web show who they are. A key is 256 random bits, so that its plain
-- hash tells nothing of it.
CREATE TABLE api_key (
    id TEXT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    -- What it is called by people; never a person's name.
    label TEXT NOT NULL,
    -- send, read, operate
    role TEXT NOT NULL,
    -- The one source it is for; NULL for all of them.
    source TEXT,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    revoked_at TEXT,
    -- The key it takes the place of.
    replaces TEXT
);
