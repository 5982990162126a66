"""JSON as services send it: read exactly, and every flaw named instead of passed over."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import Any, Final, Literal, NoReturn

from pydantic_core import from_json

from replay.documents.numbers import Numeral, integer, spelled_integer, write
from replay.documents.text import place_of, shown

FindingName = Literal[
    "nan", "duplicate_keys", "lone_surrogates", "empty", "truncated", "invalid", "too_deep", "not_utf8"
]

_MAX_DEPTH: Final = 400
"""So deep that no service means it, and shallow enough for recursive walks under Python's limit of 1,000 frames."""

# A string without its end still matches: otherwise each of its quotes would be tried anew, in quadratic time.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_NOT_STRUCTURE = re.compile(_STRING + r'|[^\[\]{}"]+', re.DOTALL)
_STEPS: Final = {"[": 1, "{": 1, "]": -1, "}": -1}
_CONSTANT = re.compile(_STRING + r"|(-?Infinity|NaN)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F])|.)", re.DOTALL)
_MANY_DIGITS = re.compile(r"[eE][+-]?[0-9]{9}")
"""An exponent that Decimal may refuse; in a string it does no harm."""
_CUT_WORD = re.compile(r"(?:-|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|N(?:a)?|-?I[nfity]*|[0-9.eE+-]+)?\s*\Z")
_LONGEST_ESCAPE = 6


@dataclass(frozen=True, slots=True)
class Finding:
    """A flaw of a JSON document, and where it is."""

    name: FindingName
    message: str


@dataclass(frozen=True, slots=True)
class ParsedJson:
    """What a document holds, and its flaws. Without `ok` there is no value; with it there may still be findings."""

    value: Any
    ok: bool
    findings: tuple[Finding, ...] = ()

    def has(self, name: FindingName) -> bool:
        """Return whether the document has this flaw."""
        return any(finding.name == name for finding in self.findings)


class _IrregularError(Exception):
    """Leaves the fast path: the document has a flaw that has to be described."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _IrregularError
    return members


def _refuse(_constant: str) -> NoReturn:
    raise _IrregularError


def _shortest(spelling: str) -> float:
    number = float(spelling)
    if repr(number) != spelling:
        raise _IrregularError
    return number


# One decoder for all clean documents: making one costs more than reading 1 KB. It keeps no state between calls.
_CLEAN: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_float=Decimal, parse_constant=_refuse)
_CLEAN_SPELLED: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=Numeral, parse_int=spelled_integer, parse_constant=_refuse
)

_PLAIN: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_shortest, parse_constant=_refuse)
_COMPACT: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":"))
_MINUS_ZERO: Final = re.compile(r"-0(?:[,\]}\s]|\Z)")
"""No int is a negative zero. Within a string this does no harm: the document is read the other way."""


def parse_json(data: bytes | str, *, spelled: bool = False) -> ParsedJson:
    """Read one JSON document: integers exact, other numbers Decimal, NaN and infinities as the Decimals of those names.

    Never raises for what the data holds: a document that is no JSON has `ok` false and a finding that says why and
    where. Of duplicate keys the last one counts. With `spelled`, numbers remember their spelling (`Numeral`).
    """
    text = data if isinstance(data, str) else _decoded(data)
    if isinstance(text, ParsedJson):
        return text
    text = text.removeprefix("\ufeff")
    if _too_deep(text):
        return _failed("too_deep", f"more than {_MAX_DEPTH} levels of nesting")
    decoder = _CLEAN_SPELLED if spelled else _CLEAN
    try:
        value = decoder.decode(text)
    except (_IrregularError, ValueError, InvalidOperation):
        return _parse_flawed(text, spelled=spelled)
    except RecursionError:
        return _failed("too_deep", "too many levels of nesting")
    return ParsedJson(value, ok=True, findings=_surrogates(text))


def is_sound_json(data: bytes) -> bool:
    """Tell whether `parse_json` would find no flaw, at less than half its cost; False where that is not plain."""
    try:
        text = data.decode()
        if _too_deep(text) or _may_hold_surrogates(text) or _MANY_DIGITS.search(text):
            return False
        objects: list[list[tuple[str, Any]]] = []
        # Each object is handed over as its pairs, by C code to C code; `null` stands for it in what is around it.
        json.JSONDecoder(object_pairs_hook=objects.append, parse_constant=_refuse).decode(text)
    except (_IrregularError, ValueError, RecursionError):
        return False
    return sum(map(len, objects)) == sum(map(len, map(dict, objects)))


def parse_plain(text: str) -> Any:
    """Return what a document holds that has no flaw, its numbers as int and float.

    Return None for any other, and for one with a float that `plain_json` would write otherwise: `parse_json` reads it,
    and tells what is wrong with it. So much quicker than that, since nothing is counted.
    """
    if "\\" in text and _surrogates(text):
        return None
    text = text.strip(" \t\r\n")
    try:
        value, end = _PLAIN.raw_decode(text)
    except (_IrregularError, ValueError, RecursionError):
        return None
    return value if end == len(text) else None


def parse_known(data: bytes) -> Any:
    """Return what `parse_plain` returned of this document before: it is known to have no flaw, and not looked at."""
    return from_json(data, cache_strings="keys")


def is_rewritten_alike(text: str) -> bool:
    """Tell whether what `parse_plain` returned is written again by `plain_json` as it was: False is not for certain."""
    return not (_too_deep(text) or _MINUS_ZERO.search(text))


def plain_json(value: Any) -> str:
    """Return compact JSON of what `parse_plain` returned: as `dump_json`, and many times as fast."""
    return _COMPACT.encode(value)


def canonical_json(value: Any) -> str:
    """Return JSON that is the same for equal documents, whatever the order of their keys; for digests."""
    parts: list[str] = []
    write(value, parts, in_order=sorted)
    return "".join(parts)


def _decoded(data: bytes) -> str | ParsedJson:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _failed("not_utf8", f"byte 0x{data[error.start]:02X} at offset {error.start} (line {line}) is not UTF-8")


def _failed(name: FindingName, message: str) -> ParsedJson:
    return ParsedJson(None, ok=False, findings=(Finding(name, message),))


def _too_deep(text: str) -> bool:
    """Return whether containers nest deeper than the limit. The count rules out nearly every document at once."""
    if text.count("[") + text.count("{") <= _MAX_DEPTH:
        return False
    marks = _NOT_STRUCTURE.sub("", text)
    return max(accumulate(map(_STEPS.__getitem__, marks)), default=0) > _MAX_DEPTH


def _parse_flawed(text: str, *, spelled: bool) -> ParsedJson:
    findings: list[Finding] = []
    decoder = json.JSONDecoder(
        object_pairs_hook=_noting_duplicates(findings),
        parse_float=Numeral if spelled else Decimal,
        parse_int=spelled_integer if spelled else integer,
        parse_constant=Decimal,
    )
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        return _broken(text, error)
    except RecursionError:
        return _failed("too_deep", "too many levels of nesting")
    except (ValueError, InvalidOperation):
        return _failed("invalid", "a number whose exponent is beyond any computing")
    return ParsedJson(value, ok=True, findings=(*_constants(text), *findings, *_surrogates(text)))


def _noting_duplicates(findings: list[Finding]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs) and not findings:
            twice, times = Counter(name for name, _ in pairs).most_common(1)[0]
            findings.append(Finding("duplicate_keys", f"key '{shown(twice)}' stands {times} times in one object"))
        return result

    return members


def _broken(text: str, error: json.JSONDecodeError) -> ParsedJson:
    if not text.strip(" \t\r\n"):
        return _failed("empty", "no document: nothing but white space" if text else "no document: nothing at all")
    where = f"line {error.lineno}, column {error.colno}"
    if _is_cut(text, error):
        return _failed("truncated", f"the document ends within a value that begins at {where}")
    return _failed("invalid", f"{error.msg.lower().removesuffix(' at')} at {where}")


def _is_cut(text: str, error: json.JSONDecodeError) -> bool:
    if error.msg.startswith("Unterminated string"):
        return True
    if "escape" in error.msg:
        return len(text) - error.pos < _LONGEST_ESCAPE and '"' not in text[error.pos :]
    return not error.msg.startswith("Extra") and _CUT_WORD.match(text, error.pos) is not None


def _constants(text: str) -> tuple[Finding, ...]:
    for found in _CONSTANT.finditer(text):
        if word := found.group(1):
            return (Finding("nan", f"{word} at {_where(text, found.start(1))}"),)
    return ()


def _surrogates(text: str) -> tuple[Finding, ...]:
    if not _may_hold_surrogates(text):
        return ()
    for found in _ESCAPE.finditer(text):
        if found.group(1):
            return (Finding("lone_surrogates", f"half of a surrogate pair at {_where(text, found.start())}"),)
    return ()


def _may_hold_surrogates(text: str) -> bool:
    return "\\u" in text and ("\\ud" in text or "\\uD" in text)


def _where(text: str, offset: int) -> str:
    place = place_of(text, offset, "")
    return f"line {place.line}, column {place.column}"
