"""curl commands, as browsers copy them and people keep them in scripts. Nothing is run, and no file is read."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final
from urllib.parse import quote_plus

from replay.cases.content import ByteStream
from replay.cases.fields import content_type
from replay.cases.multipart import Part, boundary_of, encode
from replay.cases.recordings.base import Exchange, FlawError, RecordedFile, UnusableError, whole
from replay.cases.recordings.exchanges import sendable, target_of
from replay.cases.recordings.shell import Command, commands
from replay.models import Request

_FORM: Final = "application/x-www-form-urlencoded"
_WITHOUT_VALUE: Final = frozenset(
    (
        "compressed", "fail", "fail-early", "globoff", "include", "insecure", "location", "location-trusted",
        "no-buffer", "path-as-is", "silent", "show-error", "verbose", "http1.0", "http1.1", "http2",
        "http2-prior-knowledge", "http3", "tlsv1", "tlsv1.2", "tlsv1.3", "ipv4", "ipv6", "raw", "progress-bar",
        "no-progress-meter", "anyauth", "basic", "remote-name", "fail-with-body", "no-keepalive", "tr-encoding",
    )
)  # fmt: skip
_WITH_VALUE: Final = frozenset(
    (
        "output", "write-out", "connect-timeout", "max-time", "retry", "retry-delay", "retry-max-time",
        "max-redirs", "cacert", "capath", "cert", "key", "cert-type", "key-type", "proxy", "proxy-user", "noproxy",
        "resolve", "connect-to", "interface", "dump-header", "cookie-jar", "limit-rate", "ciphers", "trace",
        "trace-ascii", "stderr", "unix-socket", "keepalive-time", "speed-time", "speed-limit",
    )
)  # fmt: skip
_SHORT: Final = {
    "X": "request", "H": "header", "d": "data", "F": "form", "u": "user", "b": "cookie", "A": "user-agent",
    "e": "referer", "G": "get", "I": "head", "k": "insecure", "s": "silent", "S": "show-error", "L": "location",
    "v": "verbose", "i": "include", "f": "fail", "g": "globoff", "N": "no-buffer", "o": "output", "w": "write-out",
    "m": "max-time", "x": "proxy", "U": "proxy-user", "E": "cert", "c": "cookie-jar", "D": "dump-header", "O":
    "remote-name", "0": "http1.0", "4": "ipv4", "6": "ipv6", "#": "progress-bar", "r": "range",
}  # fmt: skip


@dataclass(slots=True)
class _Asked:
    """What the options of one command add up to."""

    urls: list[str] = field(default_factory=list)
    method: str | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    without: set[str] = field(default_factory=set)
    data: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    json: bool = False
    as_query: bool = False
    head: bool = False

    def default(self, name: str, value: str) -> None:
        """State a header that curl adds by itself, unless the command states or removes it."""
        if name.lower() not in self.without and not any(known.lower() == name.lower() for known, _ in self.headers):
            self.headers.append((name, value))


class CurlFile(RecordedFile[Command]):
    """A script or a paste with curl commands. Other commands are passed over and counted."""

    form: ClassVar[str] = "curl commands"

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        """Tell it by its first command."""
        for line in head.removeprefix(b"\xef\xbb\xbf").splitlines():
            text = line.strip().removeprefix(b"$ ")
            if text and not text.startswith(b"#"):
                return text.startswith((b"curl ", b"curl\t", b"curl\\"))
        return False

    def pieces(self, stream: ByteStream) -> Iterator[Command]:
        """Yield each command of the script."""
        try:
            script = whole(stream).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise FlawError("encoding", "the commands are not UTF-8") from None
        yield from commands(script)

    def exchange(self, piece: Command) -> Exchange:
        """Return the request that one command sends."""
        words = piece.words[1:] if piece.words[0] == "$" else piece.words
        if not words or words[0] != "curl":
            raise UnusableError("another command than curl")
        if piece.expands:
            raise UnusableError("a variable of the shell")
        asked = _Asked()
        _read_options(words[1:], asked, piece.line)
        return Exchange(_request(asked, piece.line))


def _read_options(words: list[str], asked: _Asked, line: int) -> None:
    rest = iter(words)
    for word in rest:
        if not word.startswith("-") or word == "-":
            asked.urls.append(word)
            continue
        for name, value in _options(word, line):
            _apply(name, value, rest, asked, line)


def _options(word: str, line: int) -> Iterator[tuple[str, str | None]]:
    """Yield each option of a word: `--name`, `-k`, or several in one, of which the last may bring its value."""
    if word.startswith("--"):
        yield word[2:], None
        return
    letters = word[1:]
    for place, letter in enumerate(letters, start=1):
        name = _SHORT.get(letter)
        if name is None:
            raise FlawError("unknown option", f"the option -{letter} of curl is not known", line=line)
        if name in _APPLIED or name in _WITH_VALUE:
            yield name, letters[place:] or None
            return
        yield name, None


def _apply(name: str, value: str | None, rest: Iterator[str], asked: _Asked, line: int) -> None:
    if name in _FLAGS:
        _FLAGS[name](asked)
    elif name in _APPLIED or name in _WITH_VALUE:
        given = value if value is not None else next(rest, None)
        if given is None:
            raise FlawError("malformed", f"the option {name} of curl has no value", line=line)
        if name in _APPLIED:
            _APPLIED[name](asked, given)
    elif name not in _WITHOUT_VALUE:
        raise FlawError("unknown option", f"the option --{name!s:.40} of curl is not known", line=line)


def _header(asked: _Asked, text: str) -> None:
    name, colon, value = text.partition(":")
    if colon and value.strip():
        asked.headers.append((name.strip(), value.strip()))
    elif colon:
        asked.without.add(name.strip().lower())
    elif text.endswith(";"):
        asked.headers.append((text[:-1].strip(), ""))
    else:
        _no_file(text)


def _no_file(text: str) -> None:
    """Refuse what stands in a file beside the commands: nothing recorded decides which files are read."""
    if text.startswith(("@", "<")):
        raise UnusableError("a file beside the commands")


def _data(asked: _Asked, text: str) -> None:
    _no_file(text)
    asked.data.append(text)


def _data_raw(asked: _Asked, text: str) -> None:
    asked.data.append(text)


def _data_encoded(asked: _Asked, text: str) -> None:
    name, sign, value = text.partition("=")
    if not sign:
        if "@" in text:
            raise UnusableError("a file beside the commands")
        name, value = "", text
    asked.data.append(f"{name}={quote_plus(value)}" if name else quote_plus(value))


def _json(asked: _Asked, text: str) -> None:
    _data(asked, text)
    asked.json = True


def _part(asked: _Asked, text: str) -> None:
    name, sign, value = text.partition("=")
    if not sign:
        raise UnusableError("malformed request")
    _no_file(value)
    content, *settings = value.split(";")
    stated = dict(setting.strip().partition("=")[::2] for setting in settings)
    asked.parts.append(Part(name, content.encode(), stated.get("filename"), stated.get("type")))


def _cookie(asked: _Asked, text: str) -> None:
    if "=" not in text:
        raise UnusableError("a file beside the commands")
    asked.headers.append(("Cookie", text))


def _user(asked: _Asked, text: str) -> None:
    asked.default("Authorization", f"Basic {b64encode(text.encode()).decode()}")


def _flag(**values: bool) -> Callable[[_Asked], None]:
    def set_them(asked: _Asked) -> None:
        for name, value in values.items():
            setattr(asked, name, value)

    return set_them


_FLAGS: Final[Mapping[str, Callable[[_Asked], None]]] = {"get": _flag(as_query=True), "head": _flag(head=True)}
_APPLIED: Final[Mapping[str, Callable[[_Asked, str], None]]] = {
    "request": lambda asked, text: setattr(asked, "method", text),
    "url": lambda asked, text: asked.urls.append(text),
    "header": _header,
    "data": _data,
    "data-ascii": _data,
    "data-binary": _data,
    "data-raw": _data_raw,
    "data-urlencode": _data_encoded,
    "json": _json,
    "form": _part,
    "form-string": _part,
    "user": _user,
    "cookie": _cookie,
    "user-agent": lambda asked, text: asked.headers.append(("User-Agent", text)),
    "referer": lambda asked, text: asked.headers.append(("Referer", text)),
    "range": lambda asked, text: asked.headers.append(("Range", f"bytes={text}")),
}


def _request(asked: _Asked, line: int) -> Request:
    if len(asked.urls) != 1:
        raise FlawError("malformed", f"a curl command with {len(asked.urls)} URLs", line=line, hint="name one")
    url = asked.urls[0]
    target = target_of(url if "://" in url or url.startswith("/") else f"http://{url}")
    data = "&".join(asked.data) if asked.data else None
    if asked.as_query and data is not None:
        target += ("&" if "?" in target else "?") + data
        data = None
    body = _body(asked, data)
    method = asked.method or ("HEAD" if asked.head else "GET" if body is None else "POST")
    return sendable(method, target, tuple(asked.headers), body)


def _body(asked: _Asked, data: str | None) -> bytes | None:
    if asked.parts:
        if content_type(tuple(asked.headers)) is not None:
            raise UnusableError("a form under another content type")
        boundary = boundary_of(asked.parts)
        asked.default("Content-Type", f"multipart/form-data; boundary={boundary}")
        return encode(asked.parts, boundary)
    if data is None:
        return None
    asked.default("Content-Type", "application/json" if asked.json else _FORM)
    if asked.json:
        asked.default("Accept", "application/json")
    return data.encode("utf-8", "surrogatepass")
