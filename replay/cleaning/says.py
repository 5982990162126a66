"""What is masked in a document of recorded messages or goldens: as in a run, told by the names of its members."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection
from typing import Final

from replay.cleaning.base import Eye
from replay.locations import State
from replay.privacy import is_secret
from replay.privacy.forms import text_replacer
from replay.privacy.headers import header_secrets
from replay.privacy.json_text import is_json_text
from replay.privacy.placed_json import Decision, PlacedJson
from replay.privacy.places import Places
from replay.privacy.secrets import mask_for
from replay.privacy.tokens import TOKEN

_ROOTS: Final = {
    "headers": "headers", "json": "body", "form": "body", "text": "body", "body": "body", "string": "body",
    "postdata": "body", "query": "query",
}  # fmt: skip
"""Members of documents that hold parts of messages, and what locations call those."""
_URLS: Final = frozenset({"url", "uri", "path", "redirecturl", "location"})
_PACKED: Final = frozenset({"base64", "base64_string"})
_SHORTEST: Final = 6
_MOST: Final = 500
"""So many credentials are looked for in all of a document."""


class Says:
    """Decides along a document; `known` are credentials that it shows in headers, and may repeat elsewhere."""

    def __init__(self, eye: Eye, known: Collection[str] = ()) -> None:
        """Take who makes tokens by which rules."""
        holding = eye.rules.in_files
        self._mask = mask_for(eye.tokeniser, eye.rules, holding)
        self._places = Places(eye.rules, holding, self._mask, in_request=True)
        self._known = text_replacer(eye.tokeniser, known)
        self._start = eye.rules.start
        self._root = (None, *(self._start.key(root) for root in ("headers", "body", "query")))
        self.shown: set[str] = set()
        """The credentials in its headers."""

    @property
    def start(self) -> State:
        """Return where a document stands."""
        return self._start

    def decided(self, above: Decision, state: State) -> Decision:
        """Return what holds at a state below a node of which this was decided."""
        return above if state is self._start else self._places.decided(above, state)

    def below(self, state: State, name: str) -> State:
        """Return where a member stands: what is no part of a message stands where the document does."""
        if state is not self._start:
            return state.key(name.lower() if state is self._root[1] else name)
        root = _ROOTS.get(name.lower())
        return state if root is None else state.key(root)

    def text(self, decision: Decision, name: str, text: str, state: State | None = None) -> str:
        """Return what is kept of a text in a member of this name."""
        if is_secret(name) and len(self.shown) < _MOST:
            secrets = header_secrets(name, text)
            self.shown.update(it for it in secrets if len(it) >= _SHORTEST and not TOKEN.search(it))
        if decision:
            return self._places.text(decision, name, text)
        return self._by_name(name, self._known(text), state)

    def _by_name(self, name: str, text: str, state: State | None) -> str:
        kind = name.lower()
        if kind in _PACKED:
            return self._packed(text)
        if kind in _URLS and "?" in text:
            return self._mask.text(self._places.path(text))
        if is_json_text(text) and state is not None:
            return PlacedJson(self, state, Decision()).masked(text)
        kept = self._places.text(Decision(), name, text)
        return self._mask.document(kept) if _ROOTS.get(kind) == "body" and kept == text else kept

    def _packed(self, text: str) -> str:
        try:
            content = base64.b64decode(text, validate=False)
        except (binascii.Error, ValueError):
            return self._mask.text(text)
        masked = self.binary(content)
        return text if masked == content else base64.b64encode(masked).decode("ascii")

    def binary(self, content: bytes) -> bytes:
        """Return what is kept of a body."""
        return self._places.body(content)

    def plain(self, decision: Decision, name: str, spelled: str) -> str | None:
        """Return what is kept of a number, true or false, as JSON; None where it stays."""
        return self._places.plain(decision, name, spelled)
