"""Results in the order of their sources, whoever was answered first: two runs of the same cases tell them alike."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

_PAGE: Final = 500
_IN_ORDER: Final = """
SELECT seq FROM results WHERE run = ?
ORDER BY substr(identity, 1, instr(identity, ':')),
CAST(substr(identity, instr(identity, ':') + 1) AS INTEGER), identity
"""
"""An identity is a golden's id, or the digest of a file, a colon and a record's number."""


def rows_in_order(
    reading: Callable[[], AbstractContextManager[sqlite3.Connection]],
    run: Callable[[], int],
    question: Callable[[int, None], tuple[str, tuple[Any, ...]]],
) -> Iterator[tuple[int, int, int]]:
    """Yield where each result of a run lies: goldens by id, then captures record by record, one file after the other.

    Eight bytes a result are in memory. `question` asks for rows behind one, which is its last parameter.
    """
    with reading() as connection:
        number = run()
        order = array("q", (seq for (seq,) in connection.execute(_IN_ORDER, (number,))))
    text, arguments = question(number, None)
    for start in range(0, len(order), _PAGE):
        some = order[start : start + _PAGE]
        among_these = f"SELECT * FROM ({text}) WHERE seq IN ({', '.join('?' * len(some))})"  # noqa: S608 - ours
        with reading() as connection:
            rows = {row[0]: row for row in connection.execute(among_these, (*arguments, -1, *some))}
        yield from (rows[seq] for seq in some)
