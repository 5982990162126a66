"""The quantile sketch, against numpy and against itself."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.verdict.sketch import ERROR, Sketch

values = st.floats(-1e12, 1e12, allow_subnormal=False)
quantiles = st.floats(0, 1)


def sketch_of(numbers: list[float]) -> Sketch:
    sketch = Sketch()
    sketch.add_all(numbers)
    return sketch


def at_rank(numbers: list[float], q: float) -> float:
    """Return the least value that at least the share q of all does not exceed."""
    ordered = sorted(numbers)
    return next(it for count, it in enumerate(ordered, 1) if count >= q * len(ordered) - 1e-9)


@given(st.lists(values, min_size=1), quantiles)
def test_a_quantile_is_within_half_a_percent_of_the_value_at_its_rank(numbers: list[float], q: float) -> None:
    assert sketch_of(numbers).quantile(q) == pytest.approx(at_rank(numbers, q), rel=ERROR * 1.000_001, abs=0)


@pytest.mark.parametrize("q", [0, 0.5, 0.9, 0.95, 0.99, 1])
def test_quantiles_of_latencies_are_those_of_numpy(q: float) -> None:
    draw = random.Random(7)  # noqa: S311 - latencies, no secrets
    latencies = [draw.lognormvariate(2, 1) for _ in range(20_000)]
    expected = float(np.quantile(latencies, q, method="inverted_cdf"))
    assert sketch_of(latencies).quantile(q) == pytest.approx(expected, rel=ERROR * 1.000_001)


def test_of_two_the_higher_one_is_p99_and_the_lower_one_is_p50() -> None:
    sketch = sketch_of([10.0, 20.0])
    assert [round(sketch.quantile(q)) for q in (0.5, 0.9, 0.95, 0.99)] == [10, 20, 20, 20]


@given(st.lists(values), st.lists(values), quantiles)
def test_sketches_of_parts_merge_into_the_sketch_of_the_whole(one: list[float], other: list[float], q: float) -> None:
    merged, whole = sketch_of(one), sketch_of(one + other)
    merged.merge(sketch_of(other))
    assert merged.n == whole.n
    if whole.n:
        assert merged.quantile(q) == whole.quantile(q)


@given(st.lists(values, min_size=1), quantiles, quantiles)
def test_quantiles_ascend(numbers: list[float], one: float, other: float) -> None:
    sketch = sketch_of(numbers)
    assert sketch.quantile(min(one, other)) <= sketch.quantile(max(one, other))


@pytest.mark.parametrize("number", [5e-324, 1e-308, 1.797e308, -1.797e308])
def test_the_smallest_and_largest_doubles_have_a_bucket(number: float) -> None:
    assert sketch_of([number]).quantile(0.5) == pytest.approx(number, rel=ERROR * 1.001, abs=5e-324)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="no place"):
        Sketch().add_all([1.0, number])


def test_an_empty_sketch_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="no value"):
        Sketch().quantile(0.5)


@pytest.mark.parametrize("q", [-0.1, 1.1, math.nan])
def test_a_quantile_outside_0_and_1_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        sketch_of([1]).quantile(q)
