"""One case compared, from what two services answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from replay.compare import Compared, Comparison, Pair, rule_book
from replay.models import Case, Expectation, Headers, Observation, Request, RuleSpec

JSON = "application/json"


def _answer(body: Any, kind: str | None, headers: Headers, status: int | None) -> Observation:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = (*headers, *((("Content-Type", kind),) if kind is not None else ()))
    return Observation(status=status, headers=named, body=content)


def _compare(  # a case has that many sides to it
    old: Any = b"",
    new: Any = b"",
    *rules: Mapping[str, Any],
    kind: str | None = JSON,
    kinds: tuple[str | None, str | None] | None = None,
    headers: tuple[Headers, Headers] = ((), ()),
    statuses: tuple[int | None, int | None] = (200, 200),
    request: Request | None = None,
    golden: Sequence[Mapping[str, Any]] = (),
    expect: Expectation | None = None,
    bases: tuple[str | None, str | None] = ("http://old.test:8001", "http://new.test:8002"),
    root: Path | None = None,
) -> Compared:
    specs = [RuleSpec.model_validate(rule) for rule in rules]
    own = tuple(RuleSpec.model_validate(rule) for rule in golden)
    case = Case("it", "golden", "it", request or Request(), rules=own, expect=expect)
    ours, theirs = kinds or (kind, kind)
    pair = Pair(case, _answer(old, ours, headers[0], statuses[0]), _answer(new, theirs, headers[1], statuses[1]))
    return Comparison(rule_book(specs, root=root), {"old": bases[0], "new": bases[1]}).compare(pair)


@pytest.fixture(scope="session")
def compare() -> Callable[..., Compared]:
    """Return how to compare two bodies under rules: JSON of any value, or bytes as they are."""
    return _compare


@pytest.fixture(scope="session")
def told() -> Callable[..., list[tuple[str, str]]]:
    """Return how to compare, and see of each difference its location and kind."""
    return lambda *args, **more: [(it.at, it.kind) for it in _compare(*args, **more).differences]
