"""What a rule would do, told by stored cases: what it settles, what it hides, and what nobody has looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from replay.causes import Causes
from replay.curation.effects import Effect, Evidence, effect
from replay.models import Acceptance, Case, Difference, OutcomeName, Request, Result


def result(name: str, *places: str, noise: str = "") -> Result:
    case = Case(name, "traffic", name, Request(path="/a"))
    found = tuple(Difference(at, "value", 1, 2, "default: values are equal") for at in places)
    noisy = (Difference(noise, "value", 1, 2, "default: values are equal", noise="seen"),) if noise else ()
    return Result(case, "deviation" if found else "match", differences=found + noisy)


def without(at: str) -> object:
    """Return what judges as if differences at a place were accepted; what a run found to be noise it does not know."""

    def judged(it: Result) -> Result:
        left = tuple(replace(each, noise="") for each in it.differences if each.at != at)
        return replace(it, differences=left, outcome="deviation" if left else "match")

    return judged


def told(results: list[Result], place: int, at: str, most: int = 100) -> Effect:
    causes = Causes()
    for each in results:
        causes.add(each)

    def stored(outcomes: Collection[OutcomeName] | None, *, bodies: bool) -> Iterable[Result]:  # noqa: ARG001
        return [each for each in results if outcomes is None or each.outcome in outcomes]

    evidence = Evidence(stored, causes.clusters())
    return effect(evidence, place, lambda it: it, without(at), most)  # type: ignore[arg-type]


def test_cases_are_settled_eased_or_left() -> None:
    results = [result("a", "body.x"), result("b", "body.x"), result("c", "body.x", "body.y")]
    found = told(results, 0, "body.x")
    assert (found.cases, found.settled, found.eased, dict(found.hidden), found.unseen) == (3, 2, 1, {}, 0)


def test_what_goes_in_cases_of_another_cause_is_hidden() -> None:
    results = [result("a", "body.x"), result("b", "body.x"), result("c", "body.x"), result("d", "body.y")]
    found = told(results, 1, "body.x")
    assert (found.settled, found.does_nothing, dict(found.hidden)) == (0, True, {0: 3})


def test_noise_that_a_run_found_does_not_keep_a_case_from_being_settled() -> None:
    found = told([result("a", "body.x", noise="body.n")], 0, "body.x")
    assert (found.settled, found.eased) == (1, 0)


def test_cases_that_were_not_looked_at_are_counted_and_those_of_others_are_unknown() -> None:
    results = [result(f"a{n}", "body.x") for n in range(5)] + [result(f"b{n}", "body.y") for n in range(4)]
    found = told(results, 0, "body.x", most=3)
    assert (found.cases, found.unseen, found.unknown) == (3, 3, 1)


def test_equal_cases_that_would_deviate_are_spoiled() -> None:
    accepted = replace(result("a"), accepted=(Acceptance("body.z", "at body.z, within: 1"),))
    results = [result("b", "body.x"), accepted]

    def stored(outcomes: Collection[OutcomeName] | None, *, bodies: bool) -> Iterable[Result]:  # noqa: ARG001
        return [each for each in results if outcomes is None or each.outcome in outcomes]

    causes = Causes()
    for each in results:
        causes.add(each)
    spoilt = replace(accepted, outcome="deviation")
    found = effect(Evidence(stored, causes.clusters()), 0, lambda it: it, lambda it: spoilt if it is accepted else it)
    assert (found.spoiled, found.does_nothing) == (1, True)


def test_a_few_cases_are_looked_up_and_come_as_they_do_when_all_is_read() -> None:
    results = [result("a", "body.x"), result("b", "body.x"), result("c", "body.y")]

    def stored(outcomes: Collection[OutcomeName] | None, *, bodies: bool) -> Iterable[Result]:
        assert not bodies, "three cases are few"
        return [each for each in results if outcomes is None or each.outcome in outcomes]

    def find(identity: str) -> Iterable[Result]:
        same_id = replace(results[0], case=replace(results[0].case, identity="another"))
        return [*(each for each in results if each.case.identity == identity), same_id]

    causes = Causes()
    for each in results:
        causes.add(each)
    evidence = Evidence(stored, causes.clusters(), find)
    assert [it.case.id for it in evidence.of(0)] == ["a", "b"]
    assert [(place, it.case.id) for place, it in evidence.others(0)] == [(1, "c")]


def test_cases_that_the_change_does_not_reach_are_counted_and_not_judged() -> None:
    results = [result("a", "body.x"), result("b", "body.y"), result("c", "body.z")]

    def stored(outcomes: Collection[OutcomeName] | None, *, bodies: bool) -> Iterable[Result]:  # noqa: ARG001
        return [each for each in results if outcomes is None or each.outcome in outcomes]

    def judge(it: Result) -> Result:
        assert it.case.id != "c"
        return replace(it, differences=())

    causes = Causes()
    for each in results:
        causes.add(each)
    evidence = Evidence(stored, causes.clusters())
    found = effect(evidence, 0, lambda it: it, judge, reaches=lambda it: it.case.id != "c")
    assert (found.settled, dict(found.hidden), found.unknown, found.unseen) == (1, {1: 1}, 0, 0)
