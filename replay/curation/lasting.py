"""Whether an answer will be given again: ids, tokens and times that an earlier run was told otherwise will not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from replay.curation.stating import Part
from replay.documents import dump_json, parse_json
from replay.identifiers import looks_minted
from replay.models import Json, Observation


def as_told_to(part: Part, other: Part) -> Part:
    """Return an answer with the ids, tokens and times that another run was told in their places, and what it captured.

    Whatever else differs stays: the data behind a service may have changed in between.
    """
    told = _Told(part.captured, other.captured)
    headers = {name.lower(): value for name, value in other.answer.headers}
    answer = replace(
        part.answer,
        headers=tuple(
            (name, told.text(value, headers.get(name.lower(), value))) for name, value in part.answer.headers
        ),
        body=told.body(part.answer, other.answer),
    )
    return replace(part, answer=answer, captured=other.captured)


class _Told:
    """Puts the ids, tokens and times of one run's answer in the place of another's."""

    def __init__(self, captured: Mapping[str, Json], others: Mapping[str, Json]) -> None:
        self._values = [(value, others[name]) for name, value in captured.items() if name in others]

    def body(self, answer: Observation, other: Observation) -> bytes:
        one, two = parse_json(answer.body, spelled=True), parse_json(other.body, spelled=True)
        if not (answer.body and one.ok and two.ok) or one.findings or two.findings:
            return answer.body
        return dump_json(self._value(one.value, two.value)).encode("utf-8", "surrogatepass")

    def _value(self, one: Any, two: Any) -> Any:
        if isinstance(one, dict) and isinstance(two, dict):
            keys = self._keys(one, two)
            return {keys[key]: self._value(value, two.get(keys[key], value)) for key, value in one.items()}
        if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
            return [self._value(value, other) for value, other in zip(one, two, strict=True)]
        if isinstance(one, str) and isinstance(two, str):
            return self.text(one, two)
        return two if (one, two) in self._values else one

    def _keys(self, one: Mapping[str, Any], two: Mapping[str, Any]) -> Mapping[str, str]:
        """Return what keys are called in the other answer, where one key each has only another name there."""
        gone, come = [key for key in one if key not in two], [key for key in two if key not in one]
        pairs = zip(gone, come, strict=True) if len(gone) == len(come) else ()
        return {key: key for key in one} | {key: self.text(key, other) for key, other in pairs}

    def text(self, one: str, two: str) -> str:
        """Return the other run's text where it is only another name or another time."""
        if one == two or (looks_minted(one) and looks_minted(two)) or (_is_time(one) and _is_time(two)):
            return two
        swapped = one
        for value, other in self._values:
            if isinstance(value, str | int) and not isinstance(value, bool):
                swapped = swapped.replace(str(value), str(other))
        return two if swapped == two else one


def _is_time(text: str) -> bool:
    """Tell whether a text is an instant with its time of day."""
    if len(text) < len("2024-02-29T00:00") or not text[0].isdecimal():
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
