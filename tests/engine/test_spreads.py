"""How the figures that rules measured are spread: nothing that was not measured looks like parity."""

from __future__ import annotations

import math
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from replay.engine.spreads import MOST_PLACES, Spreads
from replay.models import Measure, Spread


def spread(*measures: Measure, name: str = "rank.tau") -> Spread:
    gathered = Spreads()
    for each in measures:
        gathered.add(each)
    return gathered.spreads()[name]


def tau(value: float | None, items: int = 10, at: str = "body.hits") -> Measure:
    return Measure(at, "rank.tau", value, items)


def test_places_without_a_figure_are_counted_beside_the_others() -> None:
    found = spread(tau(1.0), tau(None, 0), tau(None, 1))
    assert (found.n, found.none) == (1, 2)


def test_a_measure_that_never_had_a_figure_has_no_average() -> None:
    found = spread(tau(None), tau(None))
    assert (found.n, found.none) == (0, 2)
    assert math.isnan(found.mean)


def test_figures_over_few_items_are_counted_and_the_usual_number_of_items_is_told() -> None:
    found = spread(tau(1.0, 2), tau(1.0, 4), tau(0.5, 5), tau(0.5, 9))
    assert (found.few, found.items) == (2, 4.5)


def test_the_steps_of_tau_reach_from_minus_1_to_1_and_those_of_the_rest_from_0() -> None:
    ends = (1, 0, 0, 0, 0, 1, 0, 0, 0, 1)
    assert spread(tau(-1.0), tau(0.0), tau(1.0)).steps == ends
    shares = [Measure("body", "rank.overlap", value) for value in (0.0, 0.5, 1.0)]
    assert spread(*shares, name="rank.overlap").steps == ends


def test_counts_have_no_steps() -> None:
    assert spread(Measure("body", "rank.common", 7.0), name="rank.common").steps == ()


def test_a_measure_at_several_places_is_told_by_place_too() -> None:
    gathered = Spreads()
    for at, value in (("body.hits", 1.0), ("body.also[3].hits", 0.0), ("body.also[4].hits", 0.5)):
        gathered.add(tau(value, at=at))
    assert {name: it.n for name, it in gathered.spreads().items()} == {
        "rank.tau": 3,
        "rank.tau at body.hits": 1,
        "rank.tau at body.also[*].hits": 2,
    }


def test_hostile_names_of_places_stay_bounded() -> None:
    gathered = Spreads()
    for number in range(MOST_PLACES + 50):
        gathered.add(tau(0.5, at=f"body.k{number}"))
    found = gathered.spreads()
    assert len(found) == MOST_PLACES + 2
    assert found["rank.tau at other locations"].n == 50


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30))
def test_every_figure_is_in_one_step_and_the_marks_are_in_order(values: list[float]) -> None:
    found = spread(*(tau(value) for value in values))
    assert sum(found.steps) == found.n == len(values)
    assert found.tenth is not None
    assert found.least <= found.tenth <= found.median <= found.most
    assert found.median == median(values)
