"""What Python imports at its start in a command whose clock is kept by `replay`; it runs on Python 3.8.

REPLAY_SHIM_SLEEP: libfaketime keeps the clock, and some of its versions break `time.sleep`, which is mended here.
REPLAY_SHIM_MOMENT: there is no libfaketime, and the file of that name tells the time: seconds since 1970 for a clock
that stands still, or with a sign their difference from the real time. The monotonic clock goes on in both cases.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable  # noqa: UP035 - it is there in every version

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
_FORWARD = ("monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")
_WORKER = "_replay_worker"


def mend_sleep() -> None:
    """Have `time.sleep` wait by `select` where it fails otherwise."""
    import select  # noqa: PLC0415 - a program that is left alone need not load it
    import time  # noqa: PLC0415

    def sleep(seconds: float) -> None:
        select.select([], [], [], seconds)

    try:
        time.sleep(1e-6)
    except OSError:
        time.sleep = sleep  # type: ignore[assignment]


def keep_clock(file: str) -> None:
    """Put every clock that tells the time under control of a file."""
    import json  # noqa: PLC0415
    import time  # noqa: PLC0415

    worker = _worker(os.environ["REPLAY_SHIM_WORKER"])
    forward = {name: getattr(time, name) for name in _FORWARD}
    seconds, clock = time.time, worker.Clock()
    clock.install(json.loads(os.environ["REPLAY_SHIM_SPARE"]))
    if clock.note:
        return
    _leave_alone(forward)
    freezing: Any = sys.modules["freezegun.api"]
    epoch, delta = worker.REAL_TYPES[0](1970, 1, 1), worker.datetime.timedelta
    freezing.freeze_factories[-1] = Moment(file, seconds, lambda at: epoch + delta(microseconds=round(at * 1e6)))


def _worker(file: str) -> Any:
    """Load the file that knows how to freeze time in this interpreter, whatever its version is."""
    import importlib.util  # noqa: PLC0415

    spec: Any = importlib.util.spec_from_file_location(_WORKER, file)
    worker = sys.modules[_WORKER] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(worker)
    return worker


def _leave_alone(forward: dict[str, Any]) -> None:
    """Put the clocks back that only go forward: deadlines, timers and keep-alive rest on them."""
    for module in list(sys.modules.values()):
        held = getattr(module, "__dict__", {})
        if held.get("__name__") != "freezegun.api":
            for name, clock in forward.items():
                if getattr(held.get(name), "__module__", "") == "freezegun.api":
                    setattr(module, name, clock)


class Moment:
    """Tells freezegun the time, whenever anybody asks."""

    def __init__(self, file: str, seconds: Callable[[], float], written: Callable[[float], object]) -> None:
        self._file = file
        self._seconds = seconds
        self._written = written

    def __call__(self) -> object:
        """Return the instant that the file tells, without an offset; where there is no file any more, the real one."""
        return self._written(self._now())

    def _now(self) -> float:
        try:
            descriptor = os.open(self._file, os.O_RDONLY)
        except OSError:
            return self._seconds()
        try:
            text = os.read(descriptor, 64).decode("ascii").strip()
        finally:
            os.close(descriptor)
        return self._seconds() + float(text) if text[:1] in {"+", "-"} else float(text)


def go_on() -> None:
    """Import the `sitecustomize` that this one stands before."""
    import importlib.machinery  # noqa: PLC0415
    import importlib.util  # noqa: PLC0415

    path = [entry for entry in sys.path if os.path.abspath(entry or ".") != _HERE]  # noqa: PTH100
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if "REPLAY_SHIM_SLEEP" in os.environ:
    mend_sleep()
if "REPLAY_SHIM_MOMENT" in os.environ:
    keep_clock(os.environ["REPLAY_SHIM_MOMENT"])
if __name__ == "sitecustomize":
    go_on()
