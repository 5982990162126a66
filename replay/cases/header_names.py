"""What the names of header fields tell by themselves: requests have few sets of them, and each is looked at once."""

from __future__ import annotations

from typing import Final, NamedTuple

from replay.cases.correlation import CORRELATING
from replay.cases.fields import is_token

_LONG: Final = 8192
"""So many characters of names are not kept."""
_MOST: Final = 256


class ByNames(NamedTuple):
    """What the names of header fields tell: whether they can be sent, and which fields are of a kind."""

    sendable: bool
    content_type: bool
    """Whether there is one."""
    correlating: tuple[int, ...]
    """Where those stand that may hold a correlation id."""


_known: dict[tuple[str, ...], ByNames] = {}


def told_by(names: tuple[str, ...]) -> ByNames:
    """Return what the names of some header fields tell."""
    return _known.get(names) or _looked_at(names)


def _looked_at(names: tuple[str, ...]) -> ByNames:
    lower = [name.lower() for name in names]
    correlating = tuple([at for at, name in enumerate(lower) if name in CORRELATING])
    told = ByNames(all(map(is_token, names)), "content-type" in lower, correlating)
    if sum(map(len, names)) < _LONG:
        if len(_known) >= _MOST:
            _known.clear()
        _known[names] = told
    return told
