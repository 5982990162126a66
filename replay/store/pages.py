"""Results on their way into the file and out: many a page, so that what they have in common is kept and packed once.

A page holds its results' documents and, apart from them, the small bodies that they refer to: whoever wants no bodies
unpacks none. Large bodies lie outside, by their digest, so that equal ones are kept once in the whole file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from replay.models import Result
from replay.store.bodies import digest, pack, unpack
from replay.store.codec import decode_results, dumped, encode_results, loaded
from replay.store.columns import Beside, Collected

_RESULTS: Final = 100
_LARGE_BODY: Final = 4096
_LARGE_PAGE: Final = 1 << 20
"""Whoever reads one result unpacks its page: of a megabyte, that takes milliseconds."""
_MOST_OUTSIDE: Final = 64 << 20
"""The most bytes of large bodies beside a page, unless one result alone has more: they are in memory together."""
_FULL_OUTSIDE: Final = _MOST_OUTSIDE // 2
"""A draft with as many takes no more: it is left at half, so that few have to be encoded again for two pages."""


class Packed(NamedTuple):
    """Bytes as they lie in the file, and how many they are when they are unpacked."""

    data: bytes
    size: int


class Row(NamedTuple):
    """What a result is found by: text that a database takes, whatever the document holds."""

    identity: str
    id: str
    correlation_id: str | None
    """None where it is the id."""
    outcome: str


class Page(NamedTuple):
    """A page, ready to be written; `outside` are the bodies that it refers to and does not hold, by digest."""

    rows: Sequence[Row]
    documents: Packed
    bodies: Packed
    outside: dict[bytes, bytes]


def packed(data: bytes) -> Packed:
    """Return the data as they are to lie in the file."""
    return Packed(pack(data), len(data))


class Draft:
    """Results on their way to a page: they are encoded and packed together, at the end.

    Whoever has an event loop adds on it, and has the pages made in a thread.
    """

    def __init__(self) -> None:
        self._results: list[Result] = []
        self._large: set[bytes] = set()
        self._outside = 0
        """Bytes of large bodies."""

    def add(self, result: Result) -> bool:
        """Take one more result in, and return whether the draft is full."""
        self._results.append(result)
        for body in _large_bodies(result):
            if body not in self._large:
                self._large.add(body)
                self._outside += len(body)
        return len(self._results) >= _RESULTS or self._outside >= _FULL_OUTSIDE

    def __len__(self) -> int:
        return len(self._results)

    @property
    def results(self) -> Sequence[Result]:
        """Return the results, in the order in which they were added."""
        return self._results

    def pages(self) -> Iterator[Page]:
        """Yield the results on one page, or on several where one would be too large.

        That is larger than about a megabyte, or than 64 MB with the large bodies that lie outside.
        """
        several = len(self._results) > 1
        if several and self._outside > _MOST_OUTSIDE:
            yield from self._halves()
            return
        collected = Collected()
        columns = encode_results(self._results, collected)
        small, outside, references = _placed(collected.bodies)
        data = dumped((references, list(collected.headers), len(self._results), columns))
        if several and len(data) > _LARGE_PAGE:
            yield from self._halves()
        else:
            yield Page(list(map(_row, self._results)), packed(data), packed(b"".join(small)), outside)

    def _halves(self) -> Iterator[Page]:
        middle = len(self._results) // 2
        yield from drafted(self._results[:middle]).pages()
        yield from drafted(self._results[middle:]).pages()


def drafted(results: Iterable[Result]) -> Draft:
    """Return a draft with all of these results, full or not."""
    draft = Draft()
    for result in results:
        draft.add(result)
    return draft


def pages_of(results: Sequence[Result]) -> Iterator[Page]:
    """Yield all results on pages, in order, at most a hundred a page (see `Draft.pages`)."""
    for start in range(0, len(results), _RESULTS):
        yield from drafted(results[start : start + _RESULTS]).pages()


def _large_bodies(result: Result) -> list[bytes]:
    """Return the bodies that are to lie outside the result's page."""
    case, old, new = result.case, result.old, result.new
    parts = [case.request, case.expect, case.recorded, old, new]
    parts += [played.seen for side in (case.recorded, old, new) if side is not None for played in side.steps]
    return [part.body for part in parts if part is not None and part.body and len(part.body) >= _LARGE_BODY]


def _row(result: Result) -> Row:
    case = result.case
    correlation_id = None if case.correlation_id in ("", case.id) else bindable(case.correlation_id)
    return Row(bindable(case.identity), bindable(case.id), correlation_id, result.outcome)


def bindable(text: str) -> str:
    """Return a text as columns hold it: SQLite takes no lone surrogates, and they are only there to be looked up."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _placed(bodies: Collection[bytes]) -> tuple[list[bytes], dict[bytes, bytes], list[int | str]]:
    """Return the small bodies, the large ones by their digest, and for each body, in order, its length or digest."""
    small: list[bytes] = []
    outside: dict[bytes, bytes] = {}
    references: list[int | str] = []
    for body in bodies:
        if len(body) < _LARGE_BODY:
            small.append(body)
            references.append(len(body))
        else:
            address = digest(body)
            outside[address] = body
            references.append(address.hex())
    return small, outside, references


class StoredPage:
    """A page that was read. Whatever does not fit together in it raises ValueError."""

    def __init__(self, documents: Packed, bodies: Packed | None, fetch: Callable[[bytes], bytes]) -> None:
        """Take what lies in the file; without `bodies`, each is empty. `fetch` returns a body outside by its digest."""
        content = loaded(unpack(*documents))
        try:
            references, headers, count, columns = content
            body = _no_body if bodies is None else _Bodies(references, unpack(*bodies), fetch)
            beside = Beside([tuple(map(tuple, pairs)) for pairs in headers], body)
        except TypeError as error:
            raise ValueError(f"a stored page does not fit its parts: {error}") from error
        self._count = count
        self._result = decode_results(columns, count, beside)

    def result(self, slot: int) -> Result:
        """Return one of the page's results by its position."""
        if slot >= self._count:
            raise ValueError(f"a stored page has no result {slot}")
        return self._result(slot)


def outside_of(documents: Packed) -> list[bytes]:
    """Return the digests of the bodies that a page refers to and does not hold. Raise ValueError for what is none."""
    try:
        references, *_ = loaded(unpack(*documents))
        return [bytes.fromhex(each) for each in references if isinstance(each, str)]
    except TypeError as error:
        raise ValueError(f"a stored page does not fit its parts: {error}") from error


def _no_body(_index: int) -> bytes:
    return b""


class _Bodies:
    """The bodies that a page refers to, by position; those outside are fetched when they are asked for."""

    def __init__(self, references: Sequence[int | str], inside: bytes, fetch: Callable[[bytes], bytes]) -> None:
        self._references = references
        self._inside = inside
        self._fetch = fetch
        lengths = [reference if isinstance(reference, int) else 0 for reference in references]
        self._ends = list(accumulate(lengths))
        if sum(lengths) != len(inside):
            raise ValueError(f"the bodies of a stored page have {len(inside)} bytes instead of {sum(lengths)}")

    def __call__(self, index: int) -> bytes:
        reference = self._references[index]
        if isinstance(reference, str):
            return self._fetch(bytes.fromhex(reference))
        end = self._ends[index]
        return self._inside[end - reference : end]
