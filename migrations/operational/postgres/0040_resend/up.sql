-- When the evaluation side said that it has what was sent, or this side that nothing of it may be told
-- any more. NULL for what may have to be sent again.
ALTER TABLE intent ADD COLUMN settled_at TEXT;
CREATE INDEX intent_unsettled ON intent (study, message_id) WHERE settled_at IS NULL AND message_id IS NOT NULL;

-- The message that closed it, when that was last sent, and when the evaluation side said that it has it.
ALTER TABLE release ADD COLUMN message_id TEXT;
ALTER TABLE release ADD COLUMN told_at TEXT;
ALTER TABLE release ADD COLUMN settled_at TEXT;
-- The life of the gateway that sent it: what is sent again is the same message.
ALTER TABLE release ADD COLUMN incarnation BIGINT NOT NULL DEFAULT 0;
