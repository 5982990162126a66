"""Stored cases judged again: as the run did by its own rules, and never by what a token cannot tell."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from replay.compare import Comparison, rule_book, traced_book
from replay.engine import Referee
from replay.engine.grouping import Grouping
from replay.engine.kpis import prepare_kpis
from replay.engine.parts import parts_of
from replay.engine.rejudging import Rejudge, Watched
from replay.expressions import parse_expression
from replay.models import (
    MISSING,
    Again,
    Case,
    CaseError,
    Difference,
    Figure,
    GroupSpec,
    KpiSpec,
    Lateness,
    Membership,
    Observation,
    OutcomeName,
    Played,
    Request,
    Result,
    RuleSpec,
    Step,
    WaiveSpec,
)
from replay.privacy import DROPPED, Tokeniser, redact

JSON = (("content-type", "application/json"),)
BASES: Any = {"old": None, "new": None}
A, B = "tok_" + "a" * 16, "tok_" + "b" * 16


def watching(*rules: RuleSpec, error_when: str | None = None) -> Watched:
    book = traced_book(rules)
    expression = parse_expression(error_when) if error_when else None
    quick, traced = (Referee(Comparison(it, BASES), expression) for it in (rule_book(rules), book))
    asked = [parse_expression(rule.where) for rule in rules if rule.where] + ([expression] if expression else [])
    return Watched(quick, traced, lambda: book.trace, asked)


def rejudge(*rules: RuleSpec, error_when: str | None = None, same_rules: bool = False) -> Rejudge:
    watched = watching(*rules, error_when=error_when)
    return Rejudge(watched, lambda result: redact(result, Tokeniser(b"key")), same_rules=same_rules)


def answer(body: Any, *headers: tuple[str, str]) -> Observation:
    return Observation(200, (*JSON, *headers), json.dumps(body).encode() if not isinstance(body, bytes) else body)


def stored(
    old: Any, new: Any, outcome: OutcomeName = "match", *differences: Difference, request: Request | None = None
) -> Result:
    mine, theirs = (it if isinstance(it, Observation) else answer(it) for it in (old, new))
    return Result(Case("c", "traffic", "d:1", request or Request()), outcome, mine, theirs, differences)


def differs(at: str, old: Any, new: Any) -> Difference:
    return Difference(at, "value", old, new, "default: values are equal")


# ----------------------------------------------------------------------------------------------------- without tokens


def test_a_rule_that_was_added_accepts_what_differed() -> None:
    before = stored({"n": 1}, {"n": 2}, "deviation", differs("body.n", 1, 2))
    after = rejudge(RuleSpec(at="body.n", within=5)).judged(before)
    assert (after.outcome, after.differences) == ("match", ())


def test_a_rule_that_was_taken_out_accepts_nothing_any_more() -> None:
    assert rejudge().judged(stored({"n": 1}, {"n": 2})).outcome == "deviation"


def test_what_counts_as_an_error_is_asked_again() -> None:
    judge = rejudge(error_when="body.errors")
    after = judge.judged(stored({"n": 1}, {"errors": ["x"]}, "deviation", differs("body", {}, {})))
    assert (after.outcome, after.error and after.error.kind) == ("new_error", "error_when")
    cleared = replace(stored({"a": 1}, {"a": 1}), outcome="new_error", error=CaseError("new", "error_when"))
    assert rejudge().judged(cleared).outcome == "match"


def test_a_result_that_stays_as_it_is_is_the_same_object() -> None:
    judge = rejudge()
    before = judge.judged(stored({"n": 1}, {"n": 2}))
    assert judge.judged(before) is before


def test_a_case_that_was_not_sent_stays_skipped() -> None:
    before = Result(Case("c", "traffic", "d:1", Request("POST")), "skipped", skipped="POST is not writable")
    assert rejudge().judged(before) is before


def test_how_a_case_was_sent_is_not_forgotten() -> None:
    before = replace(stored({"n": 1}, {"n": 2}), lateness=Lateness(1.0, 2.0))
    assert rejudge().judged(before).lateness == Lateness(1.0, 2.0)


def test_secrets_that_settings_bring_in_are_taken_out_of_what_is_stored() -> None:
    book = traced_book([RuleSpec(at="body.n", matches="hunter2-[0-9]+")])
    referee = Referee(Comparison(book, BASES))
    watched = Watched(referee, referee, lambda: book.trace)
    judge = Rejudge(watched, lambda it: redact(it, Tokeniser(b"k"), known={"hunter2"}), same_rules=False)
    after = judge.judged(stored({"n": "a"}, {"n": "a"}))
    assert after.outcome == "deviation"
    assert "hunter2" not in repr(after)


# -------------------------------------------------------------------------------------------------------- with tokens


def test_equality_is_judged_on_tokens() -> None:
    judge = rejudge()
    assert judge.judged(stored({"t": A}, {"t": A})).outcome == "match"
    assert judge.judged(stored({"t": A}, {"t": B})).outcome == "deviation"
    assert judge.kept == 0


@pytest.mark.parametrize(
    "rule",
    [
        RuleSpec(at="body.t", matches="[0-9]+"),
        RuleSpec(at="body.t", within=5),
        RuleSpec(at="body.t", map=(("a", "b"),)),
        RuleSpec(at="body", schema={"type": "object"}),
        RuleSpec.model_validate({"at": "body.t", "as": "json"}),
        RuleSpec(at="body.t", ignore=True, where="body.t == 'secret'"),
        RuleSpec(at="body.t", ignore=True, where="body..t"),
        RuleSpec(at="body.t", ignore=True, where="request.headers.authorization == 'Bearer x'"),
    ],
)
def test_where_another_rule_than_equality_meets_a_token_the_run_has_the_last_word(rule: RuleSpec) -> None:
    request = Request(headers=(("authorization", f"Bearer {A}"),))
    outcomes: tuple[OutcomeName, ...] = ("match", "deviation")
    for outcome in outcomes:
        before = stored({"t": A}, {"t": B}, outcome, request=request)
        judge = rejudge(rule)
        assert judge.judged(before) is before
        assert judge.kept == 1


@pytest.mark.parametrize(
    "rule",
    [
        RuleSpec(at="body.t", ignore=True),
        RuleSpec(at="body.n", within=5),
        RuleSpec(at="body.t", ignore=True, where="body.kind == 'login'"),
        RuleSpec(at="body.t", same_type=True),
        RuleSpec(at="body.t", waive=WaiveSpec(owner="me", until="2999-01-01", why="later")),
    ],
)
def test_a_rule_that_needs_no_secret_is_judged_by(rule: RuleSpec) -> None:
    judge = rejudge(rule)
    judge.judged(stored({"t": A, "n": 1, "kind": "login"}, {"t": B, "n": 2, "kind": "login"}))
    assert judge.kept == 0


def test_an_expression_that_asks_for_a_token_keeps_what_counted_as_an_error() -> None:
    judge = rejudge(error_when="request.headers.authorization == 'Bearer x'")
    request = Request(headers=(("authorization", f"Bearer {A}"),))
    before = replace(stored({}, {}, request=request), outcome="both_error", error=CaseError("both", "error_when"))
    assert judge.judged(before) is before


def test_a_difference_that_tokens_hide_is_not_forgotten() -> None:
    # Two spellings of one secret differ as texts, and have one token.
    before = stored({"t": A}, {"t": A}, "deviation", differs("body.t", A, A))
    judge = rejudge()
    assert judge.judged(before) is before
    assert judge.kept == 1


def test_a_difference_beside_tokens_that_a_rule_speaks_for_is_gone() -> None:
    before = stored({"t": A, "n": 1}, {"t": A, "n": 2}, "deviation", differs("body.n", 1, 2))
    judge = rejudge(RuleSpec(at="body.n", ignore=True))
    assert (judge.judged(before).outcome, judge.kept) == ("match", 0)


def test_a_body_that_its_tokens_made_unreadable_is_no_error() -> None:
    # A number that was secret stood without quotes.
    body = f'{{"pin": {A}}}'.encode()
    before = stored(answer(body), answer(body))
    judge = rejudge(RuleSpec(at="body.other", ignore=True))
    assert judge.judged(before) is before


# ----------------------------------------------------------------------------------------------------- noise evidence


def asked_again(*answers: tuple[Difference, ...], body: Any = None) -> Result:
    body = body or {"n": 1, "at": "a"}
    return replace(stored(body, body), again=Again(answers))


def test_further_answers_are_held_against_the_first_one_by_the_new_rules() -> None:
    judge = rejudge(RuleSpec(at="body.n", within=5))
    before = asked_again((differs("body.n", 1, 3),), (differs("body.n", 1, 30),), (), (differs("body.at", "a", "b"),))
    after = judge.judged(before).again
    assert after is not None
    assert [[it.at for it in each] for each in after.answers] == [[], ["body.n"], ["body.at"], []]
    assert after.failed == 0


def test_further_answers_stay_as_they_are_under_the_same_rules() -> None:
    before = asked_again((differs("body.n", 1, 3),))
    assert rejudge(same_rules=True).judged(before) is before


@pytest.mark.parametrize(
    "difference",
    [
        differs("body[?@.a==1].n", 1, 2),
        differs("body.n", 7, 2),
        Difference("body.n", "order", [1], [2], "rule"),
        Difference("body", "text", "a", "b", "rule"),
        Difference("body.n", "value", 1, 2, "rule", against="expect"),
    ],
)
def test_a_further_answer_that_cannot_be_made_again_is_evidence_of_nothing(difference: Difference) -> None:
    after = rejudge().judged(asked_again((difference,), ())).again
    assert after == Again(((),), failed=1)


def test_members_that_came_and_went_are_told_again() -> None:
    gone = Difference("body.n", "missing", 1, MISSING, "r")
    new = Difference("body.m", "extra", MISSING, 1, "r")
    after = rejudge().judged(asked_again((gone, new))).again
    assert after is not None
    assert sorted((it.at, it.kind) for it in after.answers[0]) == [("body.m", "extra"), ("body.n", "missing")]


def test_headers_of_further_answers_are_held_again() -> None:
    first = answer({}, ("etag", "1"))
    again = Again(((Difference("headers.etag", "header", "1", "2", "r"),),))
    judge = rejudge(RuleSpec(at="headers.etag", strict=True))
    after = judge.judged(replace(stored(first, first), again=again)).again
    assert after is not None
    assert [it.new for it in after.answers[0]] == ["2"]


def test_a_value_that_was_dropped_is_never_noise() -> None:
    assert parts_of(differs("body.n", DROPPED, DROPPED + "x")) == ()
    assert parts_of(differs("body.n", 1, DROPPED)) == ()


# -------------------------------------------------------------------------------------------------------------- groups


def grouped(result: Result, *rules: RuleSpec, **group: Any) -> tuple[Membership, ...]:
    judge = Rejudge(watching(*rules), lambda it: it, Grouping({"g": GroupSpec(**group)}, ["g"]), same_rules=True)
    return judge.judged(result).groups


def test_groups_that_nobody_asked_about_in_the_run_are_found_later() -> None:
    before = stored({"kind": "card", "n": 1}, {"kind": "card", "n": 1})
    assert grouped(before, where="body.kind == 'card'", by="body.n") == (Membership("g", "1"),)
    assert grouped(before, where="body.kind == 'cash'") == ()
    skipped = Result(Case("c", "traffic", "d:1", Request("POST", "/a")), "skipped", skipped="not writable")
    assert grouped(skipped, on="POST /a") == (Membership("g"),)


def test_a_case_belongs_to_a_group_that_only_its_secret_would_tell() -> None:
    before = stored({"t": A}, {"t": A})
    assert grouped(before, where="body.t == 'secret'") == (Membership("g"),)
    assert grouped(before, where="body.t == 'secret'", on="GET /other") == ()


def test_a_case_that_stays_as_the_run_judged_it_has_its_groups_all_the_same() -> None:
    assert grouped(stored({"t": A}, {"t": B}), RuleSpec(at="body.t", within=1), on="GET /**") == (Membership("g"),)


# ---------------------------------------------------------------------------------------------------------------- KPIs


def with_kpis(result: Result, **kpis: KpiSpec) -> list[tuple[str, Any, str]]:
    watched = watching()
    prepared = prepare_kpis(kpis)
    rules = replace(watched, referee=replace(watched.referee, kpis=prepared))
    figures = Rejudge(rules, lambda it: it, same_rules=True).judged(result).figures
    return [(it.kpi, it.new, it.new_fault) for it in figures]


def test_a_kpi_that_was_written_later_is_told_from_stored_answers() -> None:
    before = stored({"ok": True}, {"ok": False}, "deviation", differs("body.ok", True, False))
    assert with_kpis(before, ok=KpiSpec(share="body.ok == true")) == [("ok", False, "")]


def test_a_figure_that_the_run_found_in_the_clear_is_kept() -> None:
    spec = KpiSpec(share="body.t == 'secret'")
    before = replace(stored({"t": A}, {"t": A}), figures=(Figure("k", spec.definition, True, True),))
    assert with_kpis(before, k=spec) == [("k", True, "")]


def test_a_kpi_that_asks_about_a_secret_has_no_figure_any_more() -> None:
    told = with_kpis(stored({"t": A}, {"t": A}), k=KpiSpec(share="body.t == 'secret'"))
    assert told == [("k", None, "it asks about a secret, which is a token in the store")]
    request = Request(headers=(("authorization", A),))
    chosen = KpiSpec(share="body.ok == true", where="request.headers.authorization == 'x'")
    assert [it[1] for it in with_kpis(stored({}, {}, request=request), k=chosen)] == [None]


# ----------------------------------------------------------------------------------------------------------- scenarios


def scenario(old: Any, new: Any, outcome: OutcomeName = "match", *differences: Difference) -> Result:
    """Return the result of a login, which answers with a token, and of a second step with these bodies."""
    steps = (Step("login", Request("POST", "/login")), Step("use", Request(path="/use")))
    sides = [
        Observation(200, steps=(Played("login", answer({"token": A}), {"token": A}), Played("use", answer(body))))
        for body in (old, new)
    ]
    case = Case("s", "golden", "s", steps[0].request, steps=steps)
    return Result(case, outcome, sides[0], sides[1], differences)


def test_a_scenario_is_judged_again_step_by_step() -> None:
    judge = rejudge()
    after = judge.judged(scenario({"n": 1}, {"n": 2}))
    assert [(it.at, it.new) for it in after.differences] == [("steps.use.body.n", 2)]
    assert judge.kept == 0
    accepting = rejudge(RuleSpec(at="body.n", within=5))
    assert accepting.judged(replace(after, outcome="deviation")).outcome == "match"
    assert accepting.kept == 0


def test_a_step_at_which_a_rule_meets_a_token_leaves_the_scenario_as_it_was() -> None:
    judge = rejudge(RuleSpec(at="body.token", matches="[0-9]+"))
    before = scenario({"n": 1}, {"n": 1})
    assert judge.judged(before) is before
    assert judge.kept == 1
