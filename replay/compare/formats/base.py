"""What a reading is given, and what it makes of it."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from replay.locations import Path
from replay.models import CsvSpec

BodyKind = Literal["json", "text", "bytes", "rows", "none"]

_NO_CHARSETS: Final = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"})
"""Python's codecs that no service means by a charset, and that warn or fail in ways of their own."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that makes content other than what it claims to be; `name` is what `allow` calls it."""

    name: str
    message: str


class UnreadableError(Exception):
    """The content is not what it was to be read as."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.flaw = Flaw(name, message)


@dataclass(frozen=True, slots=True)
class Reading:
    """Content as a value: a JSON value, a text, bytes, the rows of a CSV file, or nothing."""

    kind: BodyKind
    value: Any = None
    flaws: tuple[Flaw, ...] = ()
    lines: bool = False
    """JSON lines: read as the list of their documents, and yet no JSON array."""
    unwrapped: tuple[Unwrapped, ...] = ()
    """The texts within that were read as something else."""
    without_booleans: Any = None
    """The value itself, if its text holds neither true nor false. It is compared in half the time."""

    @property
    def is_empty(self) -> bool:
        """Tell whether there is no byte: on the wire, an empty body and none are the same."""
        return self.kind == "none" or (self.kind in ("text", "bytes") and not self.value)


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A text within a document that a rule reads as something else: where it stands, which rule, and its hash."""

    at: Path
    rule: str
    mark: int


NOTHING: Final = Reading("none")
_AS_IT_SHOWS: Final = CsvSpec()


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes or a text, and what is known of how to read them."""

    data: bytes | str
    charset: str | None = None
    spelled: bool = False
    """Numbers keep their spelling."""
    csv: CsvSpec = _AS_IT_SHOWS

    @property
    def raw(self) -> bytes:
        """Return the content as bytes."""
        return self.data.encode("utf-8", "surrogatepass") if isinstance(self.data, str) else self.data

    def text(self) -> str:
        """Return the content as text, in its charset or UTF-8. Raise UnreadableError where it is none."""
        if isinstance(self.data, str):
            return self.data
        name = known_charset(self.charset)
        try:
            return self.data.decode(name)
        except (LookupError, ValueError):
            raise UnreadableError("charset", f"it is not text in its charset {name[:40]!a}") from None

    def now(self, data: bytes | str) -> Content:
        """Return what was found within; its charset is its own affair."""
        return replace(self, data=data, charset=None)


Reader = Callable[[Content], "Content | Reading"]
"""Makes a value of content, or other content that was wrapped in it. Raises UnreadableError."""


def known_charset(charset: str | None) -> str:
    """Return a charset, UTF-8 where none is named. Raise UnreadableError for what is none."""
    try:
        if codecs.lookup(charset or "utf-8").name.replace("-", "_") not in _NO_CHARSETS:
            return charset or "utf-8"
    except (LookupError, ValueError):
        pass  # no such charset, or a name that holds what no name may
    raise UnreadableError("charset", f"it is not text in its charset {(charset or '')[:40]!a}")
