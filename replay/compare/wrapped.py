"""Texts within a document that are documents themselves: `at: body.payload, as: [base64, json]`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from replay.compare.formats import Content, Flaw, Reading, Unwrapped, read_as
from replay.compare.formats.csv_rows import MOST_LISTED
from replay.compare.text import describe_bytes
from replay.locations import ROOT, Machine, Path, State, parse_location, print_location
from replay.models import Json, ReadStep

_TOO_DEEP: Final = Flaw("too_deep", "nested too deeply to be searched for texts to read")


@dataclass(frozen=True, slots=True)
class Wrapping:
    """What one rule says: the text at this location is to be read so."""

    at: str
    steps: tuple[ReadStep, ...]
    rule: str


@dataclass(frozen=True)
class Wrappings:
    """What all rules of a case say of texts within its bodies; the last that matches a text counts."""

    each: tuple[Wrapping, ...]
    spelled: bool = field(default=False)

    @cached_property
    def _machine(self) -> Machine:
        return Machine([parse_location(it.at) for it in self.each])

    def unwrap(self, reading: Reading) -> Reading:
        """Return the reading with its texts read. What cannot be read so is a flaw, and stays a text."""
        if not self.each or reading.kind not in ("json", "rows"):
            return reading
        reading = _listed(reading)
        found = _Search(self.each, self.spelled)
        try:
            value = found.node(reading.value, (ROOT, "body"), self._machine.start.key("body"))
        except RecursionError:
            return replace(reading, flaws=(*reading.flaws, _TOO_DEEP))
        # The texts that were read may hold booleans.
        flaws, unwrapped = (*reading.flaws, *found.flaws), tuple(found.unwrapped)
        return replace(reading, value=value, flaws=flaws, unwrapped=unwrapped, without_booleans=None)


def _listed(reading: Reading) -> Reading:
    if reading.kind != "rows":
        return reading
    if len(reading.value) > MOST_LISTED:
        flaw = Flaw("csv", f"more than {MOST_LISTED:,} rows: too many to be taken apart here")
        return replace(reading, flaws=(*reading.flaws, flaw))
    return replace(reading, kind="json", value=reading.value.listed())


UNWRAPPED: Final = Wrappings(())


class _Search:
    """One document searched; what changes is copied, and nothing else."""

    def __init__(self, each: Sequence[Wrapping], spelled: bool) -> None:  # noqa: FBT001 - it says what numbers are
        self._each = each
        self._spelled = spelled
        self.flaws: list[Flaw] = []
        self.unwrapped: list[Unwrapped] = []

    def node(self, value: Json, at: Path, state: State) -> Json:
        """Return what stands here, with every text read that a rule speaks of."""
        if state.accepts and isinstance(value, str):
            value = self._read(value, at, self._each[state.accepts[-1]])
        if state.deepest < 0:
            return value
        if isinstance(value, dict):
            return {
                name: self.node(it, (at, name), _met(state, state.key(name), it, -1, 0)) for name, it in value.items()
            }
        if isinstance(value, list):
            return [
                self.node(it, (at, n), _met(state, state.index(n), it, n, len(value))) for n, it in enumerate(value)
            ]
        return value

    def _read(self, text: str, at: Path, wrapping: Wrapping) -> Json:
        reading = _listed(read_as(wrapping.steps, Content(text, spelled=self._spelled)))
        place = print_location(at)
        self.flaws += [Flaw(it.name, f"{place}: {it.message}") for it in reading.flaws]
        self.unwrapped.append(Unwrapped(at, wrapping.rule, hash(text)))
        return _value(reading, text)


def _value(reading: Reading, text: str) -> Json:
    match reading.kind:
        case "json" | "text":
            return reading.value
        case "bytes":
            return describe_bytes(reading.value)
        case _:
            return text


def _met(state: State, below: State, value: Json, index: int, count: int) -> State:
    return state.with_tests(below, [value], index, count) if state.tests else below
