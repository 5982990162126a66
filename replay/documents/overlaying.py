"""Settings laid over settings: one document of two, which still knows where everything came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from replay.documents.strict_yaml import Document
from replay.errors import Place


def overlaid(documents: Sequence[Document]) -> Document:
    """Lay each document over the one before: mappings member by member, everything else whole."""
    base = documents[0]
    if len(documents) == 1:
        return base
    over = documents[1]
    return _Overlaid(base.file, _laid_over(base.value, over.value), base._text, base, over)  # noqa: SLF001 - its twin


def _laid_over(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: _laid_over(base.get(key), value) for key, value in over.items()}
    return over


@dataclass(frozen=True)
class _Overlaid(Document):
    """Two documents as one; places are those of the upper one where it says something."""

    base: Document | None = None
    over: Document | None = None

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place:
        """Return where the value came from."""
        chosen = self.over if self.over is not None and _holds(self.over.value, path[:1]) else self.base
        return chosen.place(path, key=key) if chosen is not None else Place(self.file)


def _holds(value: Any, path: Sequence[str | int]) -> bool:
    return bool(path) and isinstance(value, dict) and path[0] in value
