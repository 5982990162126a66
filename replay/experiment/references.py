"""Experiments by where a program keeps them: pickled so, one reaches a pool's processes as a function does."""

from __future__ import annotations

import functools
import pickle
import sys
from importlib import import_module
from typing import Any

Reference = tuple[str, str]
"""A module's name, and the attribute there, which may be dotted."""


def reference_to(experiment: object, known: Reference | None) -> Reference:
    """Return where an experiment stands: in a class, as `known` says, or in a module. Raise PicklingError elsewhere."""
    for module, name in [known] if known is not None else _standing(experiment):
        if found_at(module, name) is experiment:
            return module, name
    raise pickle.PicklingError(f"{experiment!r} stands in no module, so that no other process can find it")


def _standing(experiment: object) -> list[Reference]:
    modules = [(name, vars(module)) for name, module in list(sys.modules.items()) if hasattr(module, "__dict__")]
    return [(module, name) for module, held in modules for name, value in list(held.items()) if value is experiment]


def found_at(module: str, name: str) -> Any:
    """Return what stands there."""
    return functools.reduce(_member, name.split("."), import_module(module))


def _member(owner: Any, name: str) -> Any:
    return getattr(owner, name, None)
