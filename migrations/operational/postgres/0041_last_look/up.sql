-- The dispatch that a message goes out for: whether it may is asked once more before it does.
ALTER TABLE sent ADD COLUMN dispatch_id TEXT;
