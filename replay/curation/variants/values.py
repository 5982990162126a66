"""Hostile values in the place of ordinary ones: texts, numbers, dates, sizes, pages, injections."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from replay.curation.variants.base import Site, number, sites_of, told
from replay.documents.numbers import number_text
from replay.models import Request, Variant

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_NUMBER: Final = re.compile(r"-?\d{1,15}(?:\.\d{1,10})?")
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_PAGING: Final = frozenset({
    "page", "pages", "pagesize", "perpage", "pagenumber", "limit", "offset", "size", "count", "cursor", "start", "skip",
    "first", "last", "per", "top", "after", "before", "max", "num",
})  # fmt: skip
"""Words in the name of what asks for a page: `pageSize` and `per_page`, and not `country` or `paper`."""

_DATES: Final = (
    ("a leap day", "2024-02-29"), ("a leap day that is none", "2023-02-29"), ("a century without one", "2100-02-29"),
    ("the last day of a year", "2024-12-31"), ("the epoch", "1970-01-01"), ("before the epoch", "1969-12-31"),
    ("behind 2038", "2038-01-20"), ("the last day of all", "9999-12-31"), ("the first day of all", "0001-01-01"),
    ("a month that is none", "2024-13-01"), ("no day", "0000-00-00"),
)  # fmt: skip
_INSTANTS: Final = (
    ("a leap second", "2016-12-31T23:59:60Z"), ("in the gap of summer time", "2024-03-31T02:30:00"),
    ("in the hour that comes twice", "2024-10-27T02:30:00"), ("a tick behind 2038", "2038-01-19T03:14:08Z"),
    ("the last moment of all", "9999-12-31T23:59:59.999999Z"), ("midnight as 24", "2024-02-28T24:00:00Z"),
    ("an offset of fourteen hours", "2024-02-29T00:00:00+14:00"), ("an offset of no colon", "2024-02-29T00:00:00+0530"),
    ("nanoseconds", "2024-02-29T23:59:59.123456789Z"), ("a small t and z", "2024-02-29t00:00:00z"),
)  # fmt: skip
_NUMBERS: Final = (
    ("zero", "0"), ("negative zero", "-0"), ("one", "1"), ("minus one", "-1"), ("a half", "0.5"),
    ("half a cent", "0.005"), ("a half that binary cannot hold", "1.005"), ("another", "2.675"),
    ("the sum of 0.1 and 0.2", "0.30000000000000004"), ("an exponent", "1e2"), ("a capital exponent", "1E+2"),
    ("a whole number with a point", "1.0"), ("2^31", "2147483648"), ("2^53 - 1", "9007199254740991"),
    ("2^53 + 1", "9007199254740993"), ("2^63", "9223372036854775808"), ("2^64", "18446744073709551616"),
    ("a very small one", "1e-400"), ("a very large one", "1e400"),
    ("22 digits behind the point", "1.0000000000000000000001"),
)  # fmt: skip
_PAGES: Final = (
    ("page zero", "0"), ("a negative page", "-1"), ("the first", "1"), ("far beyond the end", "1000000"),
    ("2^31", "2147483648"), ("a broken number", "1.5"), ("no number", "abc"), ("blanks", " "), ("a plus sign", "+1"),
)  # fmt: skip
_INJECTIONS: Final = (
    ("a quote for SQL", "' OR '1'='1"), ("the end of a statement", "1; SELECT 1--"), ("a wildcard", "%"),
    ("markup", "<b onmouseover=alert(1)>x</b>"), ("an entity", "&lt;x&amp;"), ("a template", "{{7*7}}"),
    ("a lookup", "${jndi:ldap://127.0.0.1/x}"), ("a way up", "../../etc/passwd"),
    ("a line break", "a\r\nX-Injected: 1"), ("a NUL", "a\x00b"),
    ("a formula", "=1+1"), ("a format", "%s%n"), ("a backslash", "a\\b"), ("both quotes", "a\"b'c"),
)  # fmt: skip
_SIZES: Final = (("nothing", 0), ("one character", 1), ("256 characters", 256), ("64 KB", 65_536))
_MOST_ITEMS: Final = 1_000

Others = Iterable[tuple[str, Any]]


def _variants(kind: str, request: Request, of: Any) -> Iterator[Variant]:
    for site in sites_of(request):
        for what, value in of(site):
            yield Variant(kind, site.at, f"{what}: {told(value)}", site.put(value))


def texts(request: Request) -> Iterator[Variant]:
    """Put Unicode's traps in the place of texts."""
    return _variants("unicode", request, lambda site: _texts(site.value) if isinstance(site.value, str) else ())


def _texts(text: str) -> Others:
    stem = text[:20] or "a"
    yield "composed", unicodedata.normalize("NFC", stem + "e\u0301")
    yield "decomposed", unicodedata.normalize("NFD", stem + "\u00e9")
    yield "from right to left", f"\u202e{stem}"
    yield "Hebrew", "\u05e9\u05dc\u05d5\u05dd"
    yield "a zero-width space", f"{stem[:1]}\u200b{stem[1:]}"
    yield "no-break spaces", f"\u00a0{stem}\u00a0"
    yield "a Turkish capital", stem.replace("i", "\u0130") if "i" in stem else f"{stem}\u0130"
    yield "a Turkish small i", stem.replace("i", "\u0131") if "i" in stem else f"{stem}\u0131"
    yield "a sharp s", f"{stem}\u00df"
    yield "a family of emoji", "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
    yield "beyond 16 bits", "\U00020000"
    yield "full-width digits", "\uff11\uff12\uff13"
    yield "a ligature", f"\ufb01{stem}"
    yield "capitals", stem.upper() if stem.upper() != stem else stem.lower()
    yield "blanks around", f" {stem} "


def numbers(request: Request) -> Iterator[Variant]:
    """Put the edges of what machines hold in the place of numbers."""
    return _variants("numbers", request, _numbers)


def _numbers(site: Site) -> Others:
    value = site.value
    if site.is_text and isinstance(value, str) and _NUMBER.fullmatch(value):
        yield from _NUMBERS
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        yield from ((what, number(spelling)) for what, spelling in _NUMBERS)
        yield "the same as a text", number_text(value)


def dates(request: Request) -> Iterator[Variant]:
    """Put days and moments that calendars trip over in the place of dates."""
    return _variants("dates", request, lambda site: _dates(site.value) if isinstance(site.value, str) else ())


def _dates(text: str) -> Others:
    if _INSTANT.match(text):
        yield from _INSTANTS
        yield from ((what, f"{day}{text[10:]}") for what, day in _DATES)
    elif _DATE.fullmatch(text):
        yield from _DATES


def sizes(request: Request) -> Iterator[Variant]:
    """Put nothing, one and very many in the place of texts and arrays."""
    return _variants("sizes", request, _sizes)


def _sizes(site: Site) -> Others:
    if isinstance(site.value, str):
        # A line of a request's head that is longer is refused by most servers, and proves nothing.
        yield from ((what, "x" * length) for what, length in _SIZES if not (site.is_text and length > 2**12))
    elif isinstance(site.value, list):
        yield "no item", []
        if site.value:
            first = site.value[0]
            yield "one item", [first]
            yield "the same item twice", [first, first]
            yield "another order", site.value[::-1]
            yield "a thousand items", [first] * _MOST_ITEMS
    elif isinstance(site.value, dict):
        yield "no member", {}


def pages(request: Request) -> Iterator[Variant]:
    """Put pages that are not there in the place of what asks for one."""
    return _variants("paging", request, _pages)


def _pages(site: Site) -> Others:
    if site.is_text and not _PAGING.isdisjoint(word.lower() for word in _WORD.findall(site.name)):
        yield from _PAGES


def injections(request: Request) -> Iterator[Variant]:
    """Put what is code elsewhere in the place of texts."""
    return _variants("injection", request, lambda site: _INJECTIONS if isinstance(site.value, str) else ())
