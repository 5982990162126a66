"""What a run rests on, as digests: `--resume` goes on only where none of it has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any, Final

from replay.config import Settings
from replay.documents import canonical_json
from replay.engine import Plan
from replay.models import Order, Side, TargetSpec
from replay.store.base import RunRecord

PRIVATE: Final = "headers, variables and commands"
CODE: Final = "code of"
KPIS: Final = "kpis"
SHARD: Final = "shard"
MOST_MODULES: Final = 5_000
_SENT: Final[set[str]] = {"path", "headers", "json_", "form", "text"}
"""What a login sends."""
_RUN: Final[set[str]] = {"run", "setup", "teardown", "reset"}
"""What is carried out."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What results depend on in how cases are sent. How fast, and by how many, is not part of it."""

    seed: int
    instant: datetime | None
    """The instant if one is given."""
    tick: bool
    seed_also: Sequence[str]
    noise: int
    """How many times more old is asked."""
    order: Order
    repeat: int | None
    """How often every case is sent; None is as often as there is time."""
    seconds: float | None


def fingerprint(
    run: str,
    settings: Settings,
    sides: Mapping[Side, TargetSpec],
    inputs: str,
    sentences: Sequence[str],
    manner: Manner,
    labels: Mapping[str, str],
    root: Path,
) -> dict[str, str]:
    """Return a digest by the name of each thing that the results of a run depend on.

    Where the project's folder `root` stands is no part of it: shards are carried out on several machines.
    """
    found = {
        "inputs": inputs,
        "rules": rules_digest(settings),
        "criteria": criteria_digest(sentences),
        KPIS: kpis_digest(settings),
        "seed": _hash(f"{manner.seed} {manner.instant} {manner.tick} {' '.join(sorted(manner.seed_also))}"),
        "noise": str(manner.noise),
        "order": manner.order,
        "repeat": str(manner.repeat),
        "duration": str(manner.seconds),
        PRIVATE: _private(sides, run),
        "labels": canonical_json(labels),
    }
    found |= {f"{CODE} {side}": code_of(spec) for side, spec in sides.items()}
    return found | {str(side): _hash(_public(spec, root)) for side, spec in sides.items()}


def criteria_digest(sentences: Sequence[str]) -> str:
    """Return a digest of what has to hold."""
    return _hash("\n".join(sentences))


def kpis_digest(settings: Settings) -> str:
    """Return a digest of how KPIs are defined."""
    return _hash(canonical_json(settings.model_dump(mode="json", include={"kpis"})))


def rules_digest(settings: Settings) -> str:
    """Return a digest of what says how answers are judged."""
    judging = {"compare", "groups", "error_when", "kpis", "rebind", "recheck"}
    rules = settings.model_dump(mode="json", by_alias=True, include=judging)
    return _hash(canonical_json(rules))


def changed_since(record: RunRecord, plan: Plan) -> list[str]:
    """Return the names of what has changed since a run was begun; a plan that differs in none can go on with it."""
    now = dict(plan.record.fingerprint) | {PRIVATE: _private(plan.sides, record.id)}
    names = [name for name in {**record.fingerprint, **now} if record.fingerprint.get(name) != now.get(name)]
    names += ["--gate"] if record.gate != plan.record.gate else []
    return names + (["--collect"] if record.collect != plan.record.collect else [])


def _public(spec: TargetSpec, root: Path) -> str:
    """Return what identifies a side; of headers and variables the names alone, since their values may be secrets.

    Of a login, what it sends stays out altogether.
    """
    names = {"headers": sorted(name.lower() for name in spec.headers), "env": sorted(spec.env)}
    private: dict[str, Any] = {"headers": True, "env": True, "login": _SENT, "clock_secret": True}
    private |= dict.fromkeys(_RUN, True)
    private["routes"] = {"__all__": {"headers", "clock_secret"}}
    text = canonical_json(spec.model_dump(mode="json", exclude=private) | names)
    return text.replace(canonical_json(str(root))[1:-1], ".")


def _private(sides: Mapping[Side, TargetSpec], run: str) -> str:
    """Return a digest of the values that may be secrets: salted by the run, and too dear to be found by guessing."""
    values = {
        str(side): [
            dict(spec.headers),
            dict(spec.env),
            _sent(spec),
            _commands(spec),
            *(dict(it.headers) for it in spec.routes),
        ]
        # A credential that was renewed is no reason to begin anew.
        for side, spec in ((side, given.written) for side, given in sides.items())
    }
    if not any(given for several in values.values() for given in several):
        return ""
    return hashlib.scrypt(canonical_json(values).encode(), salt=run.encode(), n=2**14, r=8, p=1, dklen=16).hex()


def _sent(spec: TargetSpec) -> object:
    return spec.login.model_dump(mode="json", include=_SENT) if spec.login is not None else None


def _commands(spec: TargetSpec) -> object:
    return spec.model_dump(mode="json", include=_RUN, exclude_defaults=True) or None


def code_of(spec: TargetSpec) -> str:
    """Return a digest of the Python files that an app or a function is made of, as far as they lie in this project.

    That is its module, or every module of its package; what it imports from elsewhere is not looked at.
    """
    named = [it.partition(":")[0].partition(".")[0] for it in (spec.app or spec.function, spec.via) if it]
    if not named or (spec.at or "").startswith("git:"):
        return ""  # A commit says all by itself.
    roots = [Path(spec.cwd or "."), *([Path(spec.at.partition(":")[2])] if spec.at else [])]
    whole = hashlib.sha256()
    for root, top in product(roots, named):
        for file in (root / f"{top}.py", *sorted((root / top).rglob("*.py"))[:MOST_MODULES]):
            if file.is_file():
                whole.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return whole.hexdigest()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
