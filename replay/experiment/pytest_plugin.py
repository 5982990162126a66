"""What pytest knows of experiments: a test in which one disagreed fails, and a marker freezes time and plants seeds.

Installing replay is enough. `replay_experiments = warn` (or `off`) in pytest's settings lets such tests pass.
"""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from replay.experiment.watchers import WATCHERS

if TYPE_CHECKING:
    from replay.experiment.calls import Loss, Outcome

SETTING: Final = "replay_experiments"
CHOICES: Final = ("fail", "warn", "off")
MARKER: Final = "replay"
WAIT_SECONDS: Final = 10.0
MOST_SHOWN: Final = 10
_NAMES: Final = frozenset({"freeze", "tick", "seed", "may_disagree"})


class ExperimentWarning(pytest.PytestWarning):
    """An experiment disagreed where that is no failure, or could not be compared."""


class Disagreements:
    """Takes note of what experiments say while a test runs. A disagreement is what differs, or fails on one side."""

    agreeing: Final = False

    def __init__(self) -> None:
        """Begin with nothing noted."""
        self.begin(())

    def begin(self, forgiven: tuple[str, ...] | None) -> None:
        """Forget the test before; experiments of these names may disagree in the next one, with None all of them."""
        self._forgiven = forgiven
        self.found: list[str] = []
        self.undecided: list[str] = []

    def take(self, outcome: Outcome) -> None:
        """Note a call that disagrees, or that nobody could compare."""
        from replay.experiment.telling import sentence  # noqa: PLC0415 - there is an outcome: all of it is loaded

        if self._forgiven is None or outcome.experiment in self._forgiven:
            return
        result = outcome.result
        if result.outcome == "skipped":
            self.undecided.append(f"{outcome.experiment}: {result.skipped}")
        elif result.outcome in {"deviation", "new_error", "old_error"} or _fail_apart(outcome):
            self.found.append(f"{outcome.experiment}: {sentence(outcome)}")

    def lose(self, loss: Loss) -> None:
        """Note calls that were compared and not looked at."""
        self.undecided.append(f"{loss.experiment}: {loss.calls} calls were lost: {loss.reason}")

    def flush(self) -> None:
        """Do nothing: all is at hand."""

    def close(self) -> None:
        """Do nothing: all is at hand."""

    def forked(self) -> None:
        """Forget the parent's test, of which the parent tells."""
        self.begin(self._forgiven)


def _fail_apart(outcome: Outcome) -> bool:
    """Tell whether both sides failed, and not alike: where they did, the test sees the exception of the chosen one."""
    old, new = outcome.result.old, outcome.result.new
    return outcome.result.outcome == "both_error" and (old and old.error) != (new and new.error)


_WATCH: Final = Disagreements()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say what may be set."""
    parser.addini(SETTING, f"what becomes of a test whose experiments disagree: {', '.join(CHOICES)}", default="fail")


def pytest_configure(config: pytest.Config) -> None:
    """Watch the experiments of this process, unless the settings say not to."""
    line = "replay(freeze, tick, seed, may_disagree): freeze time, plant seeds, let experiments disagree in this test"
    config.addinivalue_line("markers", line)
    if config.getini(SETTING) not in CHOICES:
        raise pytest.UsageError(f"{SETTING} is '{config.getini(SETTING)}', and none of {', '.join(CHOICES)}")
    if config.getini(SETTING) != "off":
        WATCHERS.append(_WATCH)


def pytest_unconfigure() -> None:
    """Watch no more."""
    if _WATCH in WATCHERS:
        WATCHERS.remove(_WATCH)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    """Begin with nothing noted of the tests before."""
    _make_ready()
    _WATCH.begin(_forgiven(_marked(item)))
    return (yield)


def _make_ready() -> None:
    """Load what examines where there are experiments, here, before any of their threads would.

    Pytest parses each module that it imports anew, and Python 3.11 fails at that where two threads do so at once.
    """
    if "replay.experiment.reporting" in sys.modules:
        import replay.experiment.examining  # noqa: PLC0415 - a program without experiments needs none of it
        import replay.experiment.telling  # noqa: F401, PLC0415 - likewise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Run a test at its instant and with its seed, and fail it where an experiment disagreed."""
    with _determined(_marked(item)):
        result = yield
    _require_agreement(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """Look once more: what runs after the answer may have gone on, and fixtures call experiments too."""
    result = yield
    _require_agreement(item)
    return result


def _require_agreement(item: pytest.Item) -> None:
    """Fail a test whose experiments disagreed since this was asked before."""
    _wait()
    (found, _WATCH.found), (undecided, _WATCH.undecided) = (_WATCH.found, []), (_WATCH.undecided, [])
    for text in dict.fromkeys(undecided):
        warnings.warn(ExperimentWarning(f"not compared: {text}"), stacklevel=2)
    if not found:
        return
    if item.config.getini(SETTING) == "warn":
        warnings.warn(ExperimentWarning(_listed(found)), stacklevel=2)
    else:
        pytest.fail(_listed(found), pytrace=False)


def _listed(found: list[str]) -> str:
    times = f"{len(found):,} time{'' if len(found) == 1 else 's'}"
    more = [f"  and {len(found) - MOST_SHOWN:,} more"] if len(found) > MOST_SHOWN else []
    return "\n".join([f"old and new disagreed {times}:", *(f"  {text}" for text in found[:MOST_SHOWN]), *more])


def _wait() -> None:
    """Wait for what was compared so far; a program without experiments has nothing to wait for."""
    reporting = sys.modules.get("replay.experiment.reporting")
    if reporting is not None and WATCHERS and not reporting.REPORTER.caught_up(WAIT_SECONDS):
        text = f"experiments were still at work after {WAIT_SECONDS:.0f} s: what they find is told with a later test"
        warnings.warn(ExperimentWarning(text), stacklevel=2)


# --------------------------------------------------------------------------------------------------------------- marker


def _marked(item: pytest.Item) -> dict[str, Any]:
    """Return what markers say of a test, the closest first. Raise UsageError for what none can say."""
    said: dict[str, Any] = {}
    for marker in item.iter_markers(MARKER):
        if marker.args or marker.kwargs.keys() - _NAMES:
            raise pytest.UsageError(f"{item.nodeid}: @pytest.mark.replay takes {', '.join(sorted(_NAMES))}, by name")
        said = {**marker.kwargs, **said}
    return said


def _forgiven(said: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the experiments that may disagree; None means all."""
    names = said.get("may_disagree", False)
    if isinstance(names, bool):
        return None if names else ()
    return (names,) if isinstance(names, str) else tuple(names)


@contextmanager
def _determined(said: dict[str, Any]) -> Iterator[None]:
    """Freeze time and plant seeds, as far as the test is marked so, and undo both."""
    with ExitStack() as stack:
        if "seed" in said:
            from replay.targets.worker import plant  # noqa: PLC0415 - few tests are marked

            stack.callback(random.setstate, random.getstate())
            numpy = sys.modules.get("numpy.random")
            if numpy is not None:
                stack.callback(numpy.set_state, numpy.get_state())
            plant(said["seed"])
        if "freeze" in said:
            from freezegun import freeze_time  # noqa: PLC0415 - likewise

            stack.enter_context(freeze_time(said["freeze"], tick=said.get("tick", False), real_asyncio=True))
        yield
