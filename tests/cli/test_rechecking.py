"""Differences that are gone when both sides are asked again, against services that take their time to agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from replay.engine.recheck import carried, settled
from replay.models import Case, CaseError, Difference, Observation, RecheckSpec, Request, Result

if TYPE_CHECKING:
    from tests.cli.conftest import Desk, Serve

RECHECK = "recheck: {times: 3, every: 1ms}\n"


def late(askings: int, then: Callable[[int], bytes] = lambda _nth: b"done") -> Callable[[str], bytes]:
    """Answer `pending` so many times for each target, and then something else."""
    asked: Counter[str] = Counter()

    def answer(target: str) -> bytes:
        asked[target] += 1
        return b"pending" if asked[target] <= askings else then(asked[target])

    return answer


def results(
    desk: Desk, serve: Serve, answer: Callable[[str], bytes], settings: str = RECHECK, method: str = "GET"
) -> tuple[dict[str, Any], int, Any]:
    with serve(lambda _target: b"done") as old, serve(answer) as new:
        desk.write("replay.yaml", f"old: {old.url}\nnew: {new.url}\ntraffic: c.jsonl\n{settings}")
        desk.capture("c.jsonl", [{"id": "c-0", "request": {"method": method, "path": "/0"}}])
        desk.cli("run", "--report", "json:r.json", "--writable", "both")
        [result] = desk.report("r.json")["results"]
        return result, len(new.seen), desk.report("r.json")


@pytest.mark.parametrize(
    ("answer", "settings", "outcome", "asked"),
    [
        (late(0), RECHECK, "match", 1),
        (late(1), RECHECK, "noise", 4),
        (late(2), RECHECK, "noise", 4),
        (late(3), RECHECK, "deviation", 4),
        (late(9), RECHECK, "deviation", 4),
        (late(1), "", "deviation", 1),
        (late(1), "recheck: {times: 1, every: 1ms}\n", "noise", 2),
        (late(1, lambda nth: b"pending" if nth == 4 else b"done"), RECHECK, "deviation", 4),
        (late(1, lambda nth: b"pending" if nth == 3 else b"done"), RECHECK, "deviation", 4),
    ],
)
def test_a_difference_that_is_gone_for_good_counts_for_nothing(  # noqa: PLR0917 - parameters of the test
    desk: Desk, serve: Serve, answer: Callable[[str], bytes], settings: str, outcome: str, asked: int
) -> None:
    result, requests, _ = results(desk, serve, answer, settings)
    assert (result["outcome"], requests) == (outcome, asked)
    assert len(result["differences"]) == (outcome != "match")


def test_what_converged_is_said_with_when_it_was_gone(desk: Desk, serve: Serve) -> None:
    result, _, report = results(desk, serve, late(2))
    assert result["flags"] == ["converged"]
    assert result["differences"][0]["converged"] == "gone after 0.002 s, in 2 of 3 further askings"
    assert report["counts"]["noise"] == 1
    assert any("1 of 1 cases differed where they did not when asked again" in it for it in report["warnings"])
    assert "converged: gone after 0.002 s" in desk.cli("show", "c-0").out


def test_judging_again_keeps_what_had_converged(desk: Desk, serve: Serve) -> None:
    results(desk, serve, late(2))
    assert "deviating 0 + noise 1" in desk.cli("judge").out


def test_methods_that_may_change_something_are_sent_once(desk: Desk, serve: Serve) -> None:
    result, requests, _ = results(desk, serve, late(1), method="POST")
    assert (result["outcome"], requests) == ("deviation", 1)


def test_a_recording_is_not_asked_again(desk: Desk, serve: Serve) -> None:
    with serve(late(1)) as new:
        desk.write("replay.yaml", f"old: recorded\nnew: {new.url}\ntraffic: c.jsonl\n{RECHECK}")
        response = {"status": 200, "headers": {"Content-Type": "text/plain"}, "text": "done"}
        desk.capture("c.jsonl", [{"request": {"path": "/0"}, "response": response}])
        desk.cli("run", "--report", "json:r.json")
        assert len(new.seen) == 1
    assert desk.report("r.json")["results"][0]["outcome"] == "deviation"


@pytest.mark.parametrize("recheck", ["{times: 0}", "{times: 21}", "{every: 2m}", "{every: 1}", "yes"])
def test_settings_that_make_no_sense_are_told_before_anything_is_sent(desk: Desk, recheck: str) -> None:
    desk.write("replay.yaml", f"new: http://127.0.0.1:9\nrecheck: {recheck}\n")
    assert desk.cli("run").code == 2
    assert not Path(".replay").exists()


def judged(*places: str, outcome: str = "deviation") -> Result:
    found = tuple(Difference(at, "value", 1, 2, "default") for at in places)
    return Result(Case("c", "traffic", "c", Request()), outcome, differences=found)  # type: ignore[arg-type] # one of its names


def test_only_what_is_gone_is_marked_and_the_rest_still_counts() -> None:
    spec = RecheckSpec()
    result = settled(judged("body.a", "body.b"), [judged("body.b")] * 3, spec)
    assert [bool(it.converged) for it in result.differences] == [True, False]
    assert result.outcome == "deviation"


def test_a_difference_above_or_below_is_the_same_one() -> None:
    for other in ("body.a[0].n", "body"):
        assert settled(judged("body.a"), [judged(other)] * 3, RecheckSpec()).outcome == "deviation"
    result = settled(judged("body.a", "body.ab"), [judged("body.ab")] * 3, RecheckSpec())
    assert [bool(it.converged) for it in result.differences] == [True, False]


def test_askings_at_which_a_side_failed_settle_nothing() -> None:
    failed = Result(Case("c", "traffic", "c", Request()), "new_error", error=CaseError("new", "refused"))
    assert (
        settled(judged("body.a"), [judged(outcome="match"), judged(outcome="match"), failed], RecheckSpec()).outcome
        == "deviation"
    )


def test_a_difference_that_only_moved_with_its_item_is_not_gone() -> None:
    moved = [judged(f"body.items[{nth}].price") for nth in (2, 3, 4)]
    assert settled(judged("body.items[1].price"), moved, RecheckSpec()).outcome == "deviation"


def test_a_status_that_nobody_gave_at_first_settles_nothing() -> None:
    def answered(result: Result, *statuses: int) -> Result:
        old, new = (Observation(status=status) for status in statuses)
        return replace(result, old=old, new=new)

    first, equal = judged("status"), judged(outcome="match")
    both_refuse, both_found = answered(equal, 429, 429), answered(equal, 200, 200)
    assert settled(answered(first, 200, 200), [both_refuse] * 3, RecheckSpec()).outcome == "deviation"
    assert settled(answered(first, 200, 404), [both_found] * 3, RecheckSpec()).outcome == "noise"


@pytest.mark.parametrize("refusal", [404, 429])
def test_an_old_that_comes_to_refuse_as_new_did_settles_nothing(refusal: int) -> None:
    def answered(result: Result, *statuses: int) -> Result:
        old, new = (Observation(status=status) for status in statuses)
        return replace(result, old=old, new=new)

    later = [answered(judged(outcome="match"), refusal, refusal)] * 3
    assert settled(answered(judged("status"), 200, refusal), later, RecheckSpec()).outcome == "deviation"


def test_a_run_that_was_stopped_after_one_of_three_askings_has_settled_nothing() -> None:
    assert settled(judged("body.a"), [judged(outcome="match")], RecheckSpec()).outcome == "deviation"


def test_what_converged_under_one_rule_has_not_under_another() -> None:
    gone = settled(judged("body.a"), [judged(outcome="match")] * 3, RecheckSpec())
    assert carried(gone, judged("body.a")).outcome == "noise"
    stricter = replace(judged("body.a"), differences=(Difference("body.a", "value", 1, 2, "at body.a, strict: true"),))
    again = carried(gone, stricter)
    assert (again.outcome, again.flags) == ("deviation", ())
