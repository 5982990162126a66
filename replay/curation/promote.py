"""A stored case becomes a golden: a file that a reviewer is glad to read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Final

from replay.curation.golden_text import (
    Telling,
    answer_spec,
    dump_yaml,
    inline,
    request_spec,
    rules_spec,
    says_something,
    stays_out,
    steps_spec,
)
from replay.curation.sessions import Session, without_tokens
from replay.errors import InputError
from replay.inert import printable
from replay.models import Case, Expectation, Observation, Request, Result, Side
from replay.placeholders import names_of, secrets_in
from replay.privacy import TOKEN
from replay.sampling import derive_seed

_SLUG: Final = re.compile(r"[^a-z0-9]+")
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)


@dataclass(frozen=True, slots=True)
class Promotion:
    """A golden to be written: its id, which is its path below the folder without the suffix, and its text."""

    id: str
    text: str
    left_out: tuple[str, ...] = ()
    """Headers that hold a secret, which the sides' own settings have to bring."""
    secrets: tuple[str, ...] = ()
    """Names that it gives to secrets of which only tokens are kept."""
    masked: int = 0
    """How many values stand for personal data that was masked: of the same form, and nobody's."""


def promote(
    result: Result,
    *,
    run: str,
    run_seed: int,
    instant: datetime,
    day: date | None = None,
    name: str | None = None,
    why: str | None = None,
    expect: Side | None = None,
    before: Sequence[Result] = (),
    cause: str = "",
    telling: Telling = says_something,
) -> Promotion:
    """Return the golden that holds a stored case fast. Raise InputError where it cannot be one.

    `instant` is the one that the run froze its cases at, `day` the one on which it ran. `cause` is the title of its
    cause, by which the file is called, and which is its `why` where nobody says more. With what came `before` it in
    its session, it is a scenario. Of its headers, those are kept that are `telling` and hold no secret.
    """
    case = result.case
    if case.kind == "golden":
        raise InputError(f"'{case.id}' is a golden already", place=case.place)
    session = Session([*before, result]) if before else None
    made = _without_tokens(case if session is None else session.case())
    made = replace(made, freeze=made.freeze or instant, seed=_seed(case, run_seed))
    golden = dict(
        _document(made, _title(case, made), why or _why(result, f"run {run}, {day or instant.date()}", cause), telling)
    )
    if expect is not None:
        stated = _expectation(result, expect, None if session is None else partial(session.expected, side=expect))
        (golden["steps"][-1] if made.steps else golden)["expect"] = stated
    last = _last(case)
    where = name if name is not None else golden_name(last.method, last.path, cause or case.id)
    return _promotion(case.id, where, dump_yaml(golden), made.requests)


def _promotion(case: str, where: str, text: str, requests: Sequence[Request]) -> Promotion:
    """Return a golden with what a reviewer has to know of it. Raise InputError where it holds tokens of secrets."""
    tokens = [found[0] for found in TOKEN.finditer(text)]
    # What keeps the form of an address or a number is as good as test data; what has none was a secret.
    if any(token.startswith("tok_") and "@" not in token for token in tokens):
        fact = "the case holds secrets in its path or body, of which only tokens are kept"
        raise InputError(f"'{case}' cannot be promoted: {fact}", hint="write the golden by hand, with test data")
    left_out = tuple(dict.fromkeys(name for it in requests for name, value in it.headers if stays_out(name, value)))
    secrets = tuple(dict.fromkeys(name for it in requests for _part, name in secrets_in(it)))
    return Promotion(where, text, left_out, secrets, len({*tokens}))


def _seed(case: Case, run_seed: int) -> int:
    return derive_seed(run_seed, case.origin) if case.seed is None else case.seed


def _document(case: Case, title: str, why: str, telling: Telling) -> Iterator[tuple[str, Any]]:
    """Yield what a golden says, key by key, in the order in which people read it."""
    yield "title", title
    yield "why", why
    # Rules may speak of a case by its tags.
    yield "tags", inline(list(dict.fromkeys(["promoted", *case.tags])))
    if case.freeze is not None:
        yield "freeze", case.freeze.isoformat().replace("+00:00", "Z")
    yield "seed", case.seed
    if case.tick is not None:
        yield "tick", case.tick
    if case.steps:
        yield "steps", steps_spec(case.steps, telling)
    else:
        yield "request", request_spec(case.request, telling)
    if case.rules:
        yield "compare", rules_spec(case.rules)


def _title(case: Case, made: Case) -> str:
    last = _last(case)
    steps = f", the last of {len(made.steps)} requests" if len(made.steps) > 1 else ""
    session = " of a session" if steps and not case.steps else ""
    return f"{last.method} {last.path.partition('?')[0]}{steps}{session}"


def _last(case: Case) -> Request:
    """Return the request that a case is about: a scenario leads up to its last one."""
    return case.steps[-1].request if case.steps else case.request


def _without_tokens(case: Case) -> Case:
    """Return a scenario in which no cookie stands for a secret, and secrets in bodies are names; others as they are."""
    steps = tuple(replace(step, request=without_tokens(step.request)) for step in case.steps)
    return replace(case, steps=steps) if steps else case


def _why(result: Result, run: str, cause: str) -> str:
    """Tell what happened, for the curator to tell why it matters."""
    if cause:
        return f"{cause}; found by {run}"
    if result.error is not None:
        return f"{result.error.side} failed with {result.error.kind} in {run}"
    if real := [difference.at for difference in result.differences if difference.counts]:
        places = ", ".join(dict.fromkeys(real[:3]))
        return f"deviated at {places} in {run}"
    return f"{result.outcome} in {run}"


def golden_name(method: str, path: str, id: str) -> str:  # noqa: A002 - the glossary's word
    """Return where a golden of this route goes: the route's first word as a folder, then the rest and the id.

    A cause may stand in place of the id.
    """
    words = [_slug(part) for part in path.partition("?")[0].split("/") if _slug(part)]
    folder = words[0] if words else "root"
    rest = [_slug(method), *words[1:4], _slug(PurePosixPath(id).name if " " not in id else id)]
    return f"{folder}/{_slug('-'.join(rest), longest=80) or 'case'}"


def _slug(text: str, *, longest: int = 40) -> str:
    slug = _SLUG.sub("-", text.lower()).strip("-")[:longest].strip("-")
    return f"{slug}-" if slug in _RESERVED else slug


def _expectation(result: Result, side: Side, named: Callable[[Observation], Observation] | None) -> dict[str, Any]:
    """Return what a side answered; in a scenario, with names for what earlier steps hand out."""
    answer = result.old if side == "old" else result.new
    if answer is None or answer.error is not None:
        raise InputError(f"{side} gave no answer that could be expected", hint="promote without --expect")
    require_no_names(Expectation(body=answer.body), scenario=named is not None, hint="promote without --expect")
    return answer_spec(answer if named is None else named(answer))


def require_no_names(wanted: Expectation, *, scenario: bool, hint: str = "have a rule ignore it") -> None:
    """Raise InputError where an answer holds `{{names}}`, which in what is expected would mean something else."""
    if next(secrets_in(wanted), None) is not None:
        fact = "what was answered names a secret, and nothing puts one into what is expected"
        raise InputError(fact, hint=hint)
    name = next(names_of(wanted), None) if scenario else None
    if name is not None:
        fact = f"what was answered holds '{{{{{printable(name, 100)}}}}}', which would stand for what a step captures"
        raise InputError(fact, hint=hint)
