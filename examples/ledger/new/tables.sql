-- The new ledger: an account carries its balance, in cents, so that no question sums anything.
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS ledger_new CASCADE;
CREATE SCHEMA ledger_new;

CREATE TABLE accounts (name text PRIMARY KEY, cents bigint NOT NULL CHECK (cents >= 0));
CREATE TABLE transfers (
  id uuid PRIMARY KEY, payer text REFERENCES accounts, payee text REFERENCES accounts, cents bigint, at timestamptz,
  reverses uuid UNIQUE REFERENCES transfers
);

CREATE FUNCTION shown(cents bigint) RETURNS text LANGUAGE sql AS 'SELECT (cents / 100.0)::numeric(12, 2)::text';

CREATE FUNCTION account(named text) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce((SELECT '200 ' || json_build_object('account', name, 'balance', shown(cents))
    FROM accounts WHERE name = named), '404 {"error": "no such account"}')
$$;

CREATE FUNCTION transfer(named text) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce((SELECT '200 ' || json_build_object('id', id, 'from', payer, 'to', payee, 'amount', shown(cents),
    'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'reverses', reverses)
    FROM transfers WHERE id::text = named), '404 {"error": "no such transfer"}')
$$;

CREATE FUNCTION book(minted text, now text, payer text, payee text, moved bigint, reverses uuid) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO transfers VALUES (minted::uuid, payer, payee, moved, now::timestamptz, reverses);
  UPDATE accounts SET cents = cents - moved WHERE name = payer;
  UPDATE accounts SET cents = cents + moved WHERE name = payee;
  RETURN replace(transfer(minted), '200 {', '201 {');
END $$;

CREATE FUNCTION transfer(minted text, now text, wanted text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  payer text = wanted::json->>'from';
  payee text = wanted::json->>'to';
  moved bigint = round((wanted::json->>'amount')::numeric * 100);
BEGIN
  IF (SELECT count(*) FROM accounts WHERE name IN (payer, payee)) < 2 THEN
    RETURN '404 {"error": "no such account"}';
  END IF;
  IF (SELECT cents FROM accounts WHERE name = payer) < moved THEN RETURN '409 {"error": "not enough"}'; END IF;
  RETURN book(minted, now, payer, payee, moved, NULL);
END $$;

CREATE FUNCTION reversal(minted text, now text, named text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  first transfers;
BEGIN
  SELECT * INTO first FROM transfers WHERE id::text = named;
  IF first.id IS NULL THEN RETURN '404 {"error": "no such transfer"}'; END IF;
  IF EXISTS (SELECT FROM transfers WHERE reverses = first.id) THEN RETURN '409 {"error": "reversed before"}'; END IF;
  RETURN book(minted, now, first.payee, first.payer, first.cents, first.id);
END $$;
