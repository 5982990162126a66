"""A team's own functions, by `module:attribute`: imported from the project alone, when settings are checked."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from replay.errors import SettingsError

_HINT: Final = "write module:attribute, a function in the folder of replay.yaml"


def names_code(text: str) -> bool:
    """Tell whether a text is a `module:attribute`."""
    module, colon, attribute = text.partition(":")
    return bool(colon) and all(part.isidentifier() for part in [*module.split("."), *attribute.split(".")])


def load_own(name: str, root: Path | None, whose: str, verb: str) -> Callable[..., Any]:
    """Import a function that a verb of `whose` (a rule, a KPI) names, from the project's folder and nowhere else.

    Raise SettingsError where there is none, or where the rule stands in no settings (then there is no `root`).
    """
    if root is None:
        raise SettingsError(
            f"{whose}: {verb} names code, and only replay.yaml may do that",
            hint="move the rule to `compare:` there",
        )
    if not names_code(name):
        raise SettingsError(f"{whose}: '{name}' is no module:attribute", hint=_HINT)
    module, _, attribute = name.partition(":")
    _require_own(module.partition(".")[0], root, whose)
    try:
        found = loaded(name)
    except AttributeError:
        raise SettingsError(f"{whose}: {module} has no function '{attribute}'", hint=_HINT) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - importing runs the team's code, which may raise anything
        told = f"{type(error).__name__}: {str(error)[:200]}"
        raise SettingsError(f"{whose}: {verb} cannot import {module}: {told}", hint=_HINT) from None
    if not callable(found):
        raise SettingsError(f"{whose}: {module} has no function '{attribute}'", hint=_HINT)
    function: Callable[..., Any] = found
    return function


def loaded(name: str) -> Any:
    """Return what `load_own` has found to be the project's own. Raise what importing it raises, or AttributeError."""
    module, _, attribute = name.partition(":")
    found = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def _require_own(package: str, root: Path, whose: str) -> None:
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
        raise SettingsError(f"{whose}: {package} is not in the project's folder{found}", hint=_HINT)
