"""`via: "module:attribute"`: a team's own function reads a body, such as the text of a PDF."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from replay.compare.formats import Flaw, Reading, read_plain
from replay.compare.formats.base import Content
from replay.compare.formats.markup import MOST_LEVELS
from replay.errors import SettingsError
from replay.models import Json

_MOST_LEVELS: Final = 2 * MOST_LEVELS
_HINT: Final = "write via: module:attribute, a function in your project from bytes to text or a JSON value"


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
    module, _, attribute = name.partition(":")
    if root is None:
        raise SettingsError(
            f"rule at '{at}': via names code, and only replay.yaml may do that",
            hint="move the rule to `compare:` there",
        )
    if not all(part.isidentifier() for part in [*module.split("."), attribute]):
        raise SettingsError(f"rule at '{at}': '{name}' is no module:attribute", hint=_HINT)
    _require_own(module.partition(".")[0], root, at)
    try:
        read = getattr(importlib.import_module(module), attribute, None)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - importing runs the team's code, which may raise anything
        told = f"{type(error).__name__}: {str(error)[:200]}"
        raise SettingsError(f"rule at '{at}': via cannot import {module}: {told}", hint=_HINT) from None
    if not callable(read):
        raise SettingsError(f"rule at '{at}': {module} has no function '{attribute}'", hint=_HINT)
    return Via(name, read)


def _require_own(package: str, root: Path, at: str) -> None:
    """Raise SettingsError unless the project holds a module of this name, and importing it takes that one."""
    folder = root.resolve()
    if str(folder) not in sys.path:
        # Last: a file of the project must not stand in for a library that this tool is made of.
        sys.path.append(str(folder))
    importlib.invalidate_caches()
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:
        spec = None  # a module that somebody made by hand
    # A built-in has an origin too, which is no file: `built-in`, `frozen`.
    origin = [spec.origin] if spec is not None and spec.has_location and spec.origin else []
    places = [*origin, *((spec.submodule_search_locations or ()) if spec is not None else ())]
    if not places or not all(Path(place).resolve().is_relative_to(folder) for place in places):
        found = f" but in {places[0]}" if places else ""
        raise SettingsError(f"rule at '{at}': {package} is not in the project's folder{found}", hint=_HINT)


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
