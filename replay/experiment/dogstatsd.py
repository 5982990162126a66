"""Outcomes as DogStatsD datagrams, over UDP or a Unix socket: what nobody receives is dropped, and nobody waits for it.

replay.experiment.calls     count                           experiment, outcome, chosen
replay.experiment.duration  distribution, in milliseconds   experiment, outcome, side
replay.experiment.lost      count                           experiment, reason
"""

from __future__ import annotations

import random
import re
import socket
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from replay.errors import SettingsError
from replay.experiment.calls import Loss, Outcome
from replay.inert import printable

UDP_BYTES: Final = 1432
"""What one packet of an Ethernet carries."""
UNIX_BYTES: Final = 8192
MOST_DURATIONS: Final = 1_000
"""Of one kind between two sendings; of more a random choice is sent, with the rate that it is of all."""
MOST_KINDS: Final = 2_000
"""Of counts, and of durations, between two sendings: what is of another kind then is counted as lost."""
BEYOND: Final = "more kinds of metrics than are gathered at once"
_HINT: Final = "write 127.0.0.1:8125, [::1]:8125 or unix:///var/run/datadog/dsd.socket"
_MOST_PORTS: Final = 65_535
_UNTAGGED: Final = re.compile(r"[^\w./:-]")
_LONGEST_TAG: Final = 200


@dataclass(slots=True)
class _Durations:
    """How long calls of one kind took: all, or a random choice of as many as are sent."""

    kept: list[float] = field(default_factory=list)
    seen: int = 0

    def add(self, milliseconds: float) -> None:
        self.seen += 1
        if len(self.kept) < MOST_DURATIONS:
            self.kept.append(milliseconds)
        elif (place := random.randrange(self.seen)) < MOST_DURATIONS:  # noqa: S311 - a sample, and no secret
            self.kept[place] = milliseconds

    @property
    def rate(self) -> str:
        return "" if self.seen == len(self.kept) else f"|@{len(self.kept) / self.seen:.6f}"


class DogStatsD:
    """Sends counts and durations twice a second to an agent: `DogStatsD("127.0.0.1:8125")`."""

    def __init__(self, address: str = "127.0.0.1:8125", *, tags: Sequence[str] = (), prefix: str = "replay.") -> None:
        """Take where the agent listens, and tags (`env:live`) for all metrics. Raise SettingsError for what is none."""
        self._family, self._address = _read(address)
        self._prefix = prefix
        if isinstance(tags, str) or not all(isinstance(tag, str) for tag in tags):
            raise SettingsError("DogStatsD: tags is no list of texts", hint='write tags=["env:live"]')
        self._tags = [_tag(tag) for tag in tags]
        self._most_bytes = UDP_BYTES if isinstance(self._address, tuple) else UNIX_BYTES
        self._socket: socket.socket | None = None
        self._begin()

    def _begin(self) -> None:
        self._counts: Counter[str] = Counter()
        self._beyond = 0
        self._durations: dict[str, _Durations] = {}

    def take(self, outcome: Outcome) -> None:
        """Count one outcome."""
        result = outcome.result
        told = (f"experiment:{outcome.experiment}", f"outcome:{result.outcome}")
        self._count("calls", (*told, f"chosen:{outcome.chosen}"), 1)
        for side, seen in (("old", result.old), ("new", result.new)):
            if seen is not None and seen.timing is not None and seen.timing.latency_ms > 0:
                self._measure((*told, f"side:{side}"), seen.timing.latency_ms)

    def lose(self, loss: Loss) -> None:
        """Count calls that were lost."""
        self._count("lost", (f"experiment:{loss.experiment}", f"reason:{loss.reason}"), loss.calls)

    def _count(self, name: str, tags: Iterable[str], calls: int) -> None:
        kind = f"{self._named(name)}:%s|c{self._tagged(tags)}"
        if kind in self._counts or len(self._counts) < MOST_KINDS:
            self._counts[kind] += calls
        else:
            self._beyond += calls

    def _measure(self, tags: Iterable[str], milliseconds: float) -> None:
        kind = f"{self._named('duration')}:%s|d%s{self._tagged(tags)}"
        if kind in self._durations or len(self._durations) < MOST_KINDS:
            self._durations.setdefault(kind, _Durations()).add(milliseconds)

    def _named(self, name: str) -> str:
        return f"{self._prefix}experiment.{name}".replace("%", "")

    def _tagged(self, tags: Iterable[str]) -> str:
        return "|#" + ",".join([*map(_tag, tags), *self._tags])

    def flush(self) -> None:
        """Send what was counted. Raise OSError where nobody receives it: it is dropped, and the next is tried anew."""
        lines = list(self._lines())
        self._begin()
        dropped: OSError | None = None
        for packet in _packets(lines, self._most_bytes):
            try:
                self._send(packet)
            except OSError as error:
                self._hang_up()
                dropped = dropped or error
        if dropped is not None:
            raise dropped

    def _lines(self) -> Iterator[bytes]:
        for kind, calls in self._counts.items():
            yield (kind % calls).encode()
        if self._beyond:
            yield f"{self._named('lost')}:{self._beyond}|c{self._tagged([f'reason:{BEYOND}'])}".encode()
        for kind, durations in self._durations.items():
            room = self._most_bytes - len(kind) - 20
            for values in _filling((f"{value:.3f}" for value in durations.kept), room):
                yield (kind % (values, durations.rate)).encode()

    def _send(self, packet: bytes) -> None:
        if self._socket is None:
            self._socket = socket.socket(self._family, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            self._socket.connect(self._address)
        self._socket.send(packet)

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self) -> None:
        """Send what is left."""
        try:
            self.flush()
        finally:
            self._hang_up()

    def forked(self) -> None:
        """Forget what the parent will send."""
        self._socket = None
        self._begin()


def _read(address: object) -> tuple[int, str | tuple[str, int]]:
    if not isinstance(address, str) or address == "unix://":
        raise SettingsError(f"{printable(repr(address), 80)} is no address of a DogStatsD agent", hint=_HINT)
    if address.startswith(("unix://", "/")):
        if not hasattr(socket, "AF_UNIX"):
            raise SettingsError("this system has no Unix sockets", place=address, hint=_HINT)
        return socket.AF_UNIX, address.removeprefix("unix://")
    host, _, port = address.removeprefix("udp://").rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) <= _MOST_PORTS:
        raise SettingsError(f"'{address}' is no address of a DogStatsD agent", hint=_HINT)
    if host.startswith("["):
        return socket.AF_INET6, (host.strip("[]"), int(port))
    return socket.AF_INET, (host, int(port))


def _tag(text: str) -> str:
    """Return a text as a tag: what would end a tag, a line or a datagram is an underscore."""
    return _UNTAGGED.sub("_", text)[:_LONGEST_TAG]


def _filling(values: Iterable[str], room: int) -> Iterator[str]:
    """Yield values joined by colons, as many at once as there is room for."""
    line = ""
    for value in values:
        if line and len(line) + 1 + len(value) > room:
            yield line
            line = ""
        line = f"{line}:{value}" if line else value
    if line:
        yield line


def _packets(lines: Iterable[bytes], most: int) -> Iterator[bytes]:
    packet = b""
    for line in lines:
        if packet and len(packet) + 1 + len(line) > most:
            yield packet
            packet = b""
        packet = packet + b"\n" + line if packet else line
    if packet:
        yield packet
