"""The sums at the end, what deviating cases have in common, and whether a side still answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.compare.text import text_change
from replay.engine import tally
from replay.engine.clusters import MOST_WAYS, SHOWN_IDS, Clusters, general
from replay.engine.pulse import PATIENCE, SILENCE, Pulse
from replay.models import (
    MISSING,
    Case,
    CaseError,
    CaseKind,
    Difference,
    ErrorKind,
    Failure,
    Observation,
    OutcomeName,
    Request,
    Result,
    Timing,
)

OUTCOMES: tuple[OutcomeName, ...] = get_args(OutcomeName)


def case(number: int, kind: CaseKind = "traffic") -> Case:
    return Case(f"c-{number}", kind, f"d:{number}", Request())


def result(number: int, outcome: OutcomeName = "deviation", *at: str) -> Result:
    differences = tuple(Difference(each, "value", 1, MISSING, "default") for each in at)
    error = CaseError("new", "status") if outcome.endswith("error") else None
    return Result(case(number), outcome, differences=differences, error=error)


# ----------------------------------------------------------------------------------------------------------------- sums


@given(outcomes=st.lists(st.sampled_from(OUTCOMES)), not_sent=st.integers(0, 9))
@settings(max_examples=60)
def test_no_case_is_lost_in_the_sums(outcomes: list[OutcomeName], not_sent: int) -> None:
    counts = tally(result(n, outcome) for n, outcome in enumerate(outcomes)).counts(not_sent)
    assert counts.loaded == len(outcomes) + not_sent
    assert counts.loaded == counts.compared + counts.errored + counts.skipped
    assert counts.compared == counts.matched + counts.deviating + counts.noise + counts.waived


def test_a_clock_is_frozen_only_where_every_answer_says_so() -> None:
    frozen = Observation(200, clock_frozen=True)
    silent = Observation(200)
    failed = Observation(error=Failure("refused"))

    def observed(*observations: Observation) -> bool:
        results = (replace(result(n, "match"), new=each) for n, each in enumerate(observations))
        return tally(results).frozen("new")

    assert observed(frozen, failed, frozen)
    assert not observed(frozen, silent)
    assert not observed(failed)
    assert not observed()


def test_latencies_are_those_of_whole_answers() -> None:
    whole = Observation(200, timing=Timing(5.0))
    cut = Observation(200, error=Failure("timeout"), timing=Timing(10_000.0))
    sums = tally(replace(result(n, "match"), old=each) for n, each in enumerate([whole, whole, cut]))
    assert sums.latency()["old"].n == 2
    assert sums.latency()["old"].p99 == pytest.approx(5.0, rel=0.05)
    assert "new" not in sums.latency()


# ------------------------------------------------------------------------------------------------------------- clusters


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("body.items[3].id", "body.items[*].id"),
        ("body.items[?@.sku=='A1'].price", "body.items[*].price"),
        ("body.items[?@.sku=='a]b\\'c'].price", "body.items[*].price"),
        ("body[0][12]", "body[*][*]"),
        ("body['a b'].c", "body['a b'].c"),
        ("headers.date", "headers.date"),
    ],
)
def test_a_location_is_generalised_over_the_items_of_arrays(at: str, expected: str) -> None:
    assert general(at) == expected


def test_cases_are_gathered_by_where_and_how_they_differ() -> None:
    clusters = Clusters()
    for number in range(5):
        clusters.add(result(number, "deviation", f"body.items[{number}].id", f"body.items[{number + 1}].id"))
    clusters.add(result(9, "deviation", "status"))
    clusters.add(result(10, "match", "body.noise"))
    first, second = clusters.clusters()
    assert (first.locations, first.cases, first.example) == (("body.items[*].id",), 5, "c-0")
    assert (second.locations, second.cases, second.promotable) == (("status",), 1, "c-9")


def departing(number: int, *differences: Difference) -> Result:
    return Result(case(number), "deviation", differences=differences)


def status(old: int, new: int) -> Difference:
    return Difference("status", "status", old, new, "default")


def failing(
    number: int, side: Literal["old", "new", "both"], old: int | None, new: int | None, kind: ErrorKind = "status"
) -> Result:
    answers = Observation(old), Observation(new)
    outcome: OutcomeName = f"{side}_error"  # type: ignore[assignment]
    return Result(case(number), outcome, *answers, error=CaseError(side, kind))


def titles(*results: Result) -> list[tuple[str, int]]:
    clusters = Clusters()
    for each in results:
        clusters.add(each)
    return [(each.title, each.cases) for each in clusters.clusters()]


def test_each_change_of_a_status_is_a_group_of_its_own() -> None:
    changes = [status(200, 404), status(404, 403), status(200, 404), status(404, 200)]
    assert titles(*(departing(number, change) for number, change in enumerate(changes))) == [
        ("status 200 -> 404", 2),
        ("status 404 -> 403", 1),
        ("status 404 -> 200", 1),
    ]


def test_a_group_of_changed_statuses_stands_at_the_status() -> None:
    clusters = Clusters()
    clusters.add(departing(1, status(200, 404)))
    (found,) = clusters.clusters()
    assert (found.locations, found.kinds, found.sample) == (("status",), ("status",), status(200, 404))


def test_a_status_that_the_golden_expects_is_called_so() -> None:
    expected = replace(status(200, 404), against="expect")
    assert titles(departing(1, expected), departing(2, status(200, 404))) == [
        ("status 200 expected -> 404", 1),
        ("status 200 -> 404", 1),
    ]


@pytest.mark.parametrize(
    ("result", "title"),
    [
        (failing(1, "old", 500, 302), "only old failed: status, 500 -> 302"),
        (failing(1, "new", 200, 500), "only new failed: status, 200 -> 500"),
        (failing(1, "new", 200, None, "timeout"), "only new failed: timeout"),
        (failing(1, "new", 200, 200, "decode"), "only new failed: decode"),
        (failing(1, "both", 500, 503), "both failed: status, 500 -> 503"),
        (failing(1, "both", 500, 500), "both failed: status"),
    ],
)
def test_a_group_of_errors_tells_who_failed_and_what_both_answered(result: Result, title: str) -> None:
    assert titles(result) == [(title, 1)]


def test_a_change_of_type_tells_both_types() -> None:
    row = Difference("body.rows[0]", "type", [1], {"a": 1}, "default")
    page = Difference("body", "type", "<html>", {"a": 1}, "default", note="text became json")
    other = Difference("body.rows[1]", "type", None, True, "default")
    assert titles(departing(1, row, other), departing(2, row, page), departing(3, page)) == [
        ("body.rows[*]: type (array -> object)", 2),
        ("body: type (text -> json)", 2),
        ("body.rows[*]: type (null -> boolean)", 1),
    ]


@pytest.mark.parametrize(("kept", "title"), [(40, "body: text, new stops early"), (230, "body: text")])
def test_a_text_that_breaks_off_is_a_way_of_its_own(kept: int, title: str) -> None:
    lines = [f"line {number}\n" for number in range(231)]
    other = lines[:kept] if kept < 100 else ["changed\n", *lines[1:]]
    change = text_change("".join(lines), "".join(other))
    text = Difference("body", "text", change.old, change.new, "default", note=change.note)
    assert titles(departing(1, text)) == [(title, 1)]


def test_errors_and_statuses_come_first_then_texts_that_break_off_then_the_largest() -> None:
    stops = Difference("body", "text", "a", "", "default", note="new stops at line 1 of 2")
    many = [result(number, "deviation", "body.a") for number in range(5)]
    more = [result(number, "deviation", "body.b") for number in range(10, 16)]
    found = titles(*many, *more, departing(20, stops), departing(21, status(1, 2)), failing(22, "both", 500, 500))
    assert [title for title, _ in found] == [
        "status 1 -> 2",
        "both failed: status",
        "body: text, new stops early",
        "body.b: value",
        "body.a: value",
    ]


def test_what_weighs_most_names_a_group_of_several_ways() -> None:
    title = "status 200 -> 404, and 2 more"
    value = Difference("body.a", "value", 1, 2, "default")
    extra = Difference("body.b", "extra", MISSING, 2, "default")
    assert titles(departing(1, value, status(200, 404), extra)) == [(title, 1)]


def test_a_case_that_fails_on_both_sides_is_not_named_for_promotion() -> None:
    clusters = Clusters()
    clusters.add(failing(1, "both", 500, 500))
    clusters.add(failing(2, "new", 200, 500))
    assert [each.promotable for each in clusters.clusters()] == [None, "c-2"]


def test_ways_that_occur_in_the_same_cases_are_one_cluster() -> None:
    clusters = Clusters()
    for number in range(3):
        clusters.add(result(number, "deviation", "body.a", "body.b"))
    for number in range(3, 6):
        clusters.add(result(number, "deviation", "body.c"))
    assert [each.locations for each in clusters.clusters()] == [("body.a", "body.b"), ("body.c",)]


def test_clusters_stay_bounded_and_count_on() -> None:
    clusters = Clusters()
    for number in range(MOST_WAYS + 50):
        clusters.add(result(number, "deviation", f"body.key{number}"))
    for number in range(100):
        clusters.add(result(number, "new_error"))
    found = clusters.clusters()
    assert len(found) == MOST_WAYS + 1
    assert sum(each.cases for each in found) == MOST_WAYS + 150
    assert all(len(each.ids) <= SHOWN_IDS for each in found)


def test_a_golden_is_never_named_for_promotion() -> None:
    clusters = Clusters()
    clusters.add(replace(result(1, "deviation", "status"), case=case(1, "golden")))
    assert clusters.clusters()[0].promotable is None


# ---------------------------------------------------------------------------------------------------------------- pulse


def felt(*observations: Observation) -> Pulse:
    pulse = Pulse("new")
    for number, observation in enumerate(observations):
        pulse.feel(case(number), observation)
    return pulse


ANSWER, REFUSED = Observation(200), Observation(error=Failure("refused"))


def test_a_side_is_silent_after_a_few_cases_and_gone_after_many() -> None:
    assert not felt(ANSWER, *[REFUSED] * (SILENCE - 1)).silent
    assert felt(ANSWER, *[REFUSED] * SILENCE).silent
    assert not felt(ANSWER, *[REFUSED] * (PATIENCE - 1)).gone
    assert felt(ANSWER, *[REFUSED] * PATIENCE).gone


def test_one_answer_shows_that_a_side_is_there() -> None:
    pulse = felt(*[REFUSED] * (PATIENCE - 1), ANSWER, REFUSED)
    assert not pulse.silent
    assert pulse.last_answer == f"c-{PATIENCE - 1}"


def test_the_story_names_the_last_case_that_was_answered() -> None:
    assert "after case c-1" in felt(ANSWER, ANSWER, REFUSED).story
    assert "from the first case on" in felt(REFUSED).story


@pytest.mark.parametrize("kind", ["status", "exception", "incomplete_body", "protocol", "decode"])
def test_a_side_that_answers_wrongly_is_there(kind: str) -> None:
    broken = Observation(error=Failure(kind))  # type: ignore[arg-type]
    assert not felt(*[broken] * (2 * PATIENCE)).silent
