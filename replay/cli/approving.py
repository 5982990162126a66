"""Goldens held against what was answered in a stored run, and their files with what they may expect from now on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from replay.cases import load_goldens, read_goldens
from replay.cases.chosen import Choice
from replay.cli.present import Present, present_rules
from replay.cli.stored import same_request
from replay.curation.approving import Answers, Approval, Rules, Source, approval
from replay.curation.changes import Change, held
from replay.curation.csv_rows import require_same_rows, with_expected
from replay.curation.rewriting import with_value
from replay.documents import read_yaml
from replay.errors import InputError, NothingSelectedError, SettingsError
from replay.inert import printable
from replay.models import Case, Result
from replay.store.sqlite import SqliteStore

_SOURCES: Final[tuple[Source, ...]] = ("new", "old", "both")
_AS_IT_IS: Final = Approval(None)


@dataclass(frozen=True, slots=True)
class Approved:
    """A golden, and what it may expect; or why nothing of it can be approved."""

    case: Case
    approval: Approval = _AS_IT_IS
    refused: str = ""


def source_called(text: str) -> Source:
    """Return whose answers are approved. Raise SettingsError for another word."""
    for source in _SOURCES:
        if text == source:
            return source
    raise SettingsError(f"--from {printable(text, 100)}: there is no such side", hint="write new, old or both")


class Approving:
    """The goldens of a folder beside what a store holds of them."""

    def __init__(self, kept: SqliteStore, run: str | None, env: str | None, folder: Path) -> None:
        self._kept = kept
        self._run = run
        self._folder = folder
        record = kept.run(run)
        self._present: Present = present_rules(env or record.settings.get("env"), record, datetime.now(UTC).date())

    def approved(self, patterns: tuple[str, ...], source: Source) -> list[Approved]:
        """Return what becomes of each golden that is named, else of each that expects something.

        Raise NothingSelectedError for a pattern that names none.
        """
        if not self._folder.is_dir():
            raise NothingSelectedError("there is no folder with goldens", place=str(self._folder))
        goldens = list(load_goldens(self._folder))
        for pattern in patterns:
            if not any(map(Choice(only=(pattern,)).takes, goldens)):
                raise NothingSelectedError(f"no golden is called '{printable(pattern, 100)}'", place=str(self._folder))
        choice = Choice(only=patterns)
        chosen = [case for case in goldens if (choice.takes(case) if patterns else _expects(case))]
        return [self._one(case, source) for case in chosen]

    def _one(self, case: Case, source: Source) -> Approved:
        try:
            result = self._stored(case)
            rules = Rules(self._present.book, self._present.referee.comparison)
            return Approved(case, approval(case, Answers(result.old, result.new), source, rules))
        except InputError as error:
            return Approved(case, refused=f"{error.fact}{f' ({error.hint})' if error.hint else ''}")

    def _stored(self, case: Case) -> Result:
        """Return the newest result of a golden. Raise InputError where there is none of its present request."""
        if case.steps:
            raise InputError("it is a scenario", hint="write `expect` at its steps")
        found = (each for each in self._kept.find(case.id, self._run) if each.case.kind == "golden")
        result = next(found, None)
        if result is None:
            raise InputError("no stored run has it", hint="`replay run` sends it")
        if result.skipped is not None:
            raise InputError(f"it was not compared: {result.skipped}")
        if not same_request(result.case, case):
            raise InputError("its request has changed since it was sent", hint="`replay run` sends it again")
        return result


def _expects(case: Case) -> bool:
    return case.expect is not None and not case.steps


# ------------------------------------------------------------------------------------------------------------- writing


def changes_of(found: Sequence[Approved]) -> list[Change]:
    """Return the files as they are to be. Raise InputError where one cannot be changed safely."""
    by_file: dict[Path, list[Approved]] = {}
    for each in found:
        if each.approval.expect is not None:
            by_file.setdefault(Path(each.case.place), []).append(each)
    return [_change(path, approved) for path, approved in by_file.items()]


def _change(path: Path, approved: Sequence[Approved]) -> Change:
    before = held(path) or b""
    try:
        each = read_yaml(before, str(path)).mapping().get("each")
        if isinstance(each, str):
            return _csv_change(path, path.parent / each, approved)
        text = before.decode("utf-8")
        for one in approved:
            text = with_value(text, _way(one.case, before, path), one.approval.expect or {})
        after = text.encode()
        _require_same(read_goldens(before, _name(approved), path), read_goldens(after, _name(approved), path), approved)
    except (InputError, LookupError, UnicodeDecodeError):
        hint = "write `expect` by hand"
        raise InputError("is written in a way that cannot be changed safely", place=str(path), hint=hint) from None
    return Change(path, before, after)


def _name(approved: Sequence[Approved]) -> str:
    return approved[0].case.id.partition("#")[0]


def _way(case: Case, data: bytes, path: Path) -> tuple[str | int, ...]:
    """Return where in its file a golden's expectation stands: that of a row stands in the row."""
    if "#" not in case.id:
        return ("expect",)
    return ("each", _row(case, data, path), "expect")


def _row(case: Case, data: bytes, path: Path) -> int:
    rows = [each.id for each in read_goldens(data, case.id.partition("#")[0], path)]
    return rows.index(case.id)


def _csv_change(golden: Path, path: Path, approved: Sequence[Approved]) -> Change:
    before = held(path) or b""
    text = before.decode("utf-8")
    data = golden.read_bytes()
    for one in approved:
        text = with_expected(text, _row(one.case, data, golden), _cells(one))
    require_same_rows(before.decode("utf-8"), text, [_row(one.case, data, golden) for one in approved])
    return Change(path, before, text.encode())


def _cells(approved: Approved) -> Mapping[str, Any]:
    expect = approved.approval.expect or {}
    if "headers" in expect:
        raise LookupError("headers")
    return expect


def _require_same(before: Sequence[Case], after: Sequence[Case], approved: Sequence[Approved]) -> None:
    """Raise InputError unless goldens say what they said, save for what they expect where that was approved."""
    wanted = {each.case.id for each in approved}
    for one, other in _paired(before, after):
        alike = replace(one, expect=None) == replace(other, expect=None)
        if not alike or (one.expect == other.expect) == (one.id in wanted):
            raise InputError("it would say something else")


def _paired(before: Sequence[Case], after: Sequence[Case]) -> Iterator[tuple[Case, Case]]:
    if len(before) != len(after):
        raise InputError("it would make other cases")
    yield from zip(before, after, strict=True)
