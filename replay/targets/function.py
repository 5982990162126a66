"""A function in worker processes: JSON arguments in, JSON value or exception out."""

from __future__ import annotations

from replay.errors import SettingsError
from replay.models import TargetSpec
from replay.targets.app import AppTarget


class FunctionTarget(AppTarget):
    """Calls a function, whatever its signature looks like.

    The case's body is its arguments: a JSON object the keyword arguments, coerced by annotations; a list the positional
    ones; anything else a single one; no body none. The observation has no status; its body is the value as JSON.
    """

    def __init__(self, spec: TargetSpec, *, concurrency: int) -> None:
        if not spec.function:
            raise SettingsError("a function target needs `function`", hint="write function: module:attribute")
        super().__init__(spec, concurrency=concurrency)
