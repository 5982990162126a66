"""What `shrink` and `vary` have in common: a plan whose sides are asked cases that nobody recorded."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self

from replay.cli.promoting import require_meant
from replay.curation.golden_text import Telling, says_something
from replay.curation.promote import Promotion, promote
from replay.engine import Plan
from replay.errors import InputError
from replay.models import Case, Result
from replay.sampling import derive_seed

_RESTS_ON: Final = ("rules", "seed", "old", "new")
_INSTANT: Final = "instant"


def the_case(plan: Plan, key: str) -> Case:
    """Return the one case of a plan that is called so. Raise InputError where there are several."""
    found = list(islice(plan.cases, 2))
    if len(found) > 1:
        first, second = (case.id for case in found)
        raise InputError(f"'{key}' are several cases, such as {first} and {second}", hint="name one by its id")
    return found[0]


def fixed(plan: Plan, case: Case) -> Case:
    """Return a case by itself, with the seed and the instant that it has in a run, whatever becomes of it."""
    seed = case.seed if case.seed is not None else derive_seed(plan.sending.seed, case.origin)
    return replace(case, seed=seed, freeze=case.freeze or plan.sending.instant, session=None, recorded=None)


def one_at_a_time(plan: Plan) -> Plan:
    """Return a plan in which one case is sent at a time, and nothing is asked again."""
    return replace(plan, sending=replace(plan.sending, concurrency=1, noise=0, recheck=None))


def promotion_of(
    plan: Plan, result: Result, *, why: str, name: str | None = None, telling: Telling = says_something
) -> Promotion:
    """Return the golden that a case which nobody recorded becomes, without secrets, with headers that are telling.

    Raise InputError where it was made of a recorded one with the name of a secret as text, which a golden fills in.
    """
    require_meant([result])
    # What is made of a golden is a case of its own.
    (result,) = plan.redact([replace(result, case=replace(result.case, kind="traffic"))], frozenset())
    sending = plan.sending
    made = partial(promote, result, run=plan.record.id, run_seed=sending.seed, instant=sending.instant)
    return made(name=name, why=why, telling=telling)


class Memory(MutableMapping[str, bool]):
    """What smaller cases were found to show, kept in a file beside the store until the smallest one is found.

    Only digests are kept of what was sent. It is another file for other rules, sides or seeds.
    """

    def __init__(self, path: Path, instant: datetime) -> None:
        self.instant = instant
        """Under which everything was asked so far, and has to be from here on."""
        self._path = path
        self._known: dict[str, bool] = {}
        lines = list(_lines(path))
        # A file that is damaged tells nothing, and is begun anew.
        with suppress(ValueError, TypeError):
            if lines and lines[0][0] == _INSTANT:
                self.instant = datetime.fromisoformat(lines[0][1])
                self._known = {str(key): bool(shows) for key, shows in lines[1:]}
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self._known else os.O_TRUNC)
        self._file = os.fdopen(os.open(path, flags, 0o600), "a", encoding="ascii")
        if not self._known:
            self._write(_INSTANT, instant.isoformat())

    @classmethod
    def of(cls, store: Path, plan: Plan, case: Case) -> Self:
        """Return what is known of a case under a plan."""
        rests_on = [plan.record.fingerprint.get(name, "") for name in _RESTS_ON]
        own = [repr((case.tags, case.rules)), *(repr((step.name, step.capture, step.rules)) for step in case.steps)]
        digest = sha256(json.dumps([case.identity, case.seed, *rests_on, *own]).encode()).hexdigest()
        return cls(store.parent / f"shrink-{digest[:16]}.jsonl", case.freeze or plan.sending.instant)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def forget(self) -> None:
        """Keep nothing: it has come to its end."""
        with suppress(OSError):
            self._path.unlink()

    def __getitem__(self, key: str) -> bool:
        return self._known[key]

    def __setitem__(self, key: str, shows: bool) -> None:
        self._known[key] = shows
        self._write(key, shows)

    def _write(self, key: str, told: object) -> None:
        self._file.write(json.dumps([key, told]) + "\n")
        self._file.flush()

    def __delitem__(self, key: str) -> None:
        del self._known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield what an earlier try wrote down; a line that was cut off is no answer."""
    try:
        text = path.read_text("ascii", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        with suppress(ValueError, TypeError):
            key, told = json.loads(line)
            yield key, told
