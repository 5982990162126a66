"""A run's results as a view, and how a question asks for some outcomes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from replay.models import OutcomeName, Result


class StoredResults:
    """A run's results: streamed at every iteration, in the order of their first arrival; never all in memory."""

    def __init__(self, stream: Callable[[], Iterator[Result]]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[Result]:
        return self._stream()


def among(outcomes: Collection[OutcomeName] | None) -> str:
    """Return the condition for results with one of these outcomes, which are its parameters; empty for all."""
    if outcomes is None:
        return ""
    # Said beside the list, since it is what lets SQLite use the short index of everything but matches.
    short = "" if "match" in outcomes else "outcome <> 'match' AND "
    return f"{short}outcome IN ({', '.join('?' * len(outcomes))}) AND"
