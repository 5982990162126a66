"""The shape of a change: what was done to a value, so that a thousand changed values can be one cause.

Modest and exact: a shape is told only where it explains the whole change, and the first that does is told.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Context, Decimal
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from replay.documents import canonical_json, json_type, spelling
from replay.models import MISSING, Json, Missing

LONGEST: Final = 10_000
"""Characters of a text, and items of an array, beyond which no shape is looked for."""
_MOST_DIGITS: Final = 40
_LARGEST: Final = 10**_MOST_DIGITS
_EXACT: Final = Context(prec=4 * _MOST_DIGITS)
_NUMBER: Final = re.compile(r"-?\d{1,40}(?:\.\d{1,40})?")
_DATED: Final = re.compile(r"\d{4}-?\d\d-?\d\d[T ]|[A-Za-z]{3}, \d")
_SEPARATORS: Final = re.compile(r"[\s,;&]+")
_NEGLIGIBLE: Final = Decimal("1e-9")


class Shape(NamedTuple):
    """What was done to a value, in words; empty where no shape explains it.

    `detail` is what of it may be the same in every case, such as the text that was added; None where it says nothing.
    """

    words: str = ""
    detail: str | None = None


_NONE: Final = Shape()

Look = Callable[[Json, Json], Shape | None]


def shape_of(old: Json | Missing, new: Json | Missing) -> Shape:
    """Return the shape of the change of one value into another; of types, where they are not the same."""
    if old is MISSING or new is MISSING:
        return Shape()
    kinds = json_type(old), json_type(new)
    looks = _LOOKS.get(kinds, ())
    if looks and _is_small(old) and _is_small(new):
        for look in looks:
            shape = look(old, new)
            if shape is not None:
                return shape
    return _NONE if kinds[0] == kinds[1] else Shape(f"{kinds[0]} -> {kinds[1]}")


def _is_small(value: Json) -> bool:
    if isinstance(value, str | list | dict):
        return len(value) <= LONGEST
    if isinstance(value, int):
        return -_LARGEST < value < _LARGEST
    return not isinstance(value, float | Decimal) or _has_few_digits(Decimal(value))


def _has_few_digits(number: Decimal) -> bool:
    return number.is_finite() and abs(number.adjusted()) < _MOST_DIGITS and len(str(number)) < 2 * _MOST_DIGITS


# --------------------------------------------------------------------------------------------------------------- texts


def _composed(old: str, new: str) -> Shape | None:
    if old.isascii() and new.isascii():
        return None
    same = unicodedata.normalize("NFC", old) == unicodedata.normalize("NFC", new)
    return Shape("another Unicode form") if same else None


def _spaced(old: str, new: str) -> Shape | None:
    return Shape("white space") if "".join(old.split()) == "".join(new.split()) else None


def _cased(old: str, new: str) -> Shape | None:
    if old.casefold() != new.casefold():
        return None
    forms = {old.upper(): "now in upper case", old.lower(): "now in lower case"}
    return Shape(forms.get(new, "upper and lower case"))


def _dated(old: str, new: str) -> Shape | None:
    one, other = _moment(old), _moment(new)
    if one is None or other is None:
        return None
    if one.tzinfo is not None and other.tzinfo is not None and one == other:
        return Shape("same instant, written otherwise")
    # The hands of the clock show the same, and the moment is another one.
    same_hands = one.replace(tzinfo=None) == other.replace(tzinfo=None) and old[:10] == new[:10]
    return Shape("same clock time, another time zone") if same_hands and one.tzinfo != other.tzinfo else None


def _moment(text: str) -> datetime | None:
    """Return the date and time that a text is as a whole: RFC 3339, ISO 8601 or as in HTTP's headers."""
    if not _DATED.match(text):
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(text)
        except (ValueError, IndexError, OverflowError):
            continue
    return None


def _numeric(old: str, new: str) -> Shape | None:
    if not (_NUMBER.fullmatch(old) and _NUMBER.fullmatch(new)):
        return None
    one, other = Decimal(old), Decimal(new)
    # Of two numbers, nothing that is told of texts would be true.
    return next((shape for look in _OF_NUMBERS if (shape := look(one, other)) is not None), _NONE)


def _lengthened(old: str, new: str) -> Shape | None:
    if not old or not new:
        return Shape("empty -> text" if new else "text -> empty")
    words, part, whole = ("added", old, new) if len(old) < len(new) else ("cut", new, old)
    if whole.startswith(part):
        return Shape(f"text {words} at the end", whole[len(part) :])
    if whole.endswith(part):
        return Shape(f"text {words} in front", whole[: -len(part)])
    return None


def _shuffled(old: str, new: str) -> Shape | None:
    one, other = _SEPARATORS.split(old), _SEPARATORS.split(new)
    if len(one) == 1 or len(other) == 1:
        return None
    return Shape("another order") if sorted(filter(None, one)) == sorted(filter(None, other)) else None


# ------------------------------------------------------------------------------------------------------------- numbers


def _respelled(old: Decimal, new: Decimal) -> Shape | None:
    return Shape("same number, written otherwise") if old == new else None


def _turned(old: Decimal, new: Decimal) -> Shape | None:
    return Shape("sign turned") if old == -new else None


def _stepped(old: Decimal, new: Decimal) -> Shape | None:
    whole = old == old.to_integral_value()
    return {1: Shape("one more"), -1: Shape("one less")}.get(int(new - old)) if whole and abs(new - old) == 1 else None


def _scaled(old: Decimal, new: Decimal) -> Shape | None:
    for factor in (100, 1000):
        if new == _EXACT.multiply(old, Decimal(factor)):
            return Shape(f"{factor} times as much")
        if old == _EXACT.multiply(new, Decimal(factor)):
            return Shape(f"divided by {factor}")
    return None


def _rounded(old: Decimal, new: Decimal) -> Shape | None:
    mine, theirs = _places(old), _places(new)
    if mine == theirs:
        return None
    words, exact, short, places = (
        ("rounded", old, new, theirs) if mine > theirs else ("no longer rounded", new, old, mine)
    )
    if places == 0 and mine < theirs:
        # That a whole number has become a broken one says little of where the whole one came from.
        return None
    off = abs(_EXACT.subtract(exact, short))
    unit = Decimal(1).scaleb(-places)
    if off * 2 <= unit:
        return Shape(words, str(places))
    return Shape(words.replace("rounded", "cut off"), str(places)) if off < unit and abs(short) < abs(exact) else None


def _places(number: Decimal) -> int:
    return max(0, -int(number.as_tuple().exponent))


def _close(old: Decimal, new: Decimal) -> Shape | None:
    off = abs(_EXACT.subtract(old, new))
    return Shape("last digits") if off <= _EXACT.multiply(abs(old), _NEGLIGIBLE) else None


_OF_NUMBERS: Final[Sequence[Callable[[Decimal, Decimal], Shape | None]]] = (
    _respelled, _turned, _scaled, _stepped, _close, _rounded,
)  # fmt: skip


def _of_decimals(look: Callable[[Decimal, Decimal], Shape | None]) -> Look:
    return lambda old, new: look(Decimal(old), Decimal(new))


# ----------------------------------------------------------------------------------------------------------- the others


def _reordered(old: list[Json], new: list[Json]) -> Shape | None:
    if not old or not new:
        return Shape("filled" if new else "emptied")
    try:
        same = len(old) == len(new) and sorted(map(canonical_json, old)) == sorted(map(canonical_json, new))
    except ValueError:  # NaN, which a rule may allow, and which has no spelling to be sorted by
        return None
    return Shape("another order") if same else None


def _spelled_alike(old: Json, new: Json) -> Shape | None:
    alike = spelling(old) == spelling(new)
    return Shape(f"{json_type(old)} -> {json_type(new)}, spelled alike") if alike else None


def _emptied(old: Json, new: Json) -> Shape | None:
    """Look for a null on one side, and on the other a text, an array or an object with nothing in it."""
    if (new if old is None else old) in ("", [], {}):
        return Shape(" -> ".join("null" if value is None else f"empty {json_type(value)}" for value in (old, new)))
    return None


def _flipped(old: Json, new: Json) -> Shape | None:
    return Shape(f"{spelling(old)} -> {spelling(new)}")


_OF_TEXTS: Final[Sequence[Look]] = (
    _composed, _cased, _spaced, _numeric, _dated, _lengthened, _shuffled,
)  # fmt: skip

_LOOKS: Final[Mapping[tuple[str, str], Sequence[Look]]] = {
    ("string", "string"): _OF_TEXTS,
    ("number", "number"): tuple(map(_of_decimals, _OF_NUMBERS)),
    ("array", "array"): (_reordered,),
    ("boolean", "boolean"): (_flipped,),
    **{(kind, "string"): (_spelled_alike,) for kind in ("number", "boolean")},
    **{("string", kind): (_spelled_alike,) for kind in ("number", "boolean")},
    **{pair: (_emptied,) for kind in ("string", "array", "object") for pair in (("null", kind), (kind, "null"))},
}
