"""Texts that name one thing of many: in a path or a map they say which order it is, not what an order looks like."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

LONGEST_NAME: Final = 64
"""Characters beyond which nobody gave a thing this name by hand."""
_TOKEN: Final = 16
"""The fewest characters of a text without words that counts as made by a machine."""
_DIGITS: Final = 3
"""How many digits such a text has at least: `checkout-payments-v2` was thought of by somebody."""

_SHAPES: Final = re.compile(
    r"""
      [+-]?\d+(?:[.,_:/-]\d+)*                                      # 17, 12.50, 2024-02-29, 10:30, an address
    | \d{4}-\d\d-\d\d[T ]\d\d.*                                    # an instant
    | [0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}                   # a UUID, in any case
    | (?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}                          # a hash
    | [a-z]{1,12}(?:-\d{2,}|[_:./#]\d{3,})(?:[-_:.]\d+)*           # order-17, INC-1042, order_1234
    | [a-z]{1,2}\d{4,} | [a-z]{3}\d{5,}                             # A1042, SKU00042
    | (?-i:[a-z]{1,8}_(?=[a-z0-9]*[A-Z])(?=[A-Za-z]*\d)[A-Za-z0-9]{10,})    # cus_NffrFeUfNV2Hib
    | [^@\s/]+@[^@\s/]+\.[a-z]+                                    # an e-mail address
    | tok_[a-z2-7]{16}                                             # what stands for a secret
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII | re.DOTALL,
)
_MACHINE_MADE: Final = re.compile(r"[A-Za-z0-9]+|(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9_=-]+")
"""Without parts, or of letters in both cases: `iso_8601_timestamp` has words."""


def names_one(text: str) -> bool:
    """Tell whether a text looks like the name of one thing of many: a number, a date, a UUID, `order-17`, a token.

    What looks like a word does not, even if it names one thing: `alice`, `v2`, `sha256` and `utf-8` stay.
    """
    return len(text) > LONGEST_NAME or _looks_made(text)


@lru_cache(maxsize=4_096)
def _looks_made(text: str) -> bool:
    return _SHAPES.fullmatch(text) is not None or _is_token(text)


def _is_token(text: str) -> bool:
    digits = sum(map(str.isdigit, text))
    return len(text) >= _TOKEN and digits >= _DIGITS and _MACHINE_MADE.fullmatch(text) is not None


_WRITTEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.~+/=:-]*")
_TIMES: Final = re.compile(r"\d{4}-\d\d(?:-\d\d)?|\d\d:\d\d")
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
"""Of which one in five has four digits, a hyphen and two more, as a date has."""
_SHORTEST: Final = 8
_LONGEST: Final = 4_096


def looks_minted(text: str) -> bool:
    """Tell whether a program made a text up, so that it means the same wherever it stands: a UUID, `ord_8f3k92`.

    At least eight characters without spaces, no date, time or plain number; and a word among them mixes letters and
    digits more than once, is hexadecimal, has six digits in a row beside other words, or is long and of both cases.
    """
    if not _SHORTEST <= len(text) <= _LONGEST or text.isdecimal():
        return False
    if _UUID.fullmatch(text) is not None:
        return True
    if _WRITTEN.fullmatch(text) is None or _TIMES.search(text) is not None:
        return False
    return any(map(_is_made_up, re.split("[^A-Za-z0-9]+", text)))


def _is_made_up(word: str) -> bool:
    if len(word) < 6:  # noqa: PLR2004 - v1beta, sha256: too short to be told from what people write
        return False
    if word.isdecimal():
        return True
    changes = len(re.findall(r"(?<=\d)[A-Za-z]|(?<=[A-Za-z])\d", word))
    if changes > 1 or (changes == 1 and len(word) >= _SHORTEST and re.fullmatch("[0-9a-f]+|[0-9A-F]+", word)):
        return True
    return len(word) >= _TOKEN and not (word.islower() or word.isupper() or word.istitle())


_BEYOND: Final = 10**40
"""No name is a number as large as this; Python refuses to spell much larger ones."""
_LONG: Final = 32
"""Characters of a text without spaces that is nothing but itself."""


def is_telling(value: Any) -> bool:
    """Tell whether a JSON value is its own name wherever it stands; a short one may be a number of pieces elsewhere."""
    if isinstance(value, str):
        return looks_minted(value) or (len(value) >= _LONG and _WRITTEN.fullmatch(value) is not None)
    return isinstance(value, int) and not isinstance(value, bool) and 10**8 <= abs(value) < _BEYOND
