"""Personal data and secrets out of texts and bodies, by what they look like and by what they are called."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from replay.privacy.detectors import found_in
from replay.privacy.headers import has_secret_parameter, mask_header, mask_query
from replay.privacy.json_text import JsonText, is_json_text
from replay.privacy.names import SECRET, names_phone, names_secret, names_secrets
from replay.privacy.readings import Reading, readings
from replay.privacy.shapes import token_of
from replay.privacy.suspicion import innocent, innocent_leaf, innocent_text
from replay.privacy.tokens import TOKEN, Tokeniser
from replay.privacy.wrapped import GZIP, RUN, unwrapped

DEEPEST: Final = 4
"""How far into JSON within base64 within JSON is looked."""
LARGEST: Final = 32 * 1024 * 1024
"""What is unpacked at most: what is larger cannot be masked and is dropped."""
DROPPED_BODY: Final = b"(dropped: too large to be searched for secrets)"
_REMEMBERED: Final = 65_536
"""Larger texts are seen to each time: what is remembered stays small."""
_LONG: Final = re.compile(r"[\w+/-]{16}")
_SCHEME: Final = re.compile(r"(?:Bearer|Basic|Token)[ ]{1,4}(?=\S)", re.IGNORECASE)
_MOST_BITS: Final = 4_000
"""Python refuses to print much longer numbers."""
_SHORTEST_PHONE: Final = 6
_SHORTEST_NUMBER: Final = 4
_PART: Final = re.compile(r'(\bname="?([^"\r\n;]{1,100})"?[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n)([^\r\n]{1,8000})')
_ELEMENT: Final = re.compile(r"(<(?:[\w-]+:)?([\w.-]{1,100})(?:\s[^<>]{0,500})?>)([^<>]{1,8000})(?=</)")
_INPUT: Final = re.compile(
    r"""(<input\b[^<>]{0,500}?\bname=["']?([\w.-]{1,100})["']?[^<>]{0,500}?\bvalue=["'])([^"'<>]{1,4000})""",
    re.IGNORECASE,
)


class Mask:
    """Replaces what is personal or secret by tokens."""

    def __init__(self, tokeniser: Tokeniser, kept: frozenset[str] = frozenset()) -> None:
        """Take what makes tokens, and the kinds that stay as they are."""
        self._tokeniser = tokeniser
        self._kept = kept
        self._text = lru_cache(maxsize=4096)(lambda text: self._deep(text, 0))
        self._body = lru_cache(maxsize=64)(lambda body: self._bytes(body, 0))

    def text(self, text: str) -> str:
        """Return a text without what is personal or secret; the same object where there is none."""
        if innocent_text(text):
            return text
        return self._text(text) if len(text) <= _REMEMBERED else self._deep(text, 0)

    def body(self, body: bytes) -> bytes:
        """Return a body without what is personal or secret; the same object where there is none."""
        if innocent(body):
            return body
        return self._body(body) if len(body) <= _REMEMBERED else self._bytes(body, 0)

    def _deep(self, text: str, depth: int) -> str:
        if innocent_leaf(text):
            return text
        if depth < DEEPEST and is_json_text(text) and '"' in text:
            return self._json(text, depth + 1)
        if depth < DEEPEST:
            text = self._unwrapped(text, depth + 1)
        return self._plain(text)

    def _plain(self, text: str) -> str:
        if has_secret_parameter(text):
            text = mask_query(text, self._secret)
        hits: list[tuple[int, int, str]] = []
        for reading in reversed(readings(text)):
            for start, end, token in self._hits(reading, text):
                if not any(start < other_end and other < end for other, other_end, _ in hits):
                    hits.append((start, end, token))
        for start, end, token in sorted(hits, reverse=True):
            text = text[:start] + token + text[end:]
        return text

    def _hits(self, reading: Reading, text: str) -> Iterator[tuple[int, int, str]]:
        for kind, start, end in found_in(reading.text):
            if kind not in self._kept:
                first, last = reading.origin(start, end)
                exact = reading.exact(start, end)
                token = token_of(kind, exact, self._tokeniser)
                yield first, last, token if text[first:last] == exact else reading.written(token)

    # ----------------------------------------------------------------------------------------------------- by structure

    def _json(self, text: str, depth: int) -> str:
        return JsonText(lambda name, leaf: self._member(name, leaf, depth), self._number, SECRET).masked(text)

    def _member(self, name: str, text: str, depth: int) -> str:
        if text and names_secret(name):
            return self._named(name, text)
        if names_phone(name) and _digits(text) >= _SHORTEST_PHONE and "phone" not in self._kept:
            return token_of("phone", text, self._tokeniser)
        return self._deep(text, depth)

    def _named(self, name: str, text: str) -> str:
        if "secret" in self._kept:
            return text
        scheme = _SCHEME.match(text)
        if scheme is not None:
            return scheme[0] + self._secret(text[scheme.end() :])
        return mask_header(name.lower().replace("_", "-"), text, self._secret)

    def _number(self, name: str, digits: str) -> str | None:
        if len(digits) < _SHORTEST_NUMBER:
            return None
        if names_secret(name):
            return None if "secret" in self._kept else f'"{self._secret(digits)}"'
        if names_phone(name) and digits.isdigit() and len(digits) >= _SHORTEST_PHONE and "phone" not in self._kept:
            return token_of("phone", digits, self._tokeniser)
        if not digits.isdigit() or innocent_text(digits):
            return None
        masked = self._plain(digits)
        return None if masked == digits else masked

    def _secret(self, text: str) -> str:
        return text if "secret" in self._kept or TOKEN.fullmatch(text) else self._tokeniser.token(text)

    def value(self, value: Any, name: str = "") -> Any:
        """Return a JSON value without what is personal or secret; `name` is the member that holds it.

        Raise RecursionError for one that is nested too deeply.
        """
        if isinstance(value, str):
            return self._member(name, value, 0)
        if isinstance(value, dict):
            return {self.text(key): self.value(item, _below(name, key, item)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item, name) for item in value]
        if isinstance(value, bytes):
            return self.body(value)
        return self._figure(name, value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value

    def _figure(self, name: str, value: int | Decimal) -> Any:
        if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            return value
        kept = self._number(name, str(value))
        return value if kept is None else json.loads(kept)

    def _unwrapped(self, text: str, depth: int) -> str:
        return text if _LONG.search(text) is None else RUN.sub(lambda found: self._in_base64(found[0], depth), text)

    def _in_base64(self, run: str, depth: int) -> str:
        wrapped = unwrapped(run)
        if wrapped is None:
            return run
        masked = self._bytes(wrapped.content, depth)
        return run if masked == wrapped.content else wrapped.around(masked)

    # ----------------------------------------------------------------------------------------------------------- bodies

    def _bytes(self, body: bytes, depth: int) -> bytes:
        if body.startswith(GZIP):
            return self._zipped(body, depth)
        encoding = _encoding(body)
        text = body.decode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")
        masked = self._document(text, depth)
        return (
            body if masked == text else masked.encode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")
        )

    def _zipped(self, body: bytes, depth: int) -> bytes:
        reader = zlib.decompressobj(wbits=31)
        try:
            inner = reader.decompress(body, LARGEST)
        except zlib.error:
            return body
        if reader.unconsumed_tail:
            return DROPPED_BODY
        masked = self._bytes(inner, depth + 1) if depth < DEEPEST else inner
        return body if masked == inner else gzip.compress(masked, mtime=0)

    def _document(self, text: str, depth: int) -> str:
        if is_json_text(text):
            return self._json(text, depth)
        for pattern in (_PART, _ELEMENT, _INPUT):
            text = pattern.sub(self._by_name, text)
        return self._deep(self._form(text), depth)

    def _form(self, text: str) -> str:
        return mask_query(f"?{text}", self._secret)[1:] if "=" in text and has_secret_parameter(f"?{text}") else text

    def _by_name(self, found: re.Match[str]) -> str:
        before, name, value = found.groups()
        if not value.strip() or not (names_secret(name) or names_phone(name)):
            return found[0]
        return before + self._member(name, value, 0)


def _below(name: str, key: str, item: object) -> str:
    """Return the name that tells of a member's value: all below a holder of secrets is secret."""
    holds = names_secrets(key) and isinstance(item, dict | list)
    return SECRET if holds or name is SECRET else key


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _encoding(body: bytes) -> str:
    """Return how a body is written; what is neither UTF-16 nor UTF-8 keeps its bytes in surrogates."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")) and len(body) % 2 == 0:
        encoding = "utf-16-le" if body.startswith(b"\xff\xfe") else "utf-16-be"
        try:
            body.decode(encoding)
        except UnicodeDecodeError:
            return "utf-8"
        return encoding
    return "utf-8"
