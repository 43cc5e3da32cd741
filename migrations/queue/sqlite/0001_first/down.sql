DROP TABLE message;
DROP TABLE queue;
