"""Small regressions, planted into what new answered: what a review would miss, and a comparison should not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice, pairwise
from typing import Any, Final

from replay.compare.formats import Reading
from replay.compare.headers import MEANINGS
from replay.compare.values import same
from replay.documents import dump_json
from replay.locations import ROOT, Path, print_location, segments
from replay.models import Json, Observation

DEEPEST: Final = 40
MOST_NODES: Final = 20_000
"""Nodes of one body that are looked at for a place to plant something."""


@dataclass(frozen=True, slots=True)
class Planted:
    """An answer with one regression in it, and where that is."""

    regression: str
    at: str
    answer: Observation


Change = Callable[[Json], Json]
"""Returns the value with a regression; raises InapplicableError where this one can have none."""


class InapplicableError(LookupError):
    """There is nothing here in which this regression could be planted."""


def _off_by_one(value: Json) -> Json:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise InapplicableError
    return value + 1


def _another_type(value: Json) -> Json:
    if isinstance(value, str):
        return [value]
    if value is None or isinstance(value, dict | list):
        raise InapplicableError
    return str(value).lower()


def _null(value: Json) -> Json:
    if value is None:
        raise InapplicableError
    return None


def _another_text(value: Json) -> Json:
    if not isinstance(value, str):
        raise InapplicableError
    return value + "x"


def _another_truth(value: Json) -> Json:
    if not isinstance(value, bool):
        raise InapplicableError
    return not value


def _swapped(value: Json) -> Json:
    if isinstance(value, list):
        for index, (one, other) in enumerate(pairwise(value)):
            if not same(one, other):
                return [*value[:index], other, one, *value[index + 2 :]]
    raise InapplicableError


def _emptied(value: Json) -> Json:
    if not isinstance(value, list) or not value:
        raise InapplicableError
    return []


def _doubled(value: Json) -> Json:
    if not isinstance(value, list) or not value:
        raise InapplicableError
    return [*value, value[-1]]


VALUES: Final[Mapping[str, Change]] = {
    "off by one": _off_by_one,
    "another text": _another_text,
    "true for false": _another_truth,
    "another type": _another_type,
    "null": _null,
    "two items swapped": _swapped,
    "array emptied": _emptied,
    "last item twice": _doubled,
}
"""What can go wrong with one value of a JSON body."""

FIELD_GONE: Final = "field gone"
STATUS: Final = "another status"
HEADER: Final = "another header"
BODY: Final = "another body"
REGRESSIONS: Final = (*VALUES, FIELD_GONE, STATUS, HEADER, BODY)

_HEADER_SLIPS: Final = {
    "content-type": "; planted=1", "set-cookie": "; Path=/planted", "link": "; planted=1", "location": "/planted",
    "cache-control": ", planted=1", "allow": ", PLANTED", "www-authenticate": ", planted=1",
}  # fmt: skip


Wanted = Callable[[str, str], bool]
"""Is a regression wanted at a location?"""


def plantings(answer: Observation, body: Reading, wanted: Wanted, named: Collection[str] = ()) -> Iterator[Planted]:
    """Yield the answer once for each regression that can be planted in it and is wanted, in document order.

    Of headers only those that are compared without a rule are changed, and those `named` by one.
    """
    if answer.status is not None and wanted(STATUS, "status"):
        yield Planted(STATUS, "status", replace(answer, status=answer.status + 1))
    yield from (it for it in _in_headers(answer, named) if wanted(HEADER, it.at))
    if body.kind == "json" and not body.flaws:
        for regression, at, value in _in_json(body.value, wanted):
            yield Planted(regression, at, replace(answer, body=written(value, lines=body.lines)))
    elif answer.body and wanted(BODY, "body"):
        yield Planted(BODY, "body", replace(answer, body=answer.body + b"x"))


def written(value: Json, *, lines: bool) -> bytes:
    """Return a body as it was read: one document, or one a line."""
    documents = value if lines and isinstance(value, list) else [value]
    return "\n".join(map(dump_json, documents)).encode("utf-8", "surrogatepass")


def _in_headers(answer: Observation, named: Collection[str]) -> Iterator[Planted]:
    for place, (name, value) in enumerate(answer.headers):
        if name.lower() in MEANINGS or name.lower() in named:
            changed = value + _HEADER_SLIPS.get(name.lower(), "x")
            headers = (*answer.headers[:place], (name, changed), *answer.headers[place + 1 :])
            yield Planted(HEADER, f"headers.{name.lower()}", replace(answer, headers=headers))


def _in_json(document: Json, wanted: Wanted) -> Iterator[tuple[str, str, Json]]:
    for path, value in islice(_nodes(document, (ROOT, "body")), MOST_NODES):
        steps = segments(path)[1:]
        for regression, at, changed in _changes(path, value, wanted):
            yield regression, at, _with(document, steps, changed)


def _changes(path: Path, value: Json, wanted: Wanted) -> Iterator[tuple[str, str, Json]]:
    """Yield each regression of one value: its name, where it is told, and what becomes of the value."""
    here = print_location(path)
    for regression, change in VALUES.items():
        try:
            changed = change(value)
        except InapplicableError:
            continue
        # A number beyond the digits that are computed with is still itself when one is added to it.
        if wanted(regression, here) and not same(value, changed):
            yield regression, here, changed
    for name in value if isinstance(value, dict) else ():
        at = print_location((path, name))
        if wanted(FIELD_GONE, at):
            yield FIELD_GONE, at, {key: item for key, item in value.items() if key != name}


def _nodes(value: Json, path: Path) -> Iterator[tuple[Path, Json]]:
    yield path, value
    if len(segments(path)) > DEEPEST:
        return
    members: Iterator[tuple[Any, Json]] = iter(())
    if isinstance(value, dict):
        members = iter(value.items())
    elif isinstance(value, list):
        members = iter(enumerate(value))
    for segment, item in members:
        yield from _nodes(item, (path, segment))


def _with(document: Json, path: tuple[Any, ...], value: Json) -> Json:
    """Return the document with another value at one place; the rest is shared."""
    if not path:
        return value
    if isinstance(document, dict):
        return document | {path[0]: _with(document[path[0]], path[1:], value)}
    return [*document[: path[0]], _with(document[path[0]], path[1:], value), *document[path[0] + 1 :]]
