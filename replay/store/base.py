"""What every store looks like, and the record that it keeps of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from replay.models import Basis, OutcomeName, Result, Summary, Verdict

RunState = Literal["running", "complete", "incomplete", "interrupted"]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What is kept of a run beside its results: what it rests on, where it stands, what came out."""

    id: str
    started: datetime
    state: RunState = "running"
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    """Digests by name (inputs, rules, criteria, seed, old, new): `--resume` refuses where one has changed."""
    criteria: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Sentences by gate; the unnamed list stands under the empty name."""
    criteria_hash: str = ""
    gate: str | None = None
    narrowed: str = ""
    """The selection as it was typed (`--only …`, `--tag …`); empty where every case was selected."""
    shard: str | None = None
    collect: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Public facts as JSON values: decision, owner, the names of targets."""
    version: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    """The version of each side, as far as it was given by `--label`."""
    warnings: tuple[str, ...] = ()
    """What was known before anything was sent, and makes any verdict on this run worth less."""
    musts: tuple[str, ...] = ()
    """The rules, by name, whose intended change has to be seen in some case."""
    whole: bool = True
    """Everything that the settings name was selected, by all shards together."""
    summary: Summary | None = None
    verdict: Verdict | None = None
    before: tuple[Basis, ...] = ()
    """By what it was judged before, the first time first; `criteria`, `gate` and the digests are the latest ones."""

    @property
    def saw_all(self) -> bool:
        """Tell whether the run had every case that the settings name, so that what it did not show is not there."""
        return self.whole and self.shard is None

    @property
    def basis(self) -> Basis:
        """Return by what it was judged the last time."""
        sentences = tuple(sentence for each in self.criteria.values() for sentence in each)
        rules = self.fingerprint.get("rules", "")
        return Basis(sentences, self.gate, rules, None if self.verdict is None else self.verdict.state)

    @property
    def begun_under(self) -> Basis:
        """Return by what it was to be judged when its first case was sent."""
        return self.before[0] if self.before else self.basis


class Store(Protocol):
    """Keeps runs and their results. Every method may raise StoreError; what was added before stays readable."""

    def begin(self, record: RunRecord) -> None:
        """Keep a new run. Raise StoreError where its id is taken."""

    def add(self, run: str, results: Sequence[Result]) -> None:
        """Keep all of these results or, on an error, none; a second result of one identity replaces the first."""

    def mark(self, run: str, state: RunState) -> None:
        """Keep that the run is in this state: `running` again when it is resumed."""

    def finish(self, run: str, state: RunState, summary: Summary | None, verdict: Verdict | None) -> None:
        """Keep how the run ended."""

    def run(self, id: str | None = None) -> RunRecord:  # noqa: A002 - what people type after `replay report`
        """Return a run by its id or an unambiguous beginning of it; None is the newest. Raise InputError for others."""

    def runs(self) -> Iterator[RunRecord]:
        """Yield every run, the newest first."""

    def done(self, run: str, identity: str) -> bool:
        """Return whether the run holds a result of this case."""

    def outcomes(self, run: str) -> Mapping[OutcomeName, int]:
        """Return how many results the run holds of each outcome that any has."""

    def results(
        self, run: str, outcomes: Collection[OutcomeName] | None = None, *, bodies: bool = True
    ) -> Iterable[Result]:
        """Return a view that streams the run's results in the order of their first arrival, at every iteration.

        With `bodies` false it is quicker, and every body in it is empty (`b""`; None where there was none).
        """

    def find(self, key: str, run: str | None = None) -> list[Result]:
        """Return the results whose id, correlation id or identity is exactly this, those of the newest run first."""

    def close(self) -> None:
        """Let go of the file; may be called twice."""
