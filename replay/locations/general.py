"""What locations have in common: any item of an array, any member of an object that is a map from ids to values."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Final

from replay.identifiers import names_one

LONGEST: Final = 500
"""Characters of a location that is told in full; what lies deeper is told as `..*`."""

_BELOW: Final = "..*"
_SEGMENT: Final = re.compile(
    r"\.\.?[^.\[]*"
    r"|\['(?P<quoted>(?:\\.|[^'\\])*)'\]"
    r"|\[\?(?:[^'\]]|'(?:\\.|[^'\\])*')*\]"
    r"|\[[^\]]*\]",
    re.DOTALL,
)


def general(at: str) -> str:
    """Return a location for all that it is an example of: `body.items[3].id` is `body.items[*].id`.

    Indices and filters become `[*]`; below `body`, a member whose name looks like an id (digits, hexadecimal, UUIDs,
    dates, a prefix with a number, e-mail addresses) becomes `*`: `body.prices['A-00012'].net` is `body.prices.*.net`.
    What comes out is a location too, which matches what came in.
    """
    return _general(at) if len(at) <= LONGEST else _cut(_general.__wrapped__(at))


@lru_cache(maxsize=4096)
def _general(at: str) -> str:
    root, parts = "", []
    for found in _SEGMENT.finditer(f".{at}"):
        root = root or found[0]
        parts.append(_any(found, is_content=root == ".body"))
    return "".join(parts).removeprefix(".")


def _cut(at: str) -> str:
    """Return a location that is too long to be told as all that is below the last place that is not."""
    if len(at) <= LONGEST:
        return at
    last = max((found.start() for found in _SEGMENT.finditer(at) if found.start() <= LONGEST - len(_BELOW)), default=0)
    return at[:last] + _BELOW if last else at


def _any(segment: re.Match[str], *, is_content: bool) -> str:
    text, quoted = segment[0], segment["quoted"]
    if quoted is None and text.startswith("["):
        return "[*]"
    name = text.lstrip(".") if quoted is None else _unquoted(quoted)
    if not is_content or text.startswith("..") or not names_one(name):
        return text
    return ".*"


def _unquoted(quoted: str) -> str:
    text = re.sub(r"""\\'|"|\\.""", lambda found: {"\\'": "'", '"': '\\"'}.get(found[0], found[0]), quoted)
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:  # no location: somebody wrote it, and not the printer
        return quoted
