DROP TABLE mailbox_doubt;
DROP TABLE sent;
