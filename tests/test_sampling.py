"""Choices that stick."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.sampling import derive_seed, in_shard, parse_percentage, unit


@given(st.text(), st.text())
def test_a_key_always_falls_on_the_same_spot_below_one(key: str, salt: str) -> None:
    assert 0 <= unit(key, salt) < 1
    assert unit(key, salt) == unit(key, salt)


def test_spots_are_the_same_on_every_machine() -> None:
    assert unit("checkout/leap-day") == 0.5720172292367253
    assert derive_seed(42, "checkout/leap-day") == 151475736


def test_keys_spread_evenly() -> None:
    tenths = Counter(int(unit(str(number)) * 10) for number in range(10_000))
    assert set(tenths) == set(range(10))
    assert all(900 < count < 1100 for count in tenths.values())


@given(st.text(), st.integers(1, 20))
def test_each_key_is_in_exactly_one_shard(key: str, count: int) -> None:
    assert sum(in_shard(key, index, count) for index in range(1, count + 1)) == 1


def test_shards_are_independent_of_samples() -> None:
    sampled = [key for key in map(str, range(4000)) if unit(key) < 0.1]
    assert 130 < sum(in_shard(key, 1, 2) for key in sampled) < 270


@pytest.mark.parametrize(("index", "count"), [(0, 2), (3, 2), (1, 0), (-1, 2)])
def test_a_shard_that_does_not_exist_is_an_error(index: int, count: int) -> None:
    with pytest.raises(ValueError, match="no shard"):
        in_shard("a", index, count)


@given(st.integers(), st.text())
def test_a_derived_seed_fits_32_bits(run_seed: int, identity: str) -> None:
    assert 0 <= derive_seed(run_seed, identity) < 2**32


def test_another_run_seed_or_case_gives_another_seed() -> None:
    assert len({derive_seed(seed, name) for seed in (1, 2, 11) for name in ("1", "11", "a")}) == 9


@pytest.mark.parametrize(("text", "share"), [
    ("5%", Fraction(1, 20)), (" 0.1 % ", Fraction(1, 1000)), ("0%", Fraction(0)), ("100%", Fraction(1)),
    ("7.000000001%", Fraction(7_000_000_001, 100_000_000_000)),
    ("5", None), ("%", None), ("-1%", None), ("nan%", None), ("1e2%", None), ("1_0%", None), ("\u0665%", None),
    ("", None),
])  # fmt: skip
def test_a_percentage_is_read_exactly_and_nothing_else_is_one(text: str, share: Fraction | None) -> None:
    assert parse_percentage(text) == share
