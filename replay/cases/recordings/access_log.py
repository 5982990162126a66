"""Access logs: nginx's and Apache's combined and common formats, those of AWS load balancers, or any `log_format`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import ClassVar, Final

from replay.cases.content import ByteStream
from replay.cases.recordings.base import Exchange, FlawError, RecordedFile, UnusableError, lines
from replay.cases.recordings.exchanges import instant_of, sendable, target_of
from replay.errors import SettingsError
from replay.models import Headers, parse_instant

FORMATS: Final[Mapping[str, str]] = {
    "combined": '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
    '"$http_user_agent"',
    "common": '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent',
    "alb": "$type $time_iso8601 $elb $client $upstream $request_processing $target_processing $response_processing "
    '$status $target_status $received $sent "$request" "$http_user_agent"',
}
"""Formats that need no name: each as a `log_format` of nginx. What a log has behind them is passed over."""

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_ESCAPE = re.compile(r"((?:\\x[0-9A-Fa-f]{2})+)|\\u([0-9A-Fa-f]{4})|\\(.)", re.DOTALL)
_LETTERS: Final[Mapping[str, str]] = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_UNKEPT: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_MOST_CLIENTS: Final = 1_000_000
_PORT = re.compile(r":\d+\Z")


class AccessLog(RecordedFile[tuple[int, str]]):
    """One access log. It holds no bodies: requests that had one are passed over, and answers are not known."""

    form: ClassVar[str] = "access log"

    def __init__(self, path: str | Path, *, skip_bad: bool = False, log_format: str | None = None) -> None:
        """Take a file as the user named it, and the `log_format` it was written in, unless it is a known one.

        Raise SettingsError for a format that tells no request.
        """
        super().__init__(path, skip_bad=skip_bad)
        self._pattern = compiled(log_format) if log_format is not None else None
        self._clients: dict[int, int] = {}

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell it by its first line."""
        first = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
        return _known(first.decode("utf-8", "replace").rstrip("\r")) is not None

    def pieces(self, stream: ByteStream) -> Iterator[tuple[int, str]]:
        """Yield each line with its number."""
        self._clients.clear()
        for number, line in lines(stream):
            yield number, line.decode("utf-8", "replace")

    def exchange(self, piece: tuple[int, str]) -> Exchange:
        """Return the request of one line."""
        number, line = piece
        pattern = self._pattern = self._pattern or _known(line)
        found = pattern.match(line) if pattern is not None else None
        if found is None:
            fact = "a line in another format than the lines before" if number > 1 else "a line in no known format"
            raise FlawError(
                "malformed", fact, line=number, hint="say how it was written: replay import --log-format '...'"
            )
        said = {name: _plain(value) for name, value in found.groupdict().items() if value not in (None, "-")}
        method, target = _request(said)
        body = said.get("request_body")
        if method not in _UNKEPT and body is None:
            raise UnusableError("the body was not kept")
        request = sendable(method, target_of(target), _headers(said), body.encode() if body else None)
        return Exchange(request, at=_instant(said), session=self._session(said), correlation_id=said.get("request_id"))

    def _session(self, said: Mapping[str, str]) -> str | None:
        """Return a number for the client: its address is nobody's business, and its requests hang together."""
        address = said.get("remote_addr") or _PORT.sub("", said.get("client", ""))
        key = hash((address, said.get("http_user_agent")))
        if not address or (key not in self._clients and len(self._clients) >= _MOST_CLIENTS):
            return None
        return str(self._clients.setdefault(key, len(self._clients) + 1))


@cache
def compiled(log_format: str) -> re.Pattern[str]:
    """Return what matches a line in a `log_format`. Raise SettingsError where it tells no request."""
    pattern, end, names = "", 0, set[str]()
    for found in _VARIABLE.finditer(log_format):
        pattern += re.escape(log_format[end : found.start()])
        end = found.end()
        name = str(found[1] or found[2])
        pattern += _value(name, log_format[end : end + 1], known=name in names)
        names.add(name)
    if not names & {"request", "request_uri", "uri"}:
        hint = "for example '$remote_addr [$time_local] \"$request\" $status'"
        raise SettingsError("the log format tells no request", hint=hint)
    return re.compile(pattern + re.escape(log_format[end:]), re.DOTALL)


def _value(name: str, following: str, *, known: bool) -> str:
    """Return the pattern of one variable: up to what follows it; within quotes, escaped ones belong to it."""
    up_to = f"[^{re.escape(following)}]*" if following else ".*"
    value = r'(?:[^"\\]|\\.)*' if following == '"' else up_to
    return value if known else f"(?P<{name}>{value})"


def _known(line: str) -> re.Pattern[str] | None:
    patterns = (compiled(log_format) for log_format in FORMATS.values())
    return next((pattern for pattern in patterns if (found := pattern.match(line)) and _has_status(found)), None)


def _has_status(found: re.Match[str]) -> bool:
    return re.fullmatch(r"\d{3}|-", found["status"]) is not None


def _plain(value: str) -> str:
    r"""Undo the escapes of nginx and load balancers: `\x22` for a quote, `\xC3\xA9` for two bytes; JSON's too."""
    return _ESCAPE.sub(_unescaped, value)


def _unescaped(found: re.Match[str]) -> str:
    octets, code, letter = found.groups()
    if code is not None:
        return chr(int(code, 16))
    if octets is None:
        return _LETTERS.get(letter, letter)
    data = bytes.fromhex(octets.replace("\\x", ""))
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _request(said: Mapping[str, str]) -> tuple[str, str]:
    """Return method and target. A target that holds spaces ends where the protocol begins."""
    if "request" in said:
        method, _, rest = said["request"].partition(" ")
        target, _, protocol = rest.rpartition(" ")
        if not protocol.startswith("HTTP/") or not target:
            raise UnusableError("no request")
        return method, target
    target = said.get("request_uri") or said.get("uri", "")
    if not target or "request_method" not in said:
        raise UnusableError("no request")
    query = said.get("args") if "request_uri" not in said else None
    return said["request_method"], f"{target}?{query}" if query else target


def _headers(said: Mapping[str, str]) -> Headers:
    names = ((name, name.removeprefix("http_")) for name in said if name.startswith("http_"))
    return tuple((header.replace("_", "-"), said[name]) for name, header in names)


def _instant(said: Mapping[str, str]) -> datetime | None:
    for name, read in _CLOCKS.items():
        if name in said:
            try:
                return read(said[name])
            except ValueError:
                return None
    return None


@lru_cache(maxsize=64)
def _local_time(text: str) -> datetime:
    # Remembered, since a log has many lines of one second.
    return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z")


_CLOCKS: Final[Mapping[str, Callable[[str], datetime | None]]] = {
    "time_iso8601": parse_instant,
    "msec": lambda text: instant_of(float(text)),
    "time_local": _local_time,
}
