"""Common subsequences of two sequences of numbers: where they agree, in the order of both."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import Final

from replay.compare.effort import Effort

Match = tuple[int, int]
"""A place of old and the place of new that it belongs to."""
Gap = tuple[int, int, int, int]
"""From and up to which places of old, and of new."""

_MOST_EDITS: Final = 200
"""Beyond so many insertions and removals, sequences in which nothing is unique count as having nothing in common."""


def common(old: Sequence[int], new: Sequence[int], effort: Effort) -> list[Match] | None:
    """Return a long common subsequence; None where finding one takes more than there is left to spend.

    What is unique on both sides goes first (patience sorting, as in B. Cohen's diff of that name), so that a
    common value does not tear neighbours apart; where nothing is unique, the shortest edit script decides.
    """
    found: list[Match] = []
    waiting: list[Gap] = [(0, len(old), 0, len(new))]
    while waiting:
        gap = _trimmed(waiting.pop(), old, new, found)
        if gap[0] == gap[1] or gap[2] == gap[3]:
            continue
        if not effort.afford(gap[1] - gap[0] + gap[3] - gap[2]):
            return None
        anchors = rising(_unique(old, new, gap))
        if anchors:
            waiting += gaps(anchors, gap)
            found += anchors
        else:
            shortest = _shortest_edit(old[gap[0] : gap[1]], new[gap[2] : gap[3]], effort)
            if shortest is None:
                return None
            found += [(i + gap[0], j + gap[2]) for i, j in shortest]
    return sorted(found)


def gaps(anchors: Sequence[Match], within: Gap) -> list[Gap]:
    """Return what lies between the anchors, and before the first and after the last, where there is anything."""
    i, j = within[0], within[2]
    found = []
    for mine, theirs in (*anchors, (within[1], within[3])):
        if mine > i or theirs > j:
            found.append((i, mine, j, theirs))
        i, j = mine + 1, theirs + 1
    return found


def rising(matches: Sequence[Match]) -> list[Match]:
    """Return the longest choice of matches that rises on both sides. Old's places have to rise already."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, (_, theirs) in enumerate(matches):
        at = bisect_left(tails, theirs)
        before.append(ends[at - 1] if at else -1)
        tails[at : at + 1] = [theirs]
        ends[at : at + 1] = [number]
    chain = []
    last = ends[-1] if ends else -1
    while last >= 0:
        chain.append(matches[last])
        last = before[last]
    return chain[::-1]


def _trimmed(gap: Gap, old: Sequence[int], new: Sequence[int], found: list[Match]) -> Gap:
    """Match what both begin and end with, and return what is between."""
    i, end, j, stop = gap
    while i < end and j < stop and old[i] == new[j]:
        found.append((i, j))
        i, j = i + 1, j + 1
    while i < end and j < stop and old[end - 1] == new[stop - 1]:
        end, stop = end - 1, stop - 1
        found.append((end, stop))
    return i, end, j, stop


def _unique(old: Sequence[int], new: Sequence[int], gap: Gap) -> list[Match]:
    """Return the matches of values that stand exactly once on either side."""
    mine, theirs = Counter(old[gap[0] : gap[1]]), Counter(new[gap[2] : gap[3]])
    places = {new[j]: j for j in range(gap[2], gap[3])}
    return [(i, places[old[i]]) for i in range(gap[0], gap[1]) if mine[old[i]] == 1 == theirs[old[i]]]


def _shortest_edit(old: Sequence[int], new: Sequence[int], effort: Effort) -> list[Match] | None:
    """Return what a shortest edit script leaves in place; nothing where it would take more than `_MOST_EDITS`.

    E. W. Myers, An O(ND) Difference Algorithm and Its Variations, Algorithmica 1, 1986: how far one comes along each
    diagonal with so many edits. Return None where there is nothing left to spend.
    """
    reach, trail = {1: 0}, []
    for edits in range(min(len(old) + len(new), _MOST_EDITS) + 1):
        trail.append(dict(reach))
        if not effort.afford(edits + 1):
            return None
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
            start = i = reach[diagonal + 1] if down else reach[diagonal - 1] + 1
            while i < len(old) and i - diagonal < len(new) and old[i] == new[i - diagonal]:
                i += 1
            reach[diagonal] = i
            if not effort.afford(i - start):
                return None
            if i >= len(old) and i - diagonal >= len(new):
                return _kept(trail, len(old), len(new))
    return []


def _kept(trail: list[dict[int, int]], i: int, j: int) -> list[Match]:
    """Walk an edit script back from its end, and return where it went along both sides at once."""
    found = []
    for edits in range(len(trail) - 1, -1, -1):
        reach, diagonal = trail[edits], i - j
        down = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
        before = diagonal + 1 if down else diagonal - 1
        start = reach[before]
        while i > start and j > max(start - before, 0):
            i, j = i - 1, j - 1
            found.append((i, j))
        i, j = start, start - before
    return found[::-1]
