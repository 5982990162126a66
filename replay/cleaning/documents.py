"""Documents that are read as a whole: HAR, cassettes, goldens, JSON and YAML of any kind. Layout and comments stay."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate
from operator import itemgetter
from typing import Final

from replay.cases.content import ByteStream
from replay.cases.recordings.cassette import CassetteFile
from replay.cleaning.base import Eye
from replay.cleaning.says import Says
from replay.cleaning.yaml_text import YamlWalk
from replay.documents import read_yaml
from replay.errors import DocumentError
from replay.privacy.placed_json import UNSAID, PlacedJson

_LARGEST: Final = 1 << 29
_BOM: Final = "\ufeff"


def clean_json(stream: ByteStream, eye: Eye) -> Iterator[bytes]:
    """Yield a JSON document, or lines of them, with tokens in place of what is secret or personal."""
    yield from _cleaned(stream, eye, _json)


def clean_yaml(stream: ByteStream, eye: Eye) -> Iterator[bytes]:
    """Yield a YAML document, with tokens where something needs one. Raise DocumentError for what is no YAML."""
    yield from _cleaned(stream, eye, _yaml)


def is_json(head: bytes) -> bool:
    """Tell whether a file that begins like this is JSON."""
    return head.removeprefix(_BOM.encode()).lstrip()[:1] in {b"{", b"["}


Edit = Callable[[str, Says, Callable[[int], None]], str]


def _cleaned(stream: ByteStream, eye: Eye, edit: Edit) -> Iterator[bytes]:
    data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise DocumentError(f"more than {_LARGEST >> 20} MB in one document", hint="`replay import` streams recordings")
    text = data.decode("utf-8", "surrogateescape")
    # Once to learn which credentials it shows, since it may repeat them anywhere, and once more to mask.
    first, lines = Says(eye), _Lines(text, eye)
    edit(text, first, lambda _: None)
    eye.tokeniser.taken()
    masked = edit(text, Says(eye, first.shown), lines.at)
    lines.tell()
    yield data if masked == text else masked.encode("utf-8", "surrogateescape")


class _Lines:
    """Tells findings by line and column."""

    def __init__(self, text: str, eye: Eye) -> None:
        self._starts = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]
        self._eye = eye
        self._found: list[tuple[int, Counter[str]]] = []

    def at(self, offset: int) -> None:
        """Take note of what was masked at an offset."""
        if kinds := self._eye.tokeniser.taken():
            self._found.append((offset, kinds))

    def tell(self) -> None:
        """Say all of it, in the order of the text."""
        for offset, kinds in sorted(self._found, key=itemgetter(0)):
            line = bisect_right(self._starts, offset)
            self._eye.tokeniser.ledger += kinds
            self._eye.at(f"{line}:{offset - self._starts[line - 1] + 1}")


def _json(text: str, says: Says, watch: Callable[[int], None]) -> str:
    return PlacedJson(says, says.start, UNSAID).masked(text, watch)


# ---------------------------------------------------------------------------------------------------------------- YAML


def _yaml(text: str, says: Says, watch: Callable[[int], None]) -> str:
    read_yaml(text.encode("utf-8", "surrogateescape"), "")  # which refuses bombs before anything is built of them
    bom = len(text) - len(text.removeprefix(_BOM))
    walk = YamlWalk(text[bom:], says, lambda offset: watch(bom + offset))
    return text[:bom] + walk.masked()


def is_yaml(head: bytes) -> bool:
    """Tell whether a file that begins like this is a cassette: of other YAML, only the suffix tells."""
    return CassetteFile.recognises(head)
