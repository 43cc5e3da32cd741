-- The mapping that was live when the trial began; NULL for one that began before this was written down.
ALTER TABLE shadow ADD COLUMN live_hash BYTEA;
