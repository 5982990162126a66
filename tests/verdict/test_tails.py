"""Latencies in batches: what is counted, and that parts make the whole."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.verdict import tails as module
from replay.verdict.quantiles import side_interval
from replay.verdict.statistics import is_above, is_below
from replay.verdict.tails import BATCHES, NEVER, PLACES, STEP, PairedLatencies, latency_at, place_of

latencies = st.floats(0.01, 1e6)
sessions = st.none() | st.sampled_from("abcdef")
pairs = st.lists(st.tuples(sessions, latencies, latencies), min_size=1, max_size=60)
QUANTILES = (0.5, 0.9, 0.95, 0.99)


def batches_of(taken: Iterable[tuple[str | None, float, float]]) -> PairedLatencies:
    batches = PairedLatencies()
    for session, old, new in taken:
        batches.add_all([session], [old], [new])
    return batches


@given(pairs, st.sampled_from(QUANTILES))
@settings(max_examples=60)
def test_a_quantile_is_within_half_a_percent_of_the_value_at_its_rank(
    taken: list[tuple[str | None, float, float]], p: float
) -> None:
    tails = batches_of(taken).tails()
    for tail, values in ((tails.old, [old for _, old, _ in taken]), (tails.new, [new for _, _, new in taken])):
        expected = sorted(values)[max(1, math.ceil(p * len(values) - 1e-9)) - 1]
        assert latency_at(tail.quantile(p)) == pytest.approx(expected, rel=STEP - 1)


@given(pairs, latencies)
@settings(max_examples=60)
def test_what_is_slower_than_an_edge_is_counted_exactly(
    taken: list[tuple[str | None, float, float]], limit: float
) -> None:
    place = place_of(limit) // PLACES * PLACES
    tails = batches_of(taken).tails()
    assert tails.old.slower(place) == sum(old > latency_at(place) * (1 + 1e-12) for _, old, _ in taken)


@given(pairs, pairs)
@settings(max_examples=40)
def test_parts_merge_into_the_whole(
    one: list[tuple[str | None, float, float]], other: list[tuple[str | None, float, float]]
) -> None:
    with_sessions = [[(session or "a", old, new) for session, old, new in part] for part in (one, other)]
    merged, whole = batches_of(with_sessions[0]), batches_of(with_sessions[0] + with_sessions[1]).tails()
    merged.add_failed("a", 3.0)
    merged.merge(batches_of(with_sessions[1]))
    found = merged.tails()
    for place in (0, place_of(1.0), place_of(50.0), place_of(3000.0)):
        assert found.old.above(place) == whole.old.above(place)
        assert found.new.above(place) == whole.new.above(place)
    assert merged.tails(strict=True).n == whole.n + 1


def test_a_session_is_in_one_batch_and_cases_without_one_go_by_eights() -> None:
    together = batches_of([("s", 1.0, 2.0)] * 50).tails()
    assert sorted(together.old.sizes)[-2:] == [0, 50]
    assert together.batches == 1
    apart = batches_of([(None, 1.0, 2.0)] * (8 * BATCHES)).tails()
    assert apart.old.sizes == [8] * BATCHES
    assert batches_of([(None, 1.0, 2.0)] * 16).tails().old.sizes[:3] == [8, 8, 0]


def test_what_never_came_is_slower_than_everything() -> None:
    tails = batches_of([(None, 5.0, NEVER)] * 3 + [(None, 5.0, 5.0)]).tails()
    assert latency_at(tails.new.quantile(0.95)) == math.inf
    assert tails.new.slower(place_of(86_400_000)) == 3


def test_what_new_failed_is_there_for_a_strict_view_alone() -> None:
    batches = batches_of([(None, 5.0, 5.0)] * 9)
    batches.add_failed(None, 4.0)
    assert batches.tails().n == 9
    assert batches.tails(strict=True).n == 10
    assert batches.tails(strict=True).new.slower(place_of(1e6)) == 1
    assert batches.tails().n == 9


@pytest.mark.parametrize("p", QUANTILES)
@pytest.mark.parametrize("worth", [1.0, 0.3])
def test_the_bounds_of_a_quantile_are_the_first_places_at_which_it_cannot_be(p: float, worth: float) -> None:
    draw = random.Random(6)  # noqa: S311 - latencies, no secrets
    tail = batches_of((None, draw.lognormvariate(3, 0.5), 1.0) for _ in range(2000)).tails().old
    at, n = tail.quantile(p), 2000 * worth
    low = next(it for it in tail.places(at, -1) if is_above(1 - p, tail.slower(it) * worth, n, 0.975))
    high = next(it for it in tail.places(at, 1) if is_below(1 - p, tail.slower(it) * worth, n, 0.975))
    assert side_interval(tail, p, 0.95, n) == (latency_at(low), latency_at(high))


def test_a_quantile_has_no_bound_where_too_few_cases_lie_beyond_it() -> None:
    assert side_interval(batches_of((None, 5.0 + n, 1.0) for n in range(40)).tails().old, 0.99, 0.95, 40)[1] == math.inf


def test_a_million_pairs_take_a_bounded_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RAW", 500)
    draw = random.Random(1)  # noqa: S311 - latencies, no secrets
    taken = [(None, draw.lognormvariate(3, 0.5), draw.lognormvariate(3, 0.5)) for _ in range(5000)]
    batches, raw = batches_of(taken), PairedLatencies()
    assert len(batches._raw) < 500
    monkeypatch.setattr(module, "_RAW", 10**9)
    raw.add_all(*zip(*taken, strict=True))
    assert batches.tails().new.sizes == raw.tails().new.sizes
    assert batches.tails().new.quantile(0.95) == raw.tails().new.quantile(0.95)
    expected = np.quantile([new for _, _, new in taken], 0.95, method="inverted_cdf")
    assert latency_at(raw.tails().new.quantile(0.95)) == pytest.approx(float(expected), rel=STEP - 1)
