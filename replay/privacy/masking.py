"""Personal data and secrets out of texts and bodies, by what they look like and by what they are called."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from replay.models import Headers
from replay.privacy.columns import masked_columns
from replay.privacy.detectors import found_in, has_run
from replay.privacy.headers import has_secret_parameter, mask_form, mask_header, mask_query
from replay.privacy.json_text import JsonText, is_json_text
from replay.privacy.names import SECRET, names_phone, names_secret, names_secrets
from replay.privacy.packed import MAGICS, Unpacked, UnpackingError, decoded, unpacked
from replay.privacy.readings import Reading, readings
from replay.privacy.rules import Extra, Keep
from replay.privacy.shapes import token_of
from replay.privacy.spellings import assigned, in_markup, is_json, on_lines, quoted
from replay.privacy.suspicion import innocent, innocent_fields, innocent_text, innocent_word
from replay.privacy.tokens import TOKEN, Tokeniser
from replay.privacy.wrapped import LINES_OR_RUN, RUN, Wrapped, unwrapped, utf16

DEEPEST: Final = 4
"""How far into JSON within base64 within JSON is looked."""
DROPPED_BODY: Final = b"(dropped: compressed content that is corrupt or too large to be searched for secrets)"
_REMEMBERED: Final = 65_536
"""Larger texts are seen to each time: what is remembered stays small."""
_LONG: Final = 16
_SCHEME: Final = re.compile(r"(?:Bearer|Basic|Token)[ ]{1,4}(?=\S)", re.IGNORECASE)
SHORTEST: Final = 6
"""Shorter values would turn up in innocent text; in their own place they are masked all the same."""
_MOST_BITS: Final = 4_000
"""Python refuses to print much longer numbers."""
_SHORTEST_PHONE: Final = 6
_SHORTEST_NUMBER: Final = 4
Document = Callable[[str, int], str]
"""From a document, and how deep it was packed, to what is kept of it."""


_PLAIN_WORD: Final = re.compile(r"[A-Za-z]?[a-z]{0,14}|[A-Z]{0,15}")
"""A password that reads so would turn up in innocent text."""


class Mask:
    """Replaces what is personal or secret by tokens."""

    def __init__(
        self,
        tokeniser: Tokeniser,
        keeps: Collection[Keep] = (),
        extras: Collection[Extra] = (),
    ) -> None:
        """Take what makes tokens, the exceptions, and what is looked for besides."""
        self._tokeniser = tokeniser
        self._keeps = tuple(keeps)
        self._extras = tuple(extras)
        self._text = lru_cache(maxsize=4096)(lambda text: self._deep(text, 0))
        self._body = lru_cache(maxsize=64)(lambda body: self._bytes(body, 0))

    @property
    def notes(self) -> bool:
        """Tell whether note is taken of each token that is made: then nothing is remembered."""
        return self._tokeniser.notes

    def text(self, text: str) -> str:
        """Return a text without what is personal or secret; the same object where there is none."""
        if innocent_text(text) and not self._extras:
            return text
        return self._text(text) if len(text) <= _REMEMBERED and not self._tokeniser.notes else self._deep(text, 0)

    def body(self, body: bytes) -> bytes:
        """Return a body without what is personal or secret; the same object where there is none."""
        if self.finds_nothing(body):
            return body
        return self._body(body) if len(body) <= _REMEMBERED and not self._tokeniser.notes else self._bytes(body, 0)

    def finds_in(self, texts: Iterable[str], words: Iterable[str], heads: Iterable[Headers]) -> bool:
        """Tell whether anything may be personal or secret in texts, in words that come again, or in header fields.

        False is certain.
        """
        if self._extras or not all(innocent_text(text) or self._stays_whole(text) for text in texts):
            return True
        return not (all(map(innocent_word, words)) and all(map(innocent_fields, heads)))

    def finds_nothing(self, body: bytes) -> bool:
        """Tell whether nothing in a body can be personal or secret."""
        return not self._extras and innocent(body)

    def token(self, kind: str, text: str) -> str:
        """Return the token of a text of this kind; the text where it is kept or none needs a token."""
        if not text or self.stays(kind, text):
            return text
        token = token_of(kind, text, self._tokeniser.plain)
        if token != text:
            self._tokeniser.note(kind)
        return token

    def stays(self, kind: str, text: str) -> bool:
        """Tell whether an exception speaks of a text of this kind."""
        return bool(self._keeps) and any(keep.holds(kind, text) for keep in self._keeps)

    def stays_secret(self, text: str) -> bool:
        """Tell whether an exception speaks of a secret that reads so."""
        return self.stays("secret", text)

    def listening(self) -> Listening:
        """Return what keeps everything, and takes note of what is secret by its name."""
        return Listening(self._tokeniser, self._keeps)

    def keeping(self, keeps: Collection[Keep]) -> Mask:
        """Return the same with further exceptions."""
        return Mask(self._tokeniser, (*self._keeps, *keeps), self._extras)

    def _stays_whole(self, text: str) -> bool:
        return not self.notes and self.text(text) == text

    def _deep(self, text: str, depth: int) -> str:
        return text if innocent_text(text) and not self._extras else self._searched(text, depth)

    def _searched(self, text: str, depth: int) -> str:
        """Return a text without what is personal or secret that was looked at and may hold some."""
        if depth < DEEPEST and is_json_text(text) and '"' in text:
            return self._json(text, depth + 1)
        if depth < DEEPEST:
            text = self._unwrapped(text, depth + 1)
        return self._plain(text)

    def _plain(self, text: str) -> str:
        if has_secret_parameter(text):
            text = mask_query(text, self.secret)
        text = on_lines(assigned(text, self._by_name), self._by_name)
        hits: list[tuple[int, int, str]] = []
        for reading in reversed(readings(text)):
            for start, end, token in self._hits(reading, text):
                if not any(start < other_end and other < end for other, other_end, _ in hits):
                    hits.append((start, end, token))
        for start, end, token in sorted(hits, reverse=True):
            text = text[:start] + token + text[end:]
        return text

    def _hits(self, reading: Reading, text: str) -> Iterator[tuple[int, int, str]]:
        for kind, start, end in self._found(reading.text):
            exact = reading.exact(start, end)
            if not self.stays(kind, exact):
                first, last = reading.origin(start, end)
                token = self.token(kind, exact)
                yield first, last, token if text[first:last] == exact else reading.written(token)

    def _found(self, text: str) -> Iterator[tuple[str, int, int]]:
        # What a rule names goes before what only looks like something.
        for extra in self._extras:
            for start, end in extra.find(text):
                if TOKEN.fullmatch(text[start:end]) is None:
                    yield extra.kind, start, end
        yield from found_in(text)

    # ----------------------------------------------------------------------------------------------------- by structure

    def _json(self, text: str, depth: int) -> str:
        walk = JsonText(lambda name, leaf: self.member(name, leaf, depth), self.number, SECRET, quick=not self._extras)
        return walk.masked(text)

    def member(self, name: str, text: str, depth: int = 0) -> str:
        """Return the text of a member without what is personal or secret, also by its name."""
        if text and names_secret(name):
            return self.named(name, text)
        if names_phone(name) and _digits(text) >= _SHORTEST_PHONE and not self.stays("phone", text):
            return self.token("phone", text)
        return self._deep(text, depth)

    def named(self, name: str, text: str) -> str:
        """Return what is secret by its name with schemes, cookies' names and attributes as they are."""
        scheme = _SCHEME.match(text)
        if scheme is not None:
            return scheme[0] + self.secret(text[scheme.end() :])
        return mask_header(name.lower().replace("_", "-"), text, self.secret)

    def number(self, name: str, digits: str) -> str | None:
        """Return what is kept of a number, as JSON; None where it stays."""
        if len(digits) < _SHORTEST_NUMBER:
            return None
        if names_secret(name):
            return None if self.stays("secret", digits) else f'"{self.secret(digits)}"'
        if names_phone(name) and digits.isdigit() and len(digits) >= _SHORTEST_PHONE:
            return None if self.stays("phone", digits) else self.token("phone", digits)
        if not self._extras and (not digits.isdigit() or innocent_text(digits)):
            return None
        masked = self._plain(digits)
        return None if masked == digits else masked if masked.isdigit() else json.dumps(masked)

    def secret(self, text: str) -> str:
        """Return the token of a secret."""
        return text if TOKEN.fullmatch(text) else self.token("secret", text)

    def value(self, value: Any, name: str = "") -> Any:
        """Return a JSON value without what is personal or secret; `name` is the member that holds it.

        Raise RecursionError for one that is nested too deeply.
        """
        if isinstance(value, str):
            return self.member(name, value, 0)
        if isinstance(value, dict):
            return {self.text(key): self.value(item, name_below(name, key, item)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item, name) for item in value]
        if isinstance(value, bytes):
            return self.body(value)
        return self._figure(name, value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value

    def _figure(self, name: str, value: int | Decimal) -> Any:
        if isinstance(value, int) and value.bit_length() > _MOST_BITS:
            return value
        kept = self.number(name, str(value))
        return value if kept is None else json.loads(kept)

    def _unwrapped(self, text: str, depth: int) -> str:
        if not has_run(text, _LONG):
            return text
        runs = LINES_OR_RUN if "\n" in text else RUN
        return runs.sub(lambda found: (self._in_lines if "\n" in found[0] else self._in_base64)(found[0], depth), text)

    def _in_base64(self, run: str, depth: int) -> str:
        wrapped = unwrapped(run)
        return run if wrapped is None else self._around(wrapped, run, depth)

    def _in_lines(self, lines: str, depth: int) -> str:
        """Return base64 in lines of one length, as MIME and PEM have it, with what is kept of its content."""
        first, *rest = lines.split()
        joined = "".join([first, *rest])
        kept = self._in_base64(joined, depth)
        if kept == joined:
            return lines
        end = "\r\n" if "\r\n" in lines else "\n"
        return end.join(kept[at : at + len(first)] for at in range(0, len(kept), len(first)))

    def _around(self, wrapped: Wrapped, run: str, depth: int) -> str:
        masked = self._bytes(wrapped.content, depth)
        return run if masked == wrapped.content else wrapped.around(masked)

    # ----------------------------------------------------------------------------------------------------------- bodies

    def unpacked(self, body: bytes, document: Document) -> bytes:
        """Return a body of which, however it is packed and encoded, `document` has made what is kept."""
        return self._bytes(body, 0, document)

    def _bytes(self, body: bytes, depth: int, document: Document | None = None) -> bytes:
        document = document or self.document
        if body.startswith(MAGICS) and (kept := self._unzipped(body, depth, document)) is not None:
            return kept
        encoding = _encoding(body)
        text = body.decode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")
        masked = document(text, depth)
        return (
            body if masked == text else masked.encode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")
        )

    def _unzipped(self, body: bytes, depth: int, document: Document) -> bytes | None:
        """Return what is kept of compressed content; None where it is none."""
        try:
            found = unpacked(body)
            return None if found is None else self._repacked(body, found, depth, document)
        except UnpackingError:
            return DROPPED_BODY

    def _repacked(self, body: bytes, found: Unpacked, depth: int, document: Document) -> bytes:
        if depth >= DEEPEST:
            raise UnpackingError
        masked = self._bytes(found.content, depth + 1, document)
        rest = self._bytes(found.rest, depth + 1, document) if found.rest else b""
        return body if (masked, rest) == (found.content, found.rest) else found.pack(masked) + rest

    def coded(self, body: bytes, coding: str, document: Document | None = None) -> bytes:
        """Return a body of which only a header tells how it is compressed, and mostly was undone already."""
        try:
            found = decoded(body, coding)
            if found is not None:
                return self._repacked(body, found, 0, document or self.document)
        except UnpackingError:
            return DROPPED_BODY
        return self.body(body) if document is None else self.unpacked(body, document)

    def document(self, text: str, depth: int = 0) -> str:
        """Return a text that may be JSON, a table, a form or markup without what is personal or secret."""
        text = masked_columns(text, lambda name, cell: self.member(name, cell, depth))
        if is_json_text(text) and '"' in text:
            text = self._json(text, depth)
            text = on_lines(text, self._by_name, unless=is_json)
            return quoted(text, self._by_name) if "':" in text else text
        text = in_markup(text, self._by_name)
        return self._searched(self._form(text), depth)

    def _form(self, text: str) -> str:
        return mask_form(text, self.secret) if "=" in text and has_secret_parameter(f"?{text}") else text

    def _by_name(self, found: re.Match[str]) -> str:
        before, value = found[1], found[found.re.groups]
        name = found[2] or found[3]
        if not value.strip() or not (names_secret(name) or names_phone(name)):
            return found[0]
        return before + self.member(name, value, DEEPEST)


class Listening(Mask):
    """Keeps everything, and takes note of what is secret by its name."""

    def __init__(self, tokeniser: Tokeniser, keeps: Collection[Keep]) -> None:
        super().__init__(tokeniser, keeps)
        self._heard: set[str] = set()

    @property
    def heard(self) -> frozenset[str]:
        """Return what was heard, as far as a service that repeats it is sure to mean it."""
        return frozenset(it for it in self._heard if len(it) >= SHORTEST and not _PLAIN_WORD.fullmatch(it))

    def token(self, kind: str, text: str) -> str:
        """Take note of a secret that no exception speaks of."""
        if kind == SECRET and not self.stays(kind, text) and TOKEN.fullmatch(text) is None:
            self._heard.add(text)
        return text


def name_below(name: str, key: str, item: object) -> str:
    """Return the name that tells of a member's value: all below a holder of secrets is secret."""
    holds = names_secrets(key) and isinstance(item, dict | list)
    return SECRET if holds or name is SECRET else key


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _encoding(body: bytes) -> str:
    """Return how a body is written; what is neither UTF-16 nor UTF-8 keeps its bytes in surrogates."""
    encoding = utf16(body)
    try:
        body.decode(encoding or "utf-8", "strict" if encoding else "surrogateescape")
    except UnicodeDecodeError:
        return "utf-8"
    return encoding or "utf-8"
