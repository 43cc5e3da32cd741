DROP TABLE seen_file;
ALTER TABLE batch DROP COLUMN rows_expected;
