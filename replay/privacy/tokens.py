"""Keyed tokens: one text gives one token under one key, and without the key no guess can be checked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

MAIL_DOMAIN: Final = "example.invalid"
PHONE_PREFIX: Final = "999"
CARD_PREFIXES: Final = {14: "360000", 15: "340000", 17: "600000", 18: "600000", 0: "400000"}
"""How a card number begins that stands for another one, by its digits; 0 is for all other lengths."""
_APART: Final = r"(?:(?<!\d)|(?<=%\d\d)|(?<=%25\d\d))"
TOKEN: Final = re.compile(
    rf"tok_[a-z2-7]{{16}}(?:@{re.escape(MAIL_DOMAIN)})?"
    rf"|{_APART}\+?{PHONE_PREFIX}\d{{12}}(?!\d)"
    rf"|{_APART}(?:[46][ -]?0|3[ -]?[46])(?:[ -]?0){{4}}(?:[ -]?\d){{7,13}}(?!\d)"
    r"|[A-Z]{2}\d\d[ -]?[9X]{4}(?:[ -]?[A-Z0-9]){7,26}(?![A-Z0-9])"
)
"""What a token looks like; those of e-mail addresses, telephone, card and account numbers keep that shape."""
_BYTES: Final = 10
_NAME: Final = re.compile(r"\{\{\s*(?:secret\.[\w-]+|\w+)\s*\}\}")
"""What stands for a value of a later time, or for a secret that is put there on sending, and says nothing of it."""


class Tokeniser:
    """Turns texts into tokens under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.used = False
        """Whether any token was made."""
        self.plain: Tokeniser = self
        """The same, without taking note of anything."""
        self.token: Callable[[str], str] = lru_cache(maxsize=4096)(self._token)
        """Return `tok_` and 16 base32 characters (80 bits of HMAC-SHA-256).

        What is a token already, or stands as a `{{name}}` for a later value, stays.
        """

    def note(self, kind: str) -> None:
        """Take note that a token of a kind was made."""

    @property
    def notes(self) -> bool:
        """Tell whether it takes any notes."""
        return self.plain is not self

    def digits(self, text: str, count: int) -> str:
        """Return so many digits of a text's HMAC, at most 70."""
        return str(int.from_bytes(self._mac(text))).zfill(78)[-count:]

    def _mac(self, text: str) -> bytes:
        self.used = True
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)

    def _token(self, text: str) -> str:
        if TOKEN.fullmatch(text) or _NAME.fullmatch(text):
            return text
        return "tok_" + base64.b32encode(self._mac(text)[:_BYTES]).decode("ascii").lower()
