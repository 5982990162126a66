"""What locations have in common: any item of an array, any member of an object that is a map from ids to values."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Final

_SEGMENT: Final = re.compile(
    r"\.\.?[^.\[]*"
    r"|\['(?P<quoted>(?:\\.|[^'\\])*)'\]"
    r"|\[\?(?:[^'\]]|'(?:\\.|[^'\\])*')*\]"
    r"|\[[^\]]*\]",
    re.DOTALL,
)
_ID: Final = re.compile(
    r"\d+"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|(?=[a-f]*\d)[0-9a-f]{8,}|(?=[A-F]*\d)[0-9A-F]{8,}"  # hexadecimal, and no word
    r"|(?=[A-Z]*\d)[0-9A-HJKMNP-TV-Z]{26}"  # a ULID
    r"|\d{4}-\d\d(?:-\d\d(?:[T ]\d\d.*)?)?"  # a month, a day, an instant
    r"|\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?"  # an address
    r"|[A-Za-z]+(?:[-_:./#]\d{3,}|\d{4,})"  # a prefix and a number: not address1 nor sha256
    r"|[A-Za-z]+[-_:]\d+(?:[-_:]\d+)+"
    r"|[a-z]{1,8}_(?=[a-z0-9]*[A-Z])(?=[A-Za-z]*\d)[A-Za-z0-9]{10,}"  # a prefix and characters at random
    r"|[^\s@/]+@[^\s@/]+\.[A-Za-z]+",
    re.DOTALL,
)
_LONGEST: Final = 256
"""A name of more characters is nobody's name for a member: it is content."""


@lru_cache(maxsize=4096)
def general(at: str) -> str:
    """Return a location for all that it is an example of: `body.items[3].id` is `body.items[*].id`.

    Indices and filters become `[*]`; below `body`, a member whose name looks like an id (digits, hexadecimal, UUIDs,
    dates, a prefix with a number, e-mail addresses) becomes `*`: `body.prices['A-00012'].net` is `body.prices.*.net`.
    What comes out is a location too, which matches what came in.
    """
    root, parts = "", []
    for found in _SEGMENT.finditer(f".{at}"):
        root = root or found[0]
        parts.append(_any(found, is_content=root == ".body"))
    return "".join(parts).removeprefix(".")


def _any(segment: re.Match[str], *, is_content: bool) -> str:
    text, quoted = segment[0], segment["quoted"]
    if quoted is None and text.startswith("["):
        return "[*]"
    name = text.lstrip(".") if quoted is None else _unquoted(quoted)
    if not is_content or text.startswith("..") or not looks_like_an_id(name):
        return text
    return ".*"


def _unquoted(quoted: str) -> str:
    text = re.sub(r"""\\'|"|\\.""", lambda found: {"\\'": "'", '"': '\\"'}.get(found[0], found[0]), quoted)
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:  # no location: somebody wrote it, and not the printer
        return quoted


def looks_like_an_id(name: str) -> bool:
    """Tell whether the name of a member says which one it is, not what it is."""
    return len(name) > _LONGEST or _ID.fullmatch(name) is not None
