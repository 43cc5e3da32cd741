ALTER TABLE shadow DROP COLUMN live_hash;
