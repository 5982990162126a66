-- The state that every case starts from.
TRUNCATE transfers, entries;
INSERT INTO entries VALUES ('ada', 100.00, 'opening'), ('bob', 20.50, 'opening'), ('eve', 0.00, 'opening');
