"""Which of a run's causes a case belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from replay.causes.gathering import DEPARTING
from replay.causes.sessions import Sessions
from replay.causes.ways import OTHER, telling, ways_of, weight_of
from replay.models import Cluster, Result, Way


class Naming:
    """Names the causes of a run's results, which have to come in their order: a session is told by its beginning.

    It agrees with how cases were counted as long as there were not more sets of ways than are told apart.
    """

    def __init__(self, clusters: Sequence[Cluster]) -> None:
        self._places: dict[Way, int] = {each.ways[0]: place for place, each in enumerate(clusters) if each.ways}
        self._turns = {each.ways[0]: _turn(each) for each in clusters if each.ways}
        self._sessions = Sessions()

    def anew(self) -> Naming:
        """Return what names the causes of the same run's results from the first one on."""
        other = copy(self)
        other._sessions = Sessions()  # noqa: SLF001 - its own copy
        return other

    def place(self, result: Result) -> int | None:
        """Return the place of the cause among the clusters, counted from 0; None for a case that did not depart."""
        if result.outcome not in DEPARTING:
            return None
        ways = ways_of(result)
        shared, _ = self._sessions.way(result, ways)
        if shared in self._places:
            return self._places[shared]
        known = [way for way in (*ways, OTHER) if way in self._places]
        return self._places[min(known, key=self._turns.__getitem__)] if known else None


def _turn(cluster: Cluster) -> tuple[int, int, Any]:
    """Return what to sort causes by to have them in the order in which cases were shared out among them."""
    lead = cluster.ways[0]
    return weight_of(lead), -cluster.cases, telling(lead)
