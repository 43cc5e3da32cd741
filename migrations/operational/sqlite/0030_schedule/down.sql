DROP TABLE alert_telling;
DROP TABLE alert;
DROP TABLE hold;
DROP TABLE slot;
