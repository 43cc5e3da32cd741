ALTER TABLE release DROP COLUMN incarnation;
ALTER TABLE release DROP COLUMN settled_at;
ALTER TABLE release DROP COLUMN told_at;
ALTER TABLE release DROP COLUMN message_id;
DROP INDEX intent_unsettled;
ALTER TABLE intent DROP COLUMN settled_at;
