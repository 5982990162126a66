"""What goldens may expect from now on, written where they say it: by request, by step, by row, or in a CSV file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from replay.cases import read_goldens
from replay.cases.each import Row, rows_of
from replay.cli.approving import Approved
from replay.curation.alike import said_alike
from replay.curation.changes import Change, Desk, held
from replay.curation.csv_rows import require_same_rows, with_expected
from replay.curation.rewriting import with_values
from replay.curation.stating import built, same_expectation
from replay.documents import Document, read_yaml
from replay.errors import InputError
from replay.models import Case, Expectation

Said = Mapping[str, Mapping[str, Any]]
"""What is expected, as a file says it, by step; the step of a golden of one request is empty."""

_Wanted = tuple[Sequence[str | int], Mapping[str, Any]]
"""Where in a file something is expected, and what."""


def written(found: Sequence[Approved], desk: Desk) -> list[Approved]:
    """Write what may be expected from now on, file by file; what could not be written is told with its error."""
    by_file: dict[Path, list[Approved]] = {}
    for each in found:
        if each.approval.expect:
            # As people would type it from here.
            by_file.setdefault(Path(os.path.relpath(each.case.place)), []).append(each)
    errors: dict[str, InputError] = {}
    for path, approved in by_file.items():
        try:
            said = {each.case.id: each.approval.expect for each in approved}
            desk.make(*_Golden(path, held(path) or b"", said).changes())
        except InputError as error:
            errors |= dict.fromkeys((each.case.id for each in approved), error)
    return [replace(each, error=errors.get(each.case.id)) for each in found]


@dataclass(frozen=True)
class _Golden:
    """A golden's file, and what was approved of its cases, by their ids."""

    path: Path
    before: bytes
    approved: Mapping[str, Said]

    def changes(self) -> Iterator[Change]:
        """Yield what its files are to hold. Raise InputError where one cannot be changed safely."""
        with _safely(self.path):
            shared = self._shared
            rows = {row: rest for row, said in self._by_row.items() if (rest := _without(said, shared))}
            if values := [*self._at_steps(shared), *self._at_rows({} if self._rows_file else rows)]:
                yield self._change(values)
        if self._rows_file and rows:
            with _safely(self._rows_file):
                yield _csv_change(self._rows_file, rows)

    def _change(self, values: Sequence[_Wanted]) -> Change:
        after = with_values(self.before.decode("utf-8"), values).encode()
        _require_said(self._cases, read_goldens(after, self._name, self.path), self._expected)
        return Change(self.path, self.before, after)

    # ------------------------------------------------------------------------------------------------ what stands there

    @property
    def _name(self) -> str:
        return next(iter(self.approved)).partition("#")[0]

    @cached_property
    def _cases(self) -> Sequence[Case]:
        return read_goldens(self.before, self._name, self.path)

    @cached_property
    def _document(self) -> Document:
        return read_yaml(self.before, str(self.path))

    @cached_property
    def _rows(self) -> Sequence[Row]:
        each = self._document.mapping().get("each")
        return () if each is None else rows_of(each, self._document, self.path.parent)

    @property
    def _rows_file(self) -> Path | None:
        """Return the CSV file in which the rows stand; None where they stand in the golden, or there are none."""
        each = self._document.mapping().get("each")
        return self.path.parent / each if isinstance(each, str) else None

    # --------------------------------------------------------------------------------------------------- what is to be

    @cached_property
    def _shared(self) -> Said:
        """Return what is to stand for all cases of the file: for the only one, or at steps at which all rows agree."""
        if not self._rows:
            return next(iter(self.approved.values()))
        said = [self.approved.get(case.id, {}) for case in self._cases]
        names = [step.name for step in self._cases[0].steps if not any(step.name in row.steps for row in self._rows)]
        everywhere = [name for name in names if all(name in one for one in said)]
        values = [row.values for row in self._rows]
        found = {name: said_alike([one[name] for one in said], values) for name in everywhere}
        return {name: one for name, one in found.items() if one is not None}

    @property
    def _by_row(self) -> Mapping[int, Said]:
        places = {case.id: row for row, case in enumerate(self._cases)}
        return {places[name]: said for name, said in self.approved.items()} if self._rows else {}

    @property
    def _expected(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """Return what each case is to expect at each step, where the golden's file is to say it."""
        kept = self._shared if self._rows_file else None
        pairs = ((name, step, it) for name, said in self.approved.items() for step, it in said.items())
        return {(name, step): it for name, step, it in pairs if kept is None or step in kept}

    def _at_steps(self, said: Said) -> Iterator[_Wanted]:
        """Yield where in the file a golden or its steps expect something, and what."""
        names = [each.name for each in self._cases[0].steps]
        for step, expect in said.items():
            yield ("steps", names.index(step), "expect") if step else ("expect",), expect

    def _at_rows(self, rows: Mapping[int, Said]) -> Iterator[_Wanted]:
        """Yield where in the file a row expects something, and what, at its steps too."""
        for row, said in rows.items():
            before = self._document.mapping()["each"][row].get("expect") or {}
            at_steps = {**before, "steps": {**(before.get("steps") or {}), **said}}
            yield ("each", row, "expect"), said.get("", at_steps)


def _without(said: Said, shared: Said) -> Said:
    return {step: expect for step, expect in said.items() if step not in shared}


def _csv_change(path: Path, rows: Mapping[int, Said]) -> Change:
    before = held(path) or b""
    text = before.decode("utf-8")
    after = with_expected(text, rows)
    require_same_rows(text, after, rows)
    return Change(path, before, after.encode())


@contextmanager
def _safely(path: Path) -> Iterator[None]:
    """Raise InputError in the place of whatever says that a file is written in another way than is known here."""
    try:
        yield
    except (InputError, LookupError, ValueError, TypeError):
        hint = "write `expect` by hand"
        raise InputError("is written in a way that cannot be changed safely", place=str(path), hint=hint) from None


# -------------------------------------------------------------------------------------------------------- reading again


def _require_said(
    before: Sequence[Case], after: Sequence[Case], wanted: Mapping[tuple[str, str], Mapping[str, Any]]
) -> None:
    """Raise InputError unless goldens say what they said, and expect what they were to expect from now on."""
    if [case.bare for case in before] != [case.bare for case in after]:
        raise InputError("it would ask for something else")
    for one, other in zip(before, after, strict=True):
        for (step, was), (_, is_now) in zip(_expected_of(one), _expected_of(other), strict=True):
            said = wanted.get((one.id, step))
            if not (was == is_now if said is None else is_now is not None and same_expectation(is_now, built(said))):
                raise InputError("it would expect something else")


def _expected_of(case: Case) -> Iterator[tuple[str, Expectation | None]]:
    """Yield what a golden expects, and what each of its steps does."""
    yield "", case.expect
    yield from ((step.name, step.expect) for step in case.steps)
