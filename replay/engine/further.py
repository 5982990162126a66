"""Old's further answers of a stored run, held against its first one again: made anew of what was kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from replay.documents import ParsedJson, dump_json, parse_json
from replay.engine.again import Learner
from replay.locations import parse_location
from replay.models import MISSING, Again, Difference, Observation, Result


def learned_again(learner: Learner, result: Result, *, trusted: bool) -> Again | None:
    """Return what a case tells of noise under the present rules.

    A further answer that cannot be made of its differences, or if nothing of the case is `trusted`, is evidence of
    nothing. One that did not differ still does not.
    """
    again = result.again
    if again is None or result.old is None:
        return again
    like = sum(not answer for answer in again.answers)
    differing = [answer for answer in again.answers if answer]
    made = [_answer(result.old, answer) for answer in differing] if trusted else []
    whole = [answer for answer in made if answer is not None]
    told = learner.learned(result.case, result.old, whole)
    return Again(
        answers=(*told.answers, *[()] * like),
        failed=again.failed + told.failed + len(differing) - len(whole),
        unlisted=again.unlisted + told.unlisted,
    )


def _answer(first: Observation, differences: Sequence[Difference]) -> Observation | None:
    """Return the answer that departs from the first one by these differences; None where they do not tell it all."""
    answer: Observation | None = first
    body: ParsedJson | None = None
    for difference in differences:
        path = parse_location(difference.at).plain
        if answer is None or path is None or difference.against != "old":
            return None
        if path[0] == "headers":
            answer = _with_header(answer, path, difference)
            continue
        body = body or parse_json(first.body)
        if path[0] != "body" or not body.ok or not _put(body.value, path[1:], difference):
            return None
    return answer if answer is None or body is None else replace(answer, body=dump_json(body.value).encode())


def _with_header(answer: Observation, path: Sequence[str | int], difference: Difference) -> Observation | None:
    names = [name.lower() for name, _ in answer.headers]
    told = str(path[1]).lower() if len(path) == 2 else ""  # noqa: PLR2004 - headers, and the name of one
    if names.count(told) != 1 or not isinstance(difference.new, str) or difference.kind not in ("value", "header"):
        return None
    headers = tuple((name, difference.new if name.lower() == told else value) for name, value in answer.headers)
    return replace(answer, headers=headers)


def _put(body: Any, path: Sequence[str | int], difference: Difference) -> bool:
    """Put into a body what a further answer said at one place; tell whether that could be done."""
    node = body
    for step in path[:-1]:
        node = _child(node, step)
    if not path or difference.kind not in ("value", "type", "missing", "extra"):
        return False
    last = path[-1]
    if isinstance(node, dict) and isinstance(last, str) and _child(node, last) == difference.old:
        if difference.new is MISSING:
            del node[last]
        else:
            node[last] = difference.new
        return True
    if isinstance(node, list) and isinstance(last, int) and difference.kind in ("value", "type"):
        if _child(node, last) != difference.old:
            return False
        node[last] = difference.new
        return True
    return False


def _child(node: Any, step: str | int) -> Any:
    if isinstance(node, dict) and isinstance(step, str):
        return node.get(step, MISSING)
    if isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
        return node[step]
    return MISSING
