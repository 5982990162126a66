"""A team's own functions, by `module:attribute`: imported once, when settings are checked."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from functools import reduce
from typing import Any, Final

from replay.errors import SettingsError

_CODE: Final = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*:[A-Za-z_]\w*(?:\.\w+)*")


def names_code(text: str) -> bool:
    """Tell whether a text is a `module:attribute`."""
    return _CODE.fullmatch(text) is not None


def load(text: str, at: str) -> Callable[..., Any]:
    """Import what `module:attribute` names. Raise SettingsError, naming the rule at `at`, where that cannot be."""
    module, _, attribute = text.partition(":")
    hint = "it is looked for beside replay.yaml, and among what is installed where replay runs"
    try:
        found = reduce(getattr, attribute.split("."), importlib.import_module(module))
    except Exception as error:  # noqa: BLE001 - whatever a team's module raises while it is imported
        told = f"{type(error).__name__}: {error}"
        raise SettingsError(f"rule at '{at}': {text} cannot be loaded: {told}", hint=hint) from None
    if not callable(found):
        raise SettingsError(f"rule at '{at}': {text} is no function", hint="name one that takes an item") from None
    return found
