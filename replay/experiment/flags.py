"""Whose answer is used, by a flag that stands elsewhere: callables for `use_new`.

What no flag can tell for certain raises, and an experiment whose `use_new` raises uses old, and says so on its log.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

from replay.errors import ReplayError, SettingsError
from replay.inert import printable

WORDS: Final[Mapping[str, bool]] = {
    "1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False, "": False,
}  # fmt: skip
UNKNOWN: Final = "FLAG_NOT_FOUND"
_SHOWN: Final = 60

Flag = Callable[..., bool]


class FlagError(ReplayError):
    """A flag that tells neither yes nor no."""


def environment(name: str) -> Flag:
    """Return a flag that reads a variable of the environment at each call: 1, true, yes, on; 0, false, no, off.

    Upper and lower case are the same, and an unset or empty variable is no. Any other word raises FlagError.
    """

    def flag(*_args: object, **_kwargs: object) -> bool:
        word = os.environ.get(name, "").strip().lower()
        if word not in WORDS:
            words = ", ".join(filter(None, WORDS))
            raise FlagError(f"the variable {name} holds '{printable(word, _SHOWN)}', and none of {words}")
        return WORDS[word]

    return flag


def openfeature(
    key: str,
    *,
    default: bool = False,
    context: Callable[..., Mapping[str, Any]] | None = None,
    domain: str | None = None,
) -> Flag:
    """Return a flag of OpenFeature, asked at each call with what `context` makes of the call's arguments.

    The context's `targeting_key` says who it is about. `default` holds where the provider does not know the flag; where
    it fails, FlagError is raised. Raise SettingsError where openfeature-sdk is not installed.
    """
    try:
        api = import_module("openfeature.api")
        contexts = import_module("openfeature.evaluation_context")
    except ImportError:
        hint = "pip install 'replay-cutover[openfeature]'"
        raise SettingsError("openfeature() needs openfeature-sdk", hint=hint) from None
    client = api.get_client(domain)

    def flag(*args: Any, **kwargs: Any) -> bool:
        about = dict(context(*args, **kwargs)) if context is not None else {}
        who = about.pop("targeting_key", None)
        details = client.get_boolean_details(key, default, contexts.EvaluationContext(who, about))
        if details.error_code is not None and str(details.error_code.value) != UNKNOWN:
            fact = (
                f"the flag {key} could not be told: {details.error_code}: {printable(str(details.error_message), 200)}"
            )
            raise FlagError(fact)
        return _boolean(key, details.value)

    return flag


def _boolean(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise FlagError(f"the flag {key} is a {type(value).__name__}, and no boolean")
    return value
