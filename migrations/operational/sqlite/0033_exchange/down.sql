ALTER TABLE api_key DROP COLUMN sees_restricted;
DROP TABLE requested;
DROP TABLE restriction;
DROP TABLE objection;
DROP TABLE halted;
DROP TABLE told;
DROP TABLE dispatch;
