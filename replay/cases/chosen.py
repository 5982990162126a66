"""The cases of a run: all sources in order, narrowed by what was asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import chain, islice

from replay.cases.base import Source, accounted, part_of, require_different
from replay.models import Case, Intake, Request
from replay.sampling import Portion, in_shard


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for: any of the patterns, any of the tags, one shard, the first so many."""

    only: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    shard: tuple[int, int] | None = None
    limit: int | None = None

    def takes(self, case: Case) -> bool:
        """Tell whether a case is among them; the limit is not its business."""
        if self.only and not any(_names(pattern, case) for pattern in self.only):
            return False
        if self.tags and not set(self.tags) & set(case.tags):
            return False
        return self.shard is None or in_shard(case.session or case.id, *self.shard)

    @property
    def takes_all(self) -> bool:
        """Tell whether every case is among them; the limit is not its business."""
        return not (self.only or self.tags or self.shard)

    @property
    def unsharded(self) -> Choice:
        """Return what all shards together take."""
        return replace(self, shard=None)

    @property
    def single(self) -> tuple[Choice, ...]:
        """Return each pattern and each tag as a choice of its own."""
        return (*(Choice(only=(it,)) for it in self.only), *(Choice(tags=(it,)) for it in self.tags))

    def __str__(self) -> str:
        """Return it as it is typed; empty where everything is taken."""
        parts = [f"--only {pattern}" for pattern in self.only] + [f"--tag {tag}" for tag in self.tags]
        parts += [f"--shard {self.shard[0]}/{self.shard[1]}"] if self.shard else []
        return " ".join(parts + ([f"--limit {self.limit}"] if self.limit is not None else []))


def _names(pattern: str, case: Case) -> bool:
    """Tell whether a pattern is the case's id or place, what it is in, or matches its id by `*`, `?`, `[]`.

    A case is in a folder, and in a golden of which it is a row.
    """
    return (
        pattern in (case.id, case.place, case.id.partition("#")[0])
        or case.id.startswith(pattern.rstrip("/") + "/")
        or fnmatchcase(case.id, pattern)
    )


class Chosen:
    """Streams the chosen cases of all sources, goldens first; every iteration begins anew."""

    def __init__(self, sources: Sequence[Source], choice: Choice) -> None:
        self._sources = sources
        self._choice = choice
        self._portion = Portion()
        self.unmet: tuple[Choice, ...] = ()
        """The patterns and tags that took no case at all when all was counted."""

    def require_different(self) -> None:
        """Raise InputError where two files hold the same: their cases could not be told apart, and add no evidence."""
        require_different(self._sources)

    def __iter__(self) -> Iterator[Case]:
        """Yield each chosen case; raise DocumentError at the first bad record."""
        every: Iterator[Case] = chain.from_iterable(self._sources)
        taken = every if self._choice.takes_all else filter(self._choice.takes, every)
        return taken if self._choice.limit is None else islice(taken, self._choice.limit)

    def part(self, portion: Portion) -> Iterator[Case]:
        """Yield one part of the chosen cases: each is in exactly one, and sessions stay whole."""
        if self._choice == Choice():
            return chain.from_iterable(source.part(portion) for source in self._sources)
        self._portion = portion
        return part_of(self, portion)

    def count(self, check: Callable[[Case], object], spares: Callable[[Request], bool] = lambda _it: False) -> int:
        """Read all that there is, hold each chosen case to a check, and return how many are chosen.

        Traffic that can be sent need not be checked where its request is one that `spares` tells of.
        """
        chosen = 0
        self.unmet = self._choice.single
        for source in self._sources:
            # To the end, whatever the limit: only a whole reading tells how many records a file holds.
            # Without identities, which a capture would have to be read for beforehand.
            for case in source.to_check(spares) if self._choice.takes_all else source.without_identity():
                if case is not None and self.unmet:
                    self.unmet = tuple(it for it in self.unmet if not it.takes(case))
                if case is not None and not self._choice.takes(case):
                    continue
                if self._choice.limit is None or chosen < self._choice.limit:
                    chosen += 1
                    if case is not None:
                        check(case)
        return chosen

    @property
    def intakes(self) -> tuple[Intake, ...]:
        """Return each reader's own account."""
        return tuple(accounted(source.intake, self._portion) for source in self._sources)

    @property
    def digest(self) -> str:
        """Return a SHA-256 over all that was chosen from, and what was asked for: one for all shards of a run."""
        whole = hashlib.sha256(str(self._choice.unsharded).encode())
        for source in self._sources:
            whole.update(source.digest.encode())
        return whole.hexdigest()
