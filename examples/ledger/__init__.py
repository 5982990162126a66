"""A ledger in PostgreSQL: the old one sums entries, the new one keeps balances."""
