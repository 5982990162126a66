"""What an experiment costs its caller, beside others of its kind: the thread's CPU beyond what the functions take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from itertools import count
from typing import Any, Final

from bench.meter import Spread
from replay import Experiment
from replay.experiment import flush

_LEAST_S: Final = 0.05
"""How long each is repeated for one figure."""
_ROUNDS: Final = 64
"""Calls in a row where the other side waits for its turn: more would find no room."""

Call = Callable[[int, str], Any]


class WrongAnswerError(Exception):
    """Something was measured that does not answer as the function does."""


@dataclass(frozen=True)
class Way:
    """A way to call, and how many of the two functions it runs in the caller's thread."""

    call: Call
    functions: int
    pause: Callable[[], object] | None = None
    """What lets the other side catch up, between rounds that are measured."""


def price(size: int, country: str) -> dict[str, Any]:
    """Return a small answer, as rules do."""
    return {"size": size, "country": country, "total": size * 3}


def price_anew(size: int, country: str) -> dict[str, Any]:
    """Return the same."""
    return {"size": size, "country": country, "total": size + size + size}


def measure(*, repeats: int) -> dict[str, Any]:
    """Return a row for each way; what is not installed is named."""
    ways, missing = _ours(), dict[str, str]()
    for name, others in (("laboratory", _laboratory), ("py-scientist", _py_scientist)):
        try:
            ways |= others()
        except ImportError:
            missing[name] = "not installed"
    for name, way in ways.items():
        if way.call(7, "DE") != price(7, "DE"):
            raise WrongAnswerError(f"{name} does not answer as the function does")
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        alone = _cpu_ns(Way(price, 1))
        for name, way in ways.items():
            taken[name].append((_cpu_ns(way) - way.functions * alone) / 1000)
    return {"rows": [{"way": name, "us": asdict(Spread.of(values))} for name, values in taken.items()],
            "missing": missing}  # fmt: skip


def _cpu_ns(way: Way) -> float:
    """Return the nanoseconds of this thread's CPU that one call takes."""
    calls = spent = 0
    while spent < _LEAST_S * 1e9:
        began = time.thread_time_ns()
        for _ in range(_ROUNDS):
            way.call(7, "DE")
        spent += time.thread_time_ns() - began
        calls += _ROUNDS
        if way.pause is not None:
            way.pause()
    return spent / calls


def _ours() -> dict[str, Way]:
    def made(**terms: Any) -> Call:
        return Experiment("bench", price, price_anew, **terms)

    return {
        "replay, not sampled": Way(made(sample=1e-9), 1),
        "replay, not sampled, sticky by a key": Way(made(sample=1e-9, key=lambda _size, country: country), 1),
        "replay, not sampled, by a key that never came before": Way(made(sample=1e-9, key=_new_key), 1),
        "replay, not enabled by a callable": Way(made(enabled=lambda: False), 1),
        "replay, compared inline": Way(made(), 2),
        "replay, compared afterwards": Way(made(mode="after"), 1, _rested),
    }


_NUMBERS: Final = count()


def _new_key(_size: int, _country: str) -> str:
    return f"user {next(_NUMBERS)}"


def _rested() -> None:
    """Let threads work off what waits."""
    time.sleep(0.02)
    flush()


def _laboratory() -> dict[str, Way]:
    laboratory = import_module("laboratory")

    class Off(laboratory.Experiment):  # type: ignore[misc, name-defined]  # it comes without types
        """Is never enabled."""

        def enabled(self) -> bool:
            """Say no."""
            return False

    return {
        "laboratory, not enabled": Way(Off.decorator(candidate=price_anew)(price), 1),
        "laboratory, compared": Way(laboratory.Experiment.decorator(candidate=price_anew)(price), 2),
    }


def _py_scientist() -> dict[str, Way]:
    scientist = import_module("scientist")

    def call(percent: float) -> Call:
        def called(size: int, country: str) -> Any:
            experiment = scientist.Experiment("bench").publish(scientist.NoopPublisher())
            experiment.use(lambda: price(size, country)).try_(lambda: price_anew(size, country))
            return experiment.run_if_percent(percent).run()

        return called

    return {"py-scientist, not sampled": Way(call(0.0), 1), "py-scientist, compared": Way(call(100.0), 2)}
