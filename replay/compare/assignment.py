"""The cheapest way to pair two sets."""

from __future__ import annotations

import math
from collections.abc import Sequence


def cheapest(costs: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Return pairs of a row and a column that cost least in sum: as many as there are of the fewer.

    The Hungarian method (H. W. Kuhn, Naval Research Logistics Quarterly 2, 1955), by shortest augmenting paths. Takes
    time in the square of the fewer times the more.
    """
    if not costs or not costs[0]:
        return []
    if len(costs) > len(costs[0]):
        return sorted((row, column) for column, row in cheapest([*zip(*costs, strict=True)]))
    columns = len(costs[0])
    prices = _Prices([0.0] * len(costs), [0.0] * columns)
    row_of: list[int] = [-1] * columns
    for row in range(len(costs)):
        end, before = _shortest_path(row, costs, prices, row_of)
        while end >= 0:
            start = before[end]
            row_of[end] = row if start < 0 else row_of[start]
            end = start
    return sorted((row, column) for column, row in enumerate(row_of) if row >= 0)


class _Prices:
    """What rows and columns are charged, so that no pair costs less than both together and chosen pairs cost that."""

    def __init__(self, rows: list[float], columns: list[float]) -> None:
        self.rows = rows
        self.columns = columns


def _shortest_path(
    start: int, costs: Sequence[Sequence[float]], prices: _Prices, row_of: Sequence[int]
) -> tuple[int, list[int]]:
    """Find a free column for a row, by way of pairs that are given up; return it, and for each column the one before.

    Dijkstra's search over what a pair costs beyond both prices; then the prices are raised by how far it went.
    """
    count = len(row_of)
    distance, before, done = [math.inf] * count, [-1] * count, [False] * count
    row, come, last = start, 0.0, -1
    while True:
        charged, line = prices.rows[row], costs[row]
        nearest, at = math.inf, -1
        for column in range(count):
            if not done[column]:
                reached = come + line[column] - charged - prices.columns[column]
                if reached < distance[column]:
                    distance[column], before[column] = reached, last
                if distance[column] < nearest:
                    nearest, at = distance[column], column
        done[at], come, last = True, nearest, at
        if row_of[at] < 0:
            break
        row = row_of[at]
    prices.rows[start] += come
    for column in range(count):
        if done[column] and column != last:
            prices.rows[row_of[column]] += come - distance[column]
            prices.columns[column] -= come - distance[column]
    return last, before
