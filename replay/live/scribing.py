"""The process that keeps: it reads what passed, chooses, masks and writes, and tells how far it has come.

It is a process of its own, so that neither its work nor its end costs the traffic anything.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from replay.cases.recordings.base import UnusableError
from replay.cases.recordings.exchanges import CONNECTION, answer, instant_of, kept, paired, sendable, target_of
from replay.cases.writing import CaptureWriter
from replay.engine.signals import SIGNALS
from replay.live.choosing import Choice, Seen, Sticky
from replay.live.frames import SECONDS, Frame, frames
from replay.models import Case
from replay.privacy import Redactor
from replay.wire.tee import read_answer_head, read_request_head

_DROPPED: Final = CONNECTION - {"host"}
_NICE: Final = 5
"""Traffic goes first where both want the same core."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How exchanges become cases: which are chosen, what names their session, and how ids begin."""

    choice: Choice
    redactor: Redactor
    session: Sticky | None
    prefix: str


class Scribe:
    """Turns frames into cases of a capture, and counts those that do not become any."""

    def __init__(self, writer: CaptureWriter, manner: Manner) -> None:
        self._writer = writer
        self._manner = manner
        self._left_out: Counter[str] = Counter()
        self._number = 0

    def take(self, frame: Frame) -> None:
        """Keep an exchange, or count why not."""
        try:
            case = self._case(frame)
            if case is not None:
                self._writer.add(case)
        except UnusableError as error:
            self._left_out[error.reason] += 1
        except Exception as error:  # noqa: BLE001 - one exchange that nobody thought of must not cost all later ones
            # By its kind alone: what an error says, as a traceback does, may be what was to be masked.
            self._left_out[f"a mistake of this tool: {type(error).__name__}"] += 1

    def flush(self) -> None:
        """Write what waits."""
        self._writer.flush()

    def close(self) -> None:
        """Write what waits, and end the file; one that holds nothing goes."""
        self._writer.close()
        if not self._writer.account.kept:
            for file in self._writer.account.files:
                with suppress(OSError):
                    file.unlink()

    def told(self) -> dict[str, Any]:
        """Return what became of everything so far, JSON-ready."""
        account = self._writer.account
        lost = Counter(account.lost) + self._left_out
        return {"kept": account.kept, "lost": lost, "size": account.size, "files": [str(it) for it in account.files]}

    def _case(self, frame: Frame) -> Case | None:
        head, manner = read_request_head(frame.head), self._manner
        fields = paired(head.fields)
        request = sendable(head.method, target_of(_text(head.target)), fields, frame.body)
        # Both sides are sent the host that old knew: links that they make of it are then equal.
        request = replace(request, headers=kept(fields, _DROPPED))
        recorded = None
        if frame.answer_head:
            sent = paired(read_answer_head(frame.answer_head, head).fields)
            milliseconds = frame.latency_ns / 1e6
            recorded = answer(frame.status, sent, frame.answer_body, method=head.method, milliseconds=milliseconds)
        correlation = frame.correlation.decode("utf-8", "surrogateescape")
        seen = Seen(request, recorded)
        if reason := manner.choice.why_not(seen, correlation):
            self._left_out[reason] += 1
            return None
        self._number += 1
        return Case(
            id=f"{manner.prefix}-{self._number:06}",
            kind="traffic",
            identity="",
            request=request,
            correlation_id=correlation,
            freeze=instant_of(frame.at_ns / 1e9),
            session=self._session(head.fields, seen),
            recorded=recorded,
        )

    def _session(self, fields: list[tuple[bytes, bytes]], seen: Seen) -> str | None:
        """Return a token for the session: its name is often all that it takes to be somebody else."""
        sticky = self._manner.session
        if sticky is None:
            return None
        name = sticky.in_body(seen.sent) if sticky.members else sticky.in_head(fields)
        return None if name is None else self._manner.redactor.tokeniser.token(name)


def _text(target: bytes) -> str:
    try:
        return target.decode()
    except UnicodeDecodeError:
        return target.decode("latin-1")


def scribe(sock: socket.socket, writer: CaptureWriter, manner: Manner) -> None:
    """Keep what comes in over a socket, until the other end has ended; tell it over the same one."""
    for number in SIGNALS:
        # They mean the one that passes traffic on; this one ends after it, with everything written.
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    with suppress(OSError):
        os.nice(_NICE)
    scribe, said = Scribe(writer, manner), 0.0
    for frame in frames(sock):
        if frame is None:
            scribe.flush()
        else:
            scribe.take(frame)
        if time.monotonic() - said >= SECONDS:
            said = time.monotonic()
            _tell(sock, scribe.told())
    scribe.close()
    _tell(sock, scribe.told() | {"done": True})


def _tell(sock: socket.socket, told: dict[str, Any]) -> None:
    with suppress(OSError):
        sock.sendall(json.dumps(told).encode() + b"\n")
