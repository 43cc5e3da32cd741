-- That an alert is over is told too: by which ways, and how far that is.
CREATE TABLE alert_end (
    alert_id TEXT NOT NULL REFERENCES alert (id),
    way TEXT NOT NULL,
    tries BIGINT NOT NULL DEFAULT 0,
    -- Not before.
    next_at TEXT NOT NULL,
    told_at TEXT,
    given_up_at TEXT,
    PRIMARY KEY (alert_id, way)
);
CREATE INDEX alert_end_untold ON alert_end (way, next_at) WHERE told_at IS NULL AND given_up_at IS NULL;
