DROP TABLE lease;
DROP TABLE unit_outcome;
DROP TABLE delivery;
