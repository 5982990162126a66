-- The old ledger: entries alone. A balance is what the entries of an account come to, so it is summed at every question.
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS ledger_old CASCADE;
CREATE SCHEMA ledger_old;

CREATE TABLE transfers (id text PRIMARY KEY, payer text, payee text, amount numeric(12, 2), at text, reverses text UNIQUE);
CREATE TABLE entries (account text, amount numeric(12, 2), transfer text);

CREATE FUNCTION balance(named text) RETURNS numeric LANGUAGE sql AS
  'SELECT sum(amount) FROM entries WHERE account = named';

CREATE FUNCTION account(named text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN balance(named) IS NULL THEN '404 {"error": "no such account"}'
    ELSE '200 ' || json_build_object('account', named, 'balance', balance(named)::text) END
$$;

CREATE FUNCTION transfer(named text) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce((SELECT '200 ' || json_build_object('id', id, 'from', payer, 'to', payee,
    'amount', amount::text, 'at', at, 'reverses', reverses) FROM transfers WHERE id = named),
    '404 {"error": "no such transfer"}')
$$;

CREATE FUNCTION book(minted text, now text, payer text, payee text, amount numeric, reverses text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO transfers VALUES (minted, payer, payee, amount, now, reverses);
  INSERT INTO entries VALUES (payer, -amount, minted), (payee, amount, minted);
  RETURN replace(transfer(minted), '200 {', '201 {');
END $$;

CREATE FUNCTION transfer(minted text, now text, wanted text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  payer text = wanted::json->>'from';
  payee text = wanted::json->>'to';
  amount numeric(12, 2) = wanted::json->>'amount';
BEGIN
  IF balance(payer) IS NULL OR balance(payee) IS NULL THEN RETURN '404 {"error": "no such account"}'; END IF;
  IF balance(payer) < amount THEN RETURN '409 {"error": "not enough"}'; END IF;
  RETURN book(minted, now, payer, payee, amount, NULL);
END $$;

CREATE FUNCTION reversal(minted text, now text, named text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  first transfers;
BEGIN
  SELECT * INTO first FROM transfers WHERE id = named;
  IF first.id IS NULL THEN RETURN '404 {"error": "no such transfer"}'; END IF;
  IF EXISTS (SELECT FROM transfers WHERE reverses = named) THEN RETURN '409 {"error": "reversed before"}'; END IF;
  RETURN book(minted, now, first.payee, first.payer, first.amount, named);
END $$;
