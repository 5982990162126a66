"""What is wrong with a set of goldens: what says nothing, what is there twice, what is dead, and what is flaky."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from replay.curation.facets import seen_of
from replay.curation.golden_text import says_something
from replay.models import Case, OutcomeName, Result
from replay.routes import route_of

Problem = Literal["why", "tags", "shape", "duplicate", "dead", "flaky", "similar", "unvisited"]
NOTES: Final[frozenset[Problem]] = frozenset({"similar", "unvisited"})
"""Problems that may well be meant, and fail no check."""
_TAG: Final = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a golden."""

    problem: Problem
    fact: str

    @property
    def is_note(self) -> bool:
        """Tell whether it may well be meant."""
        return self.problem in NOTES


@dataclass(slots=True)
class Past:
    """What became of one golden in the last runs, the newest first.

    `versions` names what was put to the test in a run, and by what: two runs with one name should come to one outcome.
    """

    runs: list[tuple[str, str, OutcomeName]] = field(default_factory=list)
    """Of each run that had it as it is now: the run, its versions, and the outcome."""
    newest: Result | None = None
    missed: int = 0
    """Runs over all goldens that did not compare it."""

    @property
    def outcome(self) -> OutcomeName | None:
        """Return the newest outcome."""
        return None if self.newest is None else self.newest.outcome


@dataclass(frozen=True, slots=True)
class Entry:
    """A golden in the list."""

    case: Case
    outcome: OutcomeName | None
    findings: tuple[Finding, ...]


def catalogue(cases: Sequence[Case], past: Mapping[str, Past], visited: Collection[str]) -> list[Entry]:
    """Return each golden with what is wrong with it; `visited` are the routes of the traffic, none where unknown."""
    twins = _twins(cases, past)
    titles: dict[str, str] = {}
    return [
        Entry(
            case,
            past[case.id].outcome if case.id in past else None,
            (*_lint(case, titles), *_of_the_past(case, past.get(case.id, Past()), visited), *twins.get(case.id, ())),
        )
        for case in cases
    ]


def _lint(case: Case, titles: dict[str, str]) -> Iterator[Finding]:
    if not case.why.strip():
        yield Finding("why", "does not say why it is worth keeping")
    elif case.why.strip() == case.title.strip():
        yield Finding("why", "says no more than the title")
    if not case.tags:
        yield Finding("tags", "has no tag to select it by")
    for tag in case.tags:
        if not _TAG.fullmatch(tag):
            yield Finding("tags", f"the tag '{tag}' is no word in small letters, digits and hyphens")
    yield from _shape(case, titles)


def _shape(case: Case, titles: dict[str, str]) -> Iterator[Finding]:
    if not case.title.strip():
        yield Finding("shape", "has no title")
    elif (other := titles.setdefault(case.title, case.id)).partition("#")[0] != case.id.partition("#")[0]:
        yield Finding("shape", f"has the title of {other}")
    needless = [name for request in case.requests for name, value in request.headers if _says_nothing(name, value)]
    if needless:
        yield Finding("shape", f"sends headers that say nothing: {', '.join(dict.fromkeys(needless))}")


def _says_nothing(name: str, value: str) -> bool:
    return not says_something(name.lower(), value)


def _of_the_past(case: Case, past: Past, visited: Collection[str]) -> Iterator[Finding]:
    if past.missed and not past.runs:
        runs = "the last run" if past.missed == 1 else f"the last {past.missed} runs"
        yield Finding("dead", f"was not compared in {runs} over all goldens")
    by_versions: dict[str, dict[OutcomeName, str]] = {}
    for run, versions, outcome in past.runs:
        by_versions.setdefault(versions, {}).setdefault(outcome, run)
    for outcomes in by_versions.values():
        if len(outcomes) > 1:
            told = ", ".join(f"{outcome} in {run}" for outcome, run in outcomes.items())
            yield Finding("flaky", f"of the same versions came to {told}")
            break
    if visited and route_of(case.request) not in visited:
        yield Finding("unvisited", f"the traffic has no {route_of(case.request)}")


# ---------------------------------------------------------------------------------------------------------- duplicates


def _twins(cases: Sequence[Case], past: Mapping[str, Past]) -> dict[str, list[Finding]]:
    """Return which goldens ask and are answered as an earlier one, whatever they are called."""
    first: dict[str, Case] = {}
    found: dict[str, list[Finding]] = {}
    for case in cases:
        mark = fingerprint(case, past[case.id].newest if case.id in past else None)
        twin = first.setdefault(mark, case) if mark is not None else case
        if twin is not case:
            found[case.id] = [_twin(case, twin)]
    return found


def _twin(case: Case, other: Case) -> Finding:
    if (case.requests, case.freeze, case.seed) == (other.requests, other.freeze, other.seed):
        return Finding("duplicate", f"asks the same as {other.id}, and is answered the same")
    if case.requests == other.requests:
        return Finding("similar", f"asks the same as {other.id} at another instant or seed, and is answered the same")
    return Finding("similar", f"is answered as {other.id} is, and asks for nothing else but in its values")


def fingerprint(case: Case, result: Result | None) -> str | None:
    """Return what a golden shows of how old behaves: the shape of its requests, and the answer to the byte.

    None where nothing was answered.
    """
    if result is None or result.old is None or result.old.error is not None:
        return None
    seen = seen_of(case, result.old, {})
    shown = (seen.route, sorted(seen.facets), sorted(seen.words), case.expect, case.rules)
    answers = [result.old, *(played.seen for played in result.old.steps)]
    whole = hashlib.sha256(repr(shown).encode("utf-8", "surrogatepass"))
    for answer in answers:
        whole.update(repr((answer.status, hashlib.sha256(answer.body).hexdigest())).encode())
    return whole.hexdigest()
