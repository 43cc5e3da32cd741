DROP TABLE saying;
DROP TABLE record_key;
