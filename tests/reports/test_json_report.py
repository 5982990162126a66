"""The JSON report keeps its contract."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from replay.models import Case, Difference, Request, Result, Verdict
from replay.reports import REPORTS

Report = Callable[..., str]
CONTRACT = ["version", "run", "verdict", "exit_code", "gate", "criteria", "counts", "clock", "latency", "clusters"]


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    document = json.loads((files("replay") / "schemas" / "report.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def test_the_report_meets_the_shipped_schema(
    run: object, hostile_run: object, report: Report, schema: Draft202012Validator
) -> None:
    for each in (run, hostile_run):
        schema.validate(json.loads(report(each, "json")))


@pytest.mark.parametrize("key", [*CONTRACT, "results"])
def test_the_schema_asks_for_every_key_of_the_contract(
    run: object, report: Report, schema: Draft202012Validator, key: str
) -> None:
    document = json.loads(report(run, "json"))
    del document[key]
    assert not schema.is_valid(document)


def test_the_keys_stand_in_the_order_of_the_contract_and_results_last(run: object, report: Report) -> None:
    document = json.loads(report(run, "json"))
    assert list(document)[: len(CONTRACT)] == CONTRACT
    assert list(document)[-1] == "results"
    for result in document["results"]:
        assert list(result)[:7] == ["id", "kind", "correlation_id", "outcome", "flags", "error", "differences"]


def test_the_contract_is_filled_from_the_run(run: object, report: Report) -> None:
    document = json.loads(report(run, "json"), parse_float=Decimal)
    assert (document["verdict"], document["exit_code"], document["gate"]) == ("NO-GO", 1, "cutover")
    assert document["counts"] == {
        "loaded": 7,
        "compared": 4,
        "matched": 2,
        "deviating": 1,
        "noise": 1,
        "waived": 0,
        "errored": 2,
        "skipped": 1,
    }
    assert document["clock"] == {"old": "frozen", "new": "not frozen"}
    assert document["clusters"][2]["locations"] == ["body.items[*].id", "body.fee"]
    assert [each.get("cause") for each in document["results"]] == [2, None, None, None, 1, 0, None]
    assert [each["outcome"] for each in document["results"]].count("new_error") == 1
    assert document["results"][4]["error"] == {"side": "new", "kind": "timeout"}


def test_a_missing_value_has_no_key_and_a_null_has_one(run: Any, report: Report) -> None:
    null = replace(run.results[0], differences=(Difference("a", "value", None, 1, "d"),))
    (gone,) = [
        each for each in json.loads(report(run, "json"))["results"][0]["differences"] if each["kind"] == "missing"
    ]
    (kept,) = json.loads(report(replace(run, results=(null,)), "json"))["results"][0]["differences"]
    assert "new" not in gone
    assert kept["old"] is None


def test_numbers_keep_their_digits(run: object, report: Report) -> None:
    assert '"old":9.90,"new":9.9000' in report(run, "json")


def test_bounds_that_are_not_finite_are_null(run: object, report: Report) -> None:
    assert json.loads(report(run, "json"))["criteria"][2]["interval"] == [None, 0.004]


def test_the_report_is_ascii_and_strict_json(hostile_run: object, report: Report) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    text = report(hostile_run, "json")
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    json.loads(text, parse_constant=refuse)


def test_a_run_without_results_is_whole_json(run: Any, report: Report) -> None:
    assert json.loads(report(replace(run, results=()), "json"))["results"] == []


def test_a_run_without_a_gate_has_a_null_one(run: Any, report: Report) -> None:
    assert json.loads(report(replace(run, verdict=Verdict("GO", ())), "json"))["gate"] is None


def test_results_are_written_one_by_one(run: Any) -> None:
    out = io.StringIO()
    lengths: list[int] = []

    class Watched:
        def __iter__(self) -> Iterator[Result]:
            for number in range(3):
                lengths.append(len(out.getvalue()))
                yield Result(Case(f"{number}", "traffic", f"{number}", Request()), "match")

    REPORTS["json"]().write(out, run.summary, Watched(), run.verdict)
    assert lengths[0] < lengths[1] < lengths[2]
    ids: list[Any] = [each["id"] for each in json.loads(out.getvalue())["results"]]
    assert ids == ["0", "1", "2"]
