ALTER TABLE sent DROP COLUMN dispatch_id;
