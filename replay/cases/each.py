"""`each:` makes one golden many: a case for each row, in place or in a CSV file, whose values fill `{{names}}`."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from replay.cases.expect import RowExpectSpec
from replay.cases.request import beside
from replay.documents import Document, check_json, invalid, parse_json, shown
from replay.documents.scalars import plain_value
from replay.errors import DocumentError, Place
from replay.models import Case, Expectation, Step
from replay.placeholders import CAPTURED, filled, filled_expectation, filled_text, names_in, names_of, spelled

ID: Final = "id"
EXPECT: Final = "expect"
MOST_ROWS: Final = 10_000
_LONGEST: Final = 100
_NEARLY: Final = 0.8


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what it is called, the values that fill names, and what is expected of it alone."""

    id: str
    values: Mapping[str, Any]
    expect: Expectation | None
    place: Place
    steps: Mapping[str, Expectation] = field(default_factory=dict)
    """What is expected of it alone at a scenario's steps."""


def rows_of(each: Sequence[Mapping[str, Any]] | str, document: Document, folder: Path) -> list[Row]:
    """Return the rows of a golden, in order. Raise DocumentError, with its place, for the first that makes no sense."""
    found = list(_of_file(each, document, folder) if isinstance(each, str) else _in_place(each, document))
    if not found:
        raise DocumentError("each has no row", place=document.place(("each",)), hint="write one, or leave each out")
    if len(found) > MOST_ROWS:
        raise DocumentError(f"each has more than {MOST_ROWS:,} rows", place=document.place(("each",)))
    places: dict[str, Place] = {}
    for row in found:
        twin = places.setdefault(row.id, row.place)
        if twin is not row.place:
            raise DocumentError(f"a row is called '{row.id}' already, at {twin}", place=row.place, hint="rename one")
    return found


def _in_place(each: Sequence[Mapping[str, Any]], document: Document) -> Iterator[Row]:
    for number, given in enumerate(each):
        at = ("each", number)
        _check_bodies(given.get(EXPECT), document, (*at, EXPECT))
        try:
            spec = RowExpectSpec.model_validate(given[EXPECT]) if EXPECT in given else None
            values = {key: value for key, value in given.items() if key != EXPECT}
            yield _row(values, spec, document.place(at))
        except ValidationError as error:
            raise _placed(invalid(document, error, RowExpectSpec), document.place((*at, EXPECT))) from None


def _check_bodies(expect: Any, document: Document, at: tuple[str | int, ...]) -> None:
    """Raise DocumentError for what no JSON body may hold, in what a row expects."""
    check_json(document, (*at, "json"))
    steps = expect.get("steps") if isinstance(expect, Mapping) else None
    for name in steps if isinstance(steps, Mapping) else ():
        check_json(document, (*at, "steps", name, "json"))


def _placed(error: DocumentError, place: Place) -> DocumentError:
    return DocumentError(error.fact, place=place, hint=error.hint)


def _row(values: Mapping[str, Any], spec: RowExpectSpec | None, place: Place) -> Row:
    """Return a row; its `id`, else its first value, is what it is called."""
    if not values:
        raise DocumentError("a row holds no value", place=place, hint="{id: tr, word: İ}")
    named = values[ID] if ID in values else next(iter(values.values()))
    try:
        name = spelled(named)
    except ValueError:
        raise DocumentError(
            "what a row is called has to be text or a number", place=place, hint="give it an id"
        ) from None
    if not name.strip() or not name.isprintable() or "/" in name or "#" in name or len(name) > _LONGEST:
        raise DocumentError(f"'{shown(name)}' is no name for a row", place=place, hint="write a word: id: tr")
    if spec is None:
        return Row(name, values, None, place)
    try:
        own = spec.build() if spec.model_fields_set - {"steps"} or not spec.steps else None
        return Row(name, values, own, place, {step: each.build() for step, each in spec.steps.items()})
    except (ValueError, TypeError) as error:
        raise DocumentError(f"the body cannot be written: {error}", place=place) from None


# ----------------------------------------------------------------------------------------------------------------- CSV


def _of_file(name: str, document: Document, folder: Path) -> Iterator[Row]:
    """Yield the rows of a CSV file beside the golden: its first line names columns, `expect.*` is what is expected."""
    try:
        data = beside(name, folder)
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DocumentError(f"{shown(name)} is not UTF-8", place=document.place(("each",))) from None
    except DocumentError as error:
        raise DocumentError(error.fact, place=error.place or document.place(("each",)), hint=error.hint) from None
    file = str(folder / name)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = next(reader, [])
        _require_columns(columns, Place(file, 1))
        for cells in reader:
            if cells:
                yield _of_cells(columns, cells, Place(file, reader.line_num))
    except csv.Error as error:
        raise DocumentError(f"is no CSV: {error}", place=Place(file, reader.line_num)) from None


def _require_columns(columns: Sequence[str], place: Place) -> None:
    if not columns or not all(column.strip() for column in columns):
        raise DocumentError("the first line has to name every column", place=place, hint="id,word,expect.status")
    twins = [column for column in columns if columns.count(column) > 1]
    if twins:
        raise DocumentError(f"two columns are called '{shown(twins[0])}'", place=place, hint="rename one")


def _of_cells(columns: Sequence[str], cells: Sequence[str], place: Place) -> Row:
    if len(cells) != len(columns):
        raise DocumentError(
            f"{len(cells)} cells under {len(columns)} columns", place=place, hint="quote what has commas"
        )
    given = dict(zip(columns, cells, strict=True))
    expected = {key.removeprefix("expect."): cell for key, cell in given.items() if key.startswith("expect.") and cell}
    values = {key: _value(cell, place) for key, cell in given.items() if not key.startswith("expect.")}
    return _row(values, _expected(expected, place), place)


def _value(cell: str, place: Place) -> Any:
    """Return what a cell means: as unquoted text in YAML does, and an empty one is an empty text."""
    try:
        return plain_value(cell) if cell else ""
    except ValueError as error:
        raise DocumentError(str(error.args[0]), place=place) from None


def _expected(cells: Mapping[str, str], place: Place) -> RowExpectSpec | None:
    if not cells:
        return None
    given: dict[str, Any] = {}
    for key, cell in cells.items():
        *above, name = key.split(".")
        into = given
        for part in above:
            into = into.setdefault(part, {})
        into[name] = _expected_value(key, cell, place)
    try:
        return RowExpectSpec.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise DocumentError(f"expect.{'.'.join(map(str, first['loc']))}: {first['msg']}", place=place) from None


def _expected_value(key: str, cell: str, place: Place) -> Any:
    name = key.rpartition(".")[2]
    if name != "json":
        return _value(cell, place) if name == "status" else cell
    parsed = parse_json(cell.encode(), spelled=True)
    if not parsed.ok or parsed.findings:
        raise DocumentError(f"expect.{key} is no JSON", place=place)
    return parsed.value


# ------------------------------------------------------------------------------------------------------------- filling


def filled_case(case: Case, row: Row) -> Case:
    """Return the golden of one row: every name that the row has a value for is filled, everywhere.

    Raise DocumentError where a value cannot stand where its name does, or a name is no column.
    """
    _require_columns_for(case, row)
    _require_no_slip(case, row)
    _require_steps_for(case, row)
    values = row.values
    try:
        steps = tuple(_filled_step(step, row) for step in case.steps)
        request = steps[0].request if steps else filled(case.request, values)
        expect = _together(case.expect and filled_expectation(case.expect, values), row.expect)
    except ValueError as error:
        raise DocumentError(f"a value of row '{row.id}' cannot stand there: {error}", place=row.place) from None
    name = f"{case.id}#{row.id}"
    return replace(
        case,
        id=name,
        identity=name,
        correlation_id=name if case.correlation_id == case.id else case.correlation_id,
        request=request,
        steps=steps,
        expect=expect,
        title=filled_text(case.title, values, CAPTURED),
    )


def _require_columns_for(case: Case, row: Row) -> None:
    """Raise DocumentError for a name that no column fills; of a scenario, its steps tell."""
    if case.steps:
        return
    for name in (*names_of(case.request), *(names_of(case.expect) if case.expect is not None else ())):
        if name not in row.values:
            hint = f"there are {', '.join(row.values)}"
            raise DocumentError(f"'{{{{{name}}}}}' is no column of each", place=row.place, hint=hint)


def _require_no_slip(case: Case, row: Row) -> None:
    """Raise DocumentError for a column that nothing uses and whose name is nearly `expect`: it would expect nothing."""
    for column in row.values:
        if _is_nearly_expect(column) and column not in _used(case):
            fact = f"nothing uses '{shown(column)}', so that it expects nothing"
            raise DocumentError(fact, place=row.place, hint="did you mean 'expect', or in CSV 'expect.status'?")


@lru_cache(maxsize=256)
def _is_nearly_expect(column: str) -> bool:
    """Tell it of a column once, and not for each of its rows."""
    meant = column.strip().lower().partition(".")[0]
    return bool(difflib.get_close_matches(meant, [EXPECT], cutoff=_NEARLY))


def _used(case: Case) -> set[str]:
    """Return the names that a row's values fill."""
    used = set(names_in(case.title))
    sent = [case.request, *(step.request for step in case.steps)]
    sent += [step.pages.further for step in case.steps if step.pages is not None and step.pages.further is not None]
    said = [it for it in (case.expect, *(step.expect for step in case.steps)) if it is not None]
    return used.union(*map(names_of, sent), *map(names_of, said))


def _require_steps_for(case: Case, row: Row) -> None:
    """Raise DocumentError for a step that the scenario has not, or a name that nothing captures up to there."""
    steps = [step.name for step in case.steps]
    for name in row.steps:
        if name not in steps:
            hint = f"its steps are {', '.join(steps)}" if steps else "it is no scenario: write expect without steps"
            raise DocumentError(f"there is no step '{shown(name)}' to expect anything at", place=row.place, hint=hint)
    known = set(row.values)
    for step in case.steps:
        known |= step.capture.keys()
        expect = row.steps.get(step.name)
        unknown = expect and next((name for name in names_of(expect) if name not in known), None)
        if unknown:
            fact = f"no step up to '{step.name}' captures '{shown(unknown)}', which row '{row.id}' expects there"
            raise DocumentError(fact, place=row.place, hint=f"there are {', '.join(sorted(known))}")


def _filled_step(step: Step, row: Row) -> Step:
    pages, values = step.pages, row.values
    if pages is not None and pages.further is not None:
        pages = replace(pages, further=filled(pages.further, values))
    said, own = (it and filled_expectation(it, values) for it in (step.expect, row.steps.get(step.name)))
    expect = _together(said, own)
    return replace(step, request=filled(step.request, values), pages=pages, expect=expect)


def _together(whole: Expectation | None, own: Expectation | None) -> Expectation | None:
    """Return what the golden expects, save where the row says otherwise."""
    if whole is None or own is None:
        return own or whole
    status = whole.status if own.status is None else own.status
    return Expectation(status, own.headers or whole.headers, whole.body if own.body is None else own.body)
