"""JSON as it is written, member by member: what is replaced is replaced in place, and every other byte stays.

Nothing is parsed, so that numbers keep their digits, duplicate members stay, and what is cut or no JSON loses nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from replay.privacy.headers import Known
from replay.privacy.names import names_phone, names_secret, names_secrets
from replay.privacy.suspicion import innocent_text

Leaf = Callable[[str, str], str]
"""From the name of the nearest member and a text to the text that is kept."""
Number = Callable[[str, str], str | None]
"""From a name and a number as it is written to what is kept of it as JSON, or None where it stays."""

_PART: Final = re.compile(
    r'[\s,:]*+(?:"(?P<text>[^"\\]*+(?:\\.[^"\\]*+)*+)(?:"(?P<colon>\s*+:)?|\\?\Z)'
    r"|(?P<opens>[\[{])|(?P<closes>[\]}])|true\b|false\b|null\b|-?[0-9]{1,3}+(?![0-9.eE])"
    r"|(?P<number>-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)"
    r"|(?P<bare>[^\s\"\[\]{},:0-9][^\"\[\]{},]*+))",
    re.DOTALL,
)

_HALF: Final = re.compile(r"[\ud800-\udfff]")
_NAMING: Final = frozenset({"name", "key"})
_TEXTS: Final = frozenset({"text", "colon"})
_STAYS: Final = Known(lambda raw: "\\" not in raw and innocent_text(raw))
_DULL: Final = Known(lambda name: name != "value" and "\\" not in name and innocent_text(name))
"""Names that stay, and that no other member tells anything of."""
_TELLING: Final = Known(lambda name: name in _NAMING or names_secret(name) or names_phone(name))


def is_json_text(text: str) -> bool:
    """Tell whether a text looks like a JSON document with anything in it."""
    return text.lstrip("\ufeff \t\r\n")[:1] in {"{", "[", '"'}


class JsonText:
    """One walk along a JSON text."""

    def __init__(self, leaf: Leaf, number: Number, secret: str, *, quick: bool = False) -> None:
        """Take what replaces texts and numbers; `secret` is the name under which all below a holder of secrets is.

        With `quick`, a text that looks innocent stays, save below a name that tells something.
        """
        self._quick = quick
        self._leaf = leaf
        self._number = number
        self._secret = secret
        self._name = ""
        self._depth = 0
        self._said = ""
        """What the member `name` of this object holds: it tells of the member `value` beside it."""
        self._within = 0
        """The depth at which a holder of secrets began; 0 outside of any."""

    def masked(self, text: str) -> str:
        """Return the text with its leaves and names replaced; the same object where none is."""
        pieces: list[str] = []
        last = 0
        for found in _PART.finditer(text):
            # Most parts say nothing, and a call for each would take longer than all the others.
            group = found.lastgroup
            if group is None:
                continue
            if self._quick and group in _TEXTS:
                raw = found["text"]
                if group == "text" and not self._within and not _TELLING[self._name] and _STAYS[raw]:
                    continue
                if group == "colon" and _DULL[raw]:
                    self._name = raw
                    continue
            fresh = self._part(found)
            if fresh is not None:
                begin = found.start("text") - 1 if group in _TEXTS else found.start(group)
                pieces += [text[last:begin], fresh]
                last = found.end()
        return "".join([*pieces, text[last:]]) if pieces else text

    def _part(self, found: re.Match[str]) -> str | None:
        raw = found["text"]
        if raw is None:
            return self._other(found)
        meant = _meant(raw) if "\\" in raw else raw
        colon = found["colon"]
        if colon:
            self._name = self._said if meant == "value" and self._said else meant
        elif self._name in _NAMING:
            self._said = meant
        name = "" if colon else self._secret if self._within else self._name
        kept = self._leaf(name, meant)
        return None if kept == meant else spelled(kept, raw) + (colon or "")

    def _bare(self, text: str) -> str | None:
        """Return what is kept of a text without quotes, as in what is cut, broken or only looks like JSON."""
        kept = self._leaf("", text)
        return None if kept == text else kept

    def _other(self, found: re.Match[str]) -> str | None:
        if found["number"]:
            return self._number(self._secret if self._within else self._name, found["number"])
        self._said = ""
        if found["bare"]:
            return self._bare(found["bare"])
        if found["opens"]:
            self._depth += 1
            if not self._within and names_secrets(self._name):
                self._within = self._depth
            return None
        if self._within == self._depth:
            self._within, self._name = 0, ""
        self._depth -= 1
        if found["closes"] == "}":
            self._name = ""
        return None


def _meant(raw: str) -> str:
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw


def spelled(text: str, raw: str) -> str:
    """Return a text as JSON, in as many characters beyond ASCII as what it stands for was written in."""
    plain = json.dumps(text, ensure_ascii=raw.isascii())
    # Half a character has no bytes of its own: it stays an escape, beside bytes that are no UTF-8 and stay as they are.
    return _HALF.sub(lambda half: half[0] if half[0] in raw else f"\\u{ord(half[0]):04x}", plain)
