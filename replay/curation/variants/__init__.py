"""Hostile variants of a real request, by kind: a new kind is one function and one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from replay.curation.variants.fields import fields
from replay.curation.variants.manner import encodings, headers
from replay.curation.variants.values import dates, injections, numbers, pages, sizes, texts
from replay.models import Request, Variant

VARIATIONS: Final[Mapping[str, Callable[[Request], Iterator[Variant]]]] = {
    "unicode": texts,
    "numbers": numbers,
    "dates": dates,
    "sizes": sizes,
    "fields": fields,
    "encodings": encodings,
    "headers": headers,
    "paging": pages,
    "injection": injections,
}

__all__ = ["VARIATIONS"]
