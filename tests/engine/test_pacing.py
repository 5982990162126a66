"""Timetables: steady, as recorded, and turn after turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.engine.pacing import NS, AsRecorded, AsRoomAllows, Steady, Turns
from replay.models import Case, CaseKind, Request

START = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)


def case(name: str, seconds: float | None = None, *, kind: CaseKind = "traffic", source: str = "d") -> Case:
    at = None if seconds is None else START + timedelta(seconds=seconds)
    return Case(name, kind, f"{source}:{name}", Request(), freeze=at)


def moments(pace: AsRecorded | Steady, cases: list[Case]) -> list[float]:
    moment = pace.moments()
    return [round((moment(each) or 0) / 1e9, 6) for each in cases]


def test_room_alone_sets_no_moment() -> None:
    moment = AsRoomAllows().moments()
    assert [moment(case("a")), moment(case("b"))] == [None, None]


def test_a_rate_sets_moments_from_the_start_so_that_lateness_does_not_add_up() -> None:
    assert moments(Steady(4), [case(str(n)) for n in range(5)]) == [0, 0.25, 0.5, 0.75, 1]


def test_recorded_gaps_are_kept_and_sped_up() -> None:
    recorded = [case("a", 10), case("b", 12), case("c", 13)]
    assert moments(AsRecorded(1), recorded) == [0, 2, 3]
    assert moments(AsRecorded(2), recorded) == [0, 1, 1.5]


def test_no_recorded_gap_is_longer_than_is_allowed() -> None:
    assert moments(AsRecorded(1, max_gap=5), [case("a", 0), case("b", 3600), case("c", 3601)]) == [0, 5, 6]


def test_time_that_goes_back_and_cases_without_a_time_cost_no_time() -> None:
    recorded = [case("a", 10), case("b", 5), case("c"), case("d", 11)]
    assert moments(AsRecorded(1), recorded) == [0, 0, 0, 1]


def test_the_instant_of_a_golden_is_no_time_at_which_anything_was_recorded() -> None:
    golden = case("g", 10**8, kind="golden")
    assert moments(AsRecorded(1), [golden, case("a", 10), case("b", 12), golden, case("c", 13)]) == [0, 0, 2, 2, 3]


def test_each_file_goes_on_from_where_the_one_before_it_ended() -> None:
    older = [case("c", -1000, source="e"), case("d", -995, source="e")]
    assert moments(AsRecorded(1), [case("a", 0), case("b", 3), *older]) == [0, 3, 3, 8]


@pytest.mark.parametrize("speed", [1e-300, 1e-12, 1e300])
def test_a_speed_near_zero_puts_moments_off_for_as_long_as_timers_count(speed: float) -> None:
    first, *later = map(AsRecorded(speed).moments(), [case("a", 0), case("b", 1e9), case("c", 3e9)])
    assert first == 0
    assert all(moment is not None and 0 <= moment // NS < 2**62 for moment in later)


def test_a_further_turn_is_as_long_as_the_first() -> None:
    recorded = [case("a", 0), case("b", 1), case("c", 3)]
    assert moments(AsRecorded(1), [*recorded, *(each.again(2) for each in recorded)]) == [0, 1, 3, 3, 4, 6]


@given(
    seconds=st.lists(st.none() | st.floats(0, 1e6), max_size=30),
    speed=st.floats(0.1, 100),
    gap=st.none() | st.floats(0.001, 1e4),
)
def test_moments_never_go_back(seconds: list[float | None], speed: float, gap: float | None) -> None:
    found = moments(AsRecorded(speed, gap), [case(str(n), at) for n, at in enumerate(seconds)])
    assert found == sorted(found)


def test_every_turn_sends_all_cases_under_their_ids_and_identities_of_their_own() -> None:
    found = list(Turns([case("a"), case("b")], 3))
    assert [(each.id, each.turn) for each in found] == [("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 3), ("b", 3)]
    assert len({each.identity for each in found}) == 6
    assert {each.origin for each in found} == {"d:a", "d:b"}


def test_without_a_number_turns_go_on() -> None:
    assert [each.turn for each in islice(Turns([case("a")], None, seconds=60), 4)] == [1, 2, 3, 4]


@pytest.mark.parametrize("times", [None, 3])
def test_nothing_at_all_ends_at_once(times: int | None) -> None:
    assert list(Turns([], times, seconds=60)) == []


def test_a_time_that_is_over_in_the_first_turn_is_told() -> None:
    turns = Turns([case("a"), case("b")], None, seconds=0)
    assert list(turns) == []
    assert turns.cut_short


def test_a_time_that_is_over_later_has_cut_nothing_short() -> None:
    turns = Turns([case("a")], None, seconds=0.05)
    assert len(list(turns)) > 1
    assert not turns.cut_short
