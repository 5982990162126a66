"""Which run of the store an outcome belongs to, and the record by which the first process begins it."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Final

from replay import __version__
from replay.experiment.calls import Setup
from replay.store.base import RunRecord
from replay.store.experiments import ExperimentRun, with_experiment

_UNFIT: Final = re.compile(r"[^a-z0-9]+")
_LONGEST: Final = 40


def slug(name: str) -> str:
    """Return a name as it may stand in that of a file, and in the id of a run."""
    return _UNFIT.sub("-", name.lower())[:_LONGEST].strip("-") or "experiment"


def joint_run(setup: Setup, prints: Mapping[str, str], at: datetime) -> RunRecord:
    """Return the record of the run that all processes share, begun at an instant of its UTC day.

    Functions, rules and version are told apart by their `prints`, so that a day on which new was deployed anew makes
    two runs: evidence for one version is none for another.
    """
    day = at.astimezone(UTC).date()
    whole = _digest("\n".join((setup.name, *(f"{name} {prints[name]}" for name in sorted(prints)))))
    record = RunRecord(
        id=f"{slug(setup.name)}-{day:%Y%m%d}-{whole[:6]}",
        started=at,
        fingerprint=prints,
        settings={"decision": f"experiment {setup.name}", "instant": at.isoformat(), "seed": 0},
        version=__version__,
        labels={"new": setup.version} if setup.version else {},
    )
    return with_experiment(record, ExperimentRun(setup.name, day, setup.old, setup.new))


def prints_of(setup: Setup) -> dict[str, str]:
    """Return a digest by the name of each thing that outcomes of an experiment are evidence about.

    Old may be deployed anew meanwhile, as long as it stays the same function: so its file is not looked at.
    """
    return {
        "old": _digest(setup.old),
        "new": _digest(setup.new),
        "code of old": "",
        "code of new": _digest(setup.version) if setup.version else _code(setup.new),
        "rules": _digest(f"{setup.equality}\n{[sorted(rule.items(), key=_spelled) for rule in setup.rules]}"),
    }


_CODES: Final[dict[str, tuple[ModuleType, str]]] = {}


def _code(place: str) -> str:
    """Return a digest of the file in which a function stands; empty where nobody can tell.

    It is read once: a file that is replaced later is not what this process has loaded.
    """
    name = place.partition(":")[0]
    module = sys.modules.get(name) if name else None
    if module is None:
        return ""
    if _CODES.get(name, (None, ""))[0] is not module:
        _CODES[name] = module, _digest_of_file(getattr(module, "__file__", None))
    return _CODES[name][1]


def _digest_of_file(file: str | None) -> str:
    try:
        return "" if file is None else hashlib.sha256(Path(file).read_bytes()).hexdigest()[:32]
    except OSError:
        return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _spelled(item: tuple[str, object]) -> str:
    return str(item[0])
