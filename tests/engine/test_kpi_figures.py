"""What one case tells of a KPI: a figure on each side, or the reason why there is none."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from replay.compare import Comparison, rule_book
from replay.engine import Referee
from replay.engine.kpis import prepare_kpis
from replay.engine.telling import MOST_OVERDUE, Called
from replay.errors import InputError
from replay.models import Case, CaseKind, Failure, Figure, GroupSpec, Json, KpiSpec, Observation, Request
from replay.privacy import Tokeniser, redact

JSON = (("content-type", "application/json"),)


def answer(body: Any, status: int = 200) -> Observation:
    text = body if isinstance(body, str) else json.dumps(body)
    return Observation(status, (*JSON, ("X-Cost", "3")), text.encode())


def figure(
    old: Observation | None, new: Observation, *, request: Request | None = None, kind: CaseKind = "traffic",
    groups: dict[str, GroupSpec] | None = None, root: Path | None = None, **spec: Any,
) -> Figure | None:  # fmt: skip
    kpis = prepare_kpis({"k": KpiSpec.model_validate(spec)}, groups, root)
    referee = Referee(Comparison(rule_book(()), {"old": None, "new": None}), kpis=kpis)
    found = referee.result(Case("c", kind, "c", request or Request()), old, new).figures
    return found[0] if found else None


def of(body: Any, **spec: Any) -> tuple[Json, str]:
    """Return what an answer tells, and its fault."""
    found = figure(answer({"fee": 1, "ok": True}), answer(body), **spec)
    assert found is not None
    return found.new, found.new_fault


def test_each_side_is_told_by_its_own_answer() -> None:
    found = figure(answer({"outcome": "approved"}), answer({"outcome": "declined"}), share="body.outcome == 'approved'")
    assert found is not None
    assert (found.old, found.new) == (True, False)


@pytest.mark.parametrize(
    "spec", [{"sum": "body.fee"}, {"mean": "body.fee"}, {"quantile": {"of": "body.fee", "q": 0.9}}]
)
def test_a_number_keeps_its_digits(spec: dict[str, Any]) -> None:
    assert of('{"fee": 0.1000000000000000000000000001}', **spec) == (Decimal("0.1000000000000000000000000001"), "")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, "body.fee is missing"),
        ([], "body.fee is missing"),
        ({"fee": None}, "body.fee is null"),
        ({"fee": "1.5"}, "body.fee is a text, and no number"),
        ({"fee": True}, "body.fee is true or false, and no number"),
        ({"fee": [1]}, "body.fee is an array, and no number"),
        ('{"fee": 1e999}', "body.fee is beyond all computing"),
        ('{"fee": -1e61}', "body.fee is beyond all computing"),
        ('{"fee": 1e-61}', "body.fee is beyond all computing"),
        ('{"fee": 1e-999999}', "body.fee is beyond all computing"),
    ],
)
def test_what_is_no_number_is_told_and_never_taken_for_one(body: Any, fault: str) -> None:
    assert of(body, sum="body.fee") == (None, fault)


@pytest.mark.parametrize("body", [{}, {"fee": None}])
def test_settings_may_say_what_an_answer_without_the_number_counts(body: Any) -> None:
    assert of(body, sum="body.fee", missing=0) == (0, "")


def test_a_text_is_a_fault_whatever_the_missing_ones_count() -> None:
    assert of({"fee": "free"}, sum="body.fee", missing=0)[1] == "body.fee is a text, and no number"


def test_several_values_are_no_figure() -> None:
    body = {"fees": [{"of": "card", "is": 1}, {"of": "card", "is": 2}]}
    assert of(body, sum="body.fees[?@.of=='card'].is") == (None, "body.fees[?@.of=='card'].is selects several values")


def test_statuses_and_latencies_have_figures_too() -> None:
    assert of({}, mean="status") == (200, "")
    assert of({}, mean="headers.X-Cost")[1] == "headers.X-Cost is a text, and no number"


@pytest.mark.parametrize("spec", [{"share": "body.outcome != 'declined'"}, {"sum": "body.fee", "missing": 0}])
@pytest.mark.parametrize(
    "failed",
    [Observation(error=Failure("timeout")), answer({"fee": 9}, 503), answer('{"fee": 9'), answer('{"fee": NaN}')],
)
def test_a_side_that_failed_has_no_figure_whatever_it_said(failed: Observation, spec: dict[str, Any]) -> None:
    found = figure(answer({"fee": 1}), failed, **spec)
    assert found is not None
    assert (found.new, found.new_fault) == (None, "")
    assert found.old is not None


def test_goldens_tell_of_no_kpi() -> None:
    assert figure(answer({}), answer({}), kind="golden", share="body.ok") is None


def test_a_case_without_old_says_so() -> None:
    found = figure(None, answer({"fee": 1}), sum="body.fee")
    assert found is not None
    assert (found.old, found.old_fault, found.new) == (None, "it was not asked", 1)


@pytest.mark.parametrize(
    ("more", "speaks"),
    [
        ({"on": "POST /pay"}, True),
        ({"on": "GET /pay"}, False),
        ({"on": "large"}, True),
        ({"where": "request.json.amount > 99"}, True),
        ({"where": "request.json.amount > 100"}, False),
        ({"tag": "money"}, False),
    ],
)
def test_a_kpi_speaks_of_the_cases_that_its_requests_tell(more: dict[str, Any], *, speaks: bool) -> None:
    groups = {"large": GroupSpec(where="request.json.amount >= 100")}
    request = Request("POST", "/pay", JSON, b'{"amount": 100}')
    found = figure(answer({"fee": 1}), answer({"fee": 1}), request=request, groups=groups, sum="body.fee", **more)
    assert (found is not None) == speaks


def test_equal_answers_have_figures_as_others_do() -> None:
    found = figure(answer({"fee": 1}), answer({"fee": 1}), sum="body.fee")
    assert found == Figure("k", KpiSpec(sum="body.fee").definition, 1, 1)


# settings that make no sense


@pytest.mark.parametrize(
    ("spec", "fact"),
    [
        ({}, "exactly one of share, count, sum, mean, quantile, and this one has none"),
        ({"share": "body.ok", "sum": "body.fee"}, "this one has share and sum"),
        ({"share": "body.ok", "missing": 0}, "missing does not go with share"),
        ({"quantile": {"of": "body.fee", "q": 1}}, "less than 1"),
        ({"quantile": {"of": "body.fee", "q": True}}, "this is no number"),
        ({"sum": "body.fee", "missing": "0"}, "this is no number"),
    ],
)
def test_a_kpi_is_one_figure(spec: dict[str, Any], fact: str) -> None:
    with pytest.raises(ValueError, match=fact):
        KpiSpec.model_validate(spec)


@pytest.mark.parametrize(
    ("name", "spec", "fact"),
    [
        ("auth rate", {"share": "body.ok"}, "'auth rate' is no name"),
        ("k", {"share": "body.ok", "where": "status == 200"}, "chooses its cases by what was answered: 'status'"),
        ("k", {"share": "body.ok", "where": "@.body.ok"}, "chooses its cases by what was answered: 'body'"),
        ("k", {"share": "body.ok", "on": "fine"}, "chooses its cases by what was answered: 'status'"),
        ("k", {"share": "ok == 1"}, "'ok' is nothing that an expression can ask about"),
        ("k", {"sum": "body.lines[*].fee"}, "selects several"),
        ("k", {"sum": "body..fee"}, "selects several"),
        ("k", {"sum": "fee"}, "starts at 'fee'"),
        ("k", {"mean": "nowhere_at_all:clicks"}, "KPI 'k': nowhere_at_all is not in the project's folder"),
        ("k", {"on": "fin", "share": "body.ok"}, "'fin' is neither a route nor a group"),
    ],
)
def test_a_kpi_that_makes_no_sense_is_told_before_anything_is_sent(
    name: str, spec: dict[str, str], fact: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        prepare_kpis({name: KpiSpec.model_validate(spec)}, {"fine": GroupSpec(where="status == 200")}, tmp_path)
    assert fact in caught.value.fact


# functions


FUNCTIONS = """
from decimal import Decimal


def clicks(request, answer):
    return sum(1 for hit in answer["body"]["hits"] if hit == request["query"]["q"])


def spoils(request, answer):
    answer["body"].clear()
    return 1


def raises(request, answer):
    raise ValueError("no such hit")


def leaves(request, answer):
    raise SystemExit(3)


def nothing(request, answer):
    return None


def text(request, answer):
    return "1"


def endless(request, answer):
    return float("inf")


def odd(request, answer):
    return Decimal("sNaN")


def found(request, answer):
    return bool(answer["body"]["hits"])
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with functions of a team's own."""
    (tmp_path / "kpi_evidence.py").write_text(FUNCTIONS, "utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "kpi_evidence", raising=False)
    return tmp_path


def called(project: Path, function: str, kind: str = "mean") -> tuple[Json, str]:
    request = Request("GET", "/search?q=tea")
    spec: dict[str, Any] = {kind: f"kpi_evidence:{function}"}
    seen = answer({"hits": ["tea", "pot", "tea"]})
    found = figure(seen, seen, request=request, root=project, **spec)
    assert found is not None
    return found.new, found.new_fault


def test_a_function_is_given_the_request_and_the_answer(project: Path) -> None:
    assert called(project, "clicks") == (2, "")
    assert called(project, "found", "share") == (True, "")


@pytest.mark.parametrize(
    ("function", "kind", "fault"),
    [
        ("raises", "mean", "kpi_evidence:raises raised ValueError: no such hit"),
        ("leaves", "mean", "kpi_evidence:leaves raised SystemExit: 3"),
        ("nothing", "mean", "kpi_evidence:nothing said nothing"),
        ("text", "mean", "kpi_evidence:text is a text, and no number"),
        ("endless", "mean", "kpi_evidence:endless is beyond all computing"),
        ("odd", "mean", "kpi_evidence:odd is beyond all computing"),
        ("found", "mean", "kpi_evidence:found is true or false, and no number"),
        ("clicks", "share", "kpi_evidence:clicks said neither true nor false"),
    ],
)
def test_whatever_else_a_function_does_is_a_fault(project: Path, function: str, kind: str, fault: str) -> None:
    assert called(project, function, kind) == (None, fault)


def test_a_function_cannot_spoil_what_others_see(project: Path) -> None:
    specs = {"a": {"mean": "kpi_evidence:spoils"}, "b": {"share": "body.hits"}}
    kpis = prepare_kpis({name: KpiSpec.model_validate(spec) for name, spec in specs.items()}, root=project)
    referee = Referee(Comparison(rule_book(()), {"old": None, "new": None}), kpis=kpis)
    found = referee.result(Case("c", "traffic", "c", Request()), answer({"hits": [1]}), answer({"hits": [1]})).figures
    assert [(each.old, each.new) for each in found] == [(1, 1), (True, True)]


def test_a_function_without_end_is_ended_and_not_called_for_ever() -> None:
    calls = []

    def endless(_request: Any, _answer: Any) -> None:
        calls.append(1)
        while True:
            try:
                while True:
                    pass
            except Exception:  # noqa: BLE001, S110 - as careless as a team's own code may be
                pass

    teller = Called("m:endless", endless, holds=False, seconds=0.02)
    faults = [teller({"request": {}})[1] for _ in range(MOST_OVERDUE + 2)]
    assert faults[0] == "m:endless took longer than 0.02 s"
    assert "is not called any more" in faults[-1]
    assert len(calls) == MOST_OVERDUE


# privacy


def test_a_secret_in_a_figure_or_a_fault_is_kept_nowhere() -> None:
    case = Case("c", "traffic", "c", Request(headers=(("authorization", "Bearer 4711471147114711"),)))
    referee = Referee(
        Comparison(rule_book(()), {"old": None, "new": None}),
        kpis=prepare_kpis({"k": KpiSpec(sum="body.n"), "f": KpiSpec(mean="body.n")}),
    )
    result = referee.result(case, answer('{"n": 4711471147114711}'), answer({"n": 1}))
    kept = redact(result, Tokeniser(b"k" * 32))
    assert (kept.figures[0].old, kept.figures[0].new) == (None, 1)
    assert kept.figures[0].old_fault == "it is a secret, which is not kept"
    assert "4711471147114711" not in repr(kept)
