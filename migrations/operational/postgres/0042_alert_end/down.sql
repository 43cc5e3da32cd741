DROP TABLE alert_end;
