"""What rules did in a run: those that matched nothing, that never had a say, and that hid every body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from replay.compare import Comparison, traced_book
from replay.engine.usage import findings, usage
from replay.models import Case, Observation, Request, Result, RuleSpec

KIND = (("content-type", "application/json"),)
TERMS = {"until": "9999-12-31", "owner": "o", "why": "w"}


Told = list[tuple[int, str, bool]]


def found(old: Any, new: Any, *rules: dict[str, Any], paths: tuple[str, ...] = ("/a", "/b")) -> Told:
    specs = [RuleSpec.model_validate(rule) for rule in rules]
    book = traced_book(specs)
    mine, theirs = (Observation(200, KIND, json.dumps(body).encode()) for body in (old, new))
    results = [Result(Case(path, "traffic", path, Request("GET", path)), "match", mine, theirs) for path in paths]
    used = usage(specs, book, Comparison(book, {"old": None, "new": None}), results)
    assert used.cases == len(paths)
    return [(it.index, it.problem, it.grave) for it in findings(specs, used)]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"at": "body.a", "within": 1}, []),
        ({"at": "body.zz", "within": 1}, [(0, "unused", False)]),
        ({"at": "body.a", "within": 1, "on": "GET /nowhere"}, [(0, "unused", False)]),
        ({"at": "body.b", "within": 1}, [(0, "shadowed", False)]),
        ({"at": "body.a", "waive": TERMS}, []),
        ({"at": "body.c", "waive": TERMS}, [(0, "unused", False)]),
        ({"at": "body.a", "within": 5}, [(0, "wide", False)]),
        ({"at": "body.a", "within": [1, 2]}, [(0, "wide", False)]),
        ({"at": "body", "ignore": True, "on": "GET /a"}, [(0, "hides", False)]),
        ({"at": "body", "ignore": True, "on": "GET /*"}, [(0, "hides", True)]),
    ],
)
def test_a_run_shows_what_a_rule_does(rule: dict[str, Any], told: Told) -> None:
    rules = [rule, {"at": "body.b", "strict": True}] if rule["at"] != "body" else [rule]
    assert found({"a": 2, "b": 1, "c": 1}, {"a": 1, "b": 1, "c": 1}, *rules) == told


def test_a_run_without_a_case_shows_nothing() -> None:
    assert found({}, {}, {"at": "body.a", "within": 1}, paths=()) == []
