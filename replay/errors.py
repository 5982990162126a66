"""Every error this tool raises.

    ReplayError                 shown to the user as place, fact, remedy; never with a traceback
    ├── InputError              bad input or usage, found before anything was sent        exit 2
    │   ├── DocumentError       a YAML, JSON or capture file that cannot be read
    │   ├── SettingsError       replay.yaml, a flag or a variable that makes no sense
    │   ├── LocationError       a location or an expression that does not parse
    │   ├── CriterionError      a criterion that does not parse
    │   ├── TargetError         a side could not be started
    │   └── NothingSelectedError no case is left to send
    ├── CutOffError             a signal came before anything was sent                exit 130 or 143
    ├── RunError                the run began and could not be completed                  exit 3
    └── StoreError              the store cannot be opened, read or written           exit 2, or 3 once sending began

What a service does wrong is not among them: that is data, a `Failure` in an `Observation`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

CHANGED: Final = "the file has changed since it was first read"
"""The fact of an input that is not what it was: no run can go on with it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the user's files something stands; line and column count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


class ReplayError(Exception):
    """An expected failure, told as place, fact and remedy."""

    exit_code = 3

    def __init__(self, fact: str, *, place: Place | str | None = None, hint: str | None = None) -> None:
        super().__init__(fact)
        self.fact = fact
        self.place = place
        self.hint = hint

    def __reduce__(self) -> tuple[Callable[..., ReplayError], tuple[object, ...]]:
        """Let an error pass from one process of a run to another whole."""
        return _told_again, (type(self), self.fact, self.place, self.hint, self.exit_code)

    def __str__(self) -> str:
        head = f"{self.place}: {self.fact}" if self.place else self.fact
        return f"{head}\n  hint: {self.hint}" if self.hint else head


def _told_again(
    kind: type[ReplayError], fact: str, place: Place | str | None, hint: str | None, exit_code: int
) -> ReplayError:
    error = kind(fact, place=place, hint=hint)
    error.exit_code = exit_code
    return error


class InputError(ReplayError):
    """Bad input or usage; raised before anything is sent."""

    exit_code = 2


class DocumentError(InputError):
    """A document that cannot be read, or holds what it must not."""


class SettingsError(InputError):
    """Settings, flags or variables that make no sense."""


class LocationError(InputError):
    """A location or an expression that does not parse."""


class CriterionError(InputError):
    """A criterion that does not parse."""


class NothingSelectedError(InputError):
    """No case is left to send."""


class CutOffError(ReplayError):
    """A signal ended the run before anything was sent; 128 and the number of the signal is its exit code."""

    exit_code = 130


class RunError(ReplayError):
    """The run began and could not be completed; what was done is stored."""


class TargetError(InputError):
    """A side could not be started."""


class StoreError(ReplayError):
    """The store cannot be opened, read or written."""

    exit_code = 2
