"""What begins anew in a forked child: threads do not come along, and locks may be held by those that did not."""

from __future__ import annotations

import os
from typing import Final, Protocol
from weakref import WeakSet


class _Anew(Protocol):
    def begin_anew(self) -> None:
        """Forget threads and locks."""


_KEPT: Final[WeakSet[_Anew]] = WeakSet()


def anew_after_fork(one: _Anew) -> None:
    """Have something begin anew in every child of this process."""
    _KEPT.add(one)


def _begin_anew() -> None:
    for one in list(_KEPT):
        one.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
