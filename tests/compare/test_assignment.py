"""The cheapest pairing, held against scipy's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from replay.compare.assignment import cheapest


@st.composite
def tables(draw: st.DrawFn) -> list[list[int]]:
    rows, columns = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    line = st.lists(st.integers(0, 5), min_size=columns, max_size=columns)
    return draw(st.lists(line, min_size=rows, max_size=rows))


@given(tables())
def test_no_pairing_is_cheaper(costs: list[list[int]]) -> None:
    found = cheapest(costs)
    rows, columns = linear_sum_assignment(costs)
    assert sum(costs[i][j] for i, j in found) == sum(costs[i][j] for i, j in zip(rows, columns, strict=True))


@given(tables())
def test_each_of_the_fewer_is_paired_once(costs: list[list[int]]) -> None:
    found = cheapest(costs)
    size = min(len(costs), len(costs[0]))
    assert [len(found), len({i for i, _ in found}), len({j for _, j in found})] == [size] * 3


def test_of_nothing_nothing_is_paired() -> None:
    assert cheapest([]) == cheapest([[]]) == []
