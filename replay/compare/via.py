"""`via: "module:attribute"`: a team's own function reads a body, such as the text of a PDF."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from replay.compare.formats import Flaw, Reading, read_plain
from replay.compare.formats.base import Content
from replay.compare.formats.markup import MOST_LEVELS
from replay.compare.loading import load_own
from replay.models import Json

_MOST_LEVELS: Final = 2 * MOST_LEVELS


@dataclass(frozen=True, slots=True)
class Via:
    """A function that reads bodies, by its name."""

    name: str
    read: Callable[[bytes], Any]

    def reading(self, body: bytes) -> Reading:
        """Return what the function makes of a body. An error in it, or what is no JSON value, is a flaw."""
        try:
            value = _json(self.read(body), 0)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is not our code: whatever it raises is a finding
            plain = read_plain(Content(body))
            flaw = Flaw("via", f"{self.name} raised {type(error).__name__}: {str(error)[:200]}")
            return Reading(plain.kind, plain.value, (*plain.flaws, flaw))
        return Reading("text" if isinstance(value, str) else "json", value)


def load_via(name: str, root: Path | None, at: str) -> Via:
    """Load a function from the project's folder and nowhere else. Raise SettingsError where there is none."""
    return Via(name, load_own(name, root, f"rule at '{at}'", "via"))


def _json(value: Any, depth: int) -> Json:
    """Return a function's value as JSON has it, doubles as the decimals they stand for. Raise TypeError for others."""
    if depth > _MOST_LEVELS:
        raise ValueError("its value is nested too deeply")
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float | Decimal):
        number = Decimal(repr(value)) if isinstance(value, float) else value
        if not number.is_finite():
            raise ValueError("its value holds NaN or an infinity")
        return number
    if isinstance(value, list | tuple):
        return [_json(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_name(key): _json(item, depth + 1) for key, item in value.items()}
    raise TypeError(f"its value holds a {type(value).__name__}, which JSON has not")


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"its value has a key that is a {type(key).__name__}")
    return key
