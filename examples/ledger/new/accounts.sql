-- The state that every case starts from: the same as old's, in cents.
TRUNCATE transfers, accounts;
INSERT INTO accounts VALUES ('ada', 10000), ('bob', 2050), ('eve', 0);
