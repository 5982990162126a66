"""Tokens that keep the shape of what they stand for, so that a service which checks that shape still takes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final
from unicodedata import normalize

from replay.privacy.checksums import iban_digits, luhn_digit
from replay.privacy.tokens import CARD_PREFIXES, MAIL_DOMAIN, PHONE_PREFIX, TOKEN, Tokeniser

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PHONE_DIGITS: Final = 12
_MARKED: Final = 4
"""How many characters of an account say that it is none."""


def token_of(kind: str, text: str, tokeniser: Tokeniser) -> str:
    """Return the token of a text of this kind; what is a token already stays."""
    if TOKEN.fullmatch(text):
        return text
    shaped = _SHAPES.get(kind, _plain)
    return shaped(text, tokeniser) if _LAYOUTS.get(kind, _ANY).fullmatch(text) else _plain(text, tokeniser)


def _plain(text: str, tokeniser: Tokeniser) -> str:
    return tokeniser.token(text)


def _mail(text: str, tokeniser: Tokeniser) -> str:
    return f"{tokeniser.token(text)}@{MAIL_DOMAIN}"


def _card(text: str, tokeniser: Tokeniser) -> str:
    """Return a number of as many digits, in the same layout, that no issuer has given out."""
    bare = _bare(text)
    length = sum(map(str.isdigit, bare))
    prefix = CARD_PREFIXES.get(length, CARD_PREFIXES[0])
    drawn = tokeniser.digits(f"card {bare}", length - len(prefix) - 1)
    return _laid_out(text, prefix + drawn + luhn_digit(prefix + drawn))


def _iban(text: str, tokeniser: Tokeniser) -> str:
    """Return an account of the same country and layout, letters for letters and digits for digits."""
    bare = _bare(text)
    iban = "".join(filter(str.isalnum, normalize("NFKC", bare))).upper()
    country, account = iban[:2], iban[4:]
    drawn = tokeniser.digits(f"iban {bare}", 2 * len(account))
    pairs = (int(drawn[index : index + 2]) for index in range(0, len(drawn), 2))
    made = "".join(_drawn(index, old, pair) for index, (old, pair) in enumerate(zip(account, pairs, strict=True)))
    return _laid_out(text, country + iban_digits(country, made) + made)


def _drawn(index: int, character: str, pair: int) -> str:
    if character.isdigit():
        return "9" if index < _MARKED else str(pair % 10)
    return "X" if index < _MARKED else _LETTERS[pair % len(_LETTERS)]


def _phone(text: str, tokeniser: Tokeniser) -> str:
    """Return an international number of 15 digits, under a country code that no country has."""
    plus = "+" if text.lstrip().startswith("+") or not text.isdigit() else ""
    return plus + PHONE_PREFIX + tokeniser.digits(f"phone {text}", _PHONE_DIGITS)


def _bare(text: str) -> str:
    """Return a number without its layout. One in other characters is another text, and has another token."""
    return re.sub(r"[ -]", "", text) if text.isascii() else text


def _laid_out(text: str, characters: str) -> str:
    """Return the characters where letters and digits stood, with what stood between them."""
    if not text.isascii():
        return characters
    fresh = iter(characters)
    return "".join(next(fresh) if character.isalnum() else character for character in text)


_ANY: Final = re.compile(r".*", re.DOTALL)
_LAYOUTS: Final = {
    "card": re.compile(r"\d(?:[ -]?\d){12,18}|[^\x00-\x7f]+"),
    "iban": re.compile(r"[A-Za-z]{2}\d\d(?:[ -]?[A-Za-z0-9]){11,30}|.*[^\x00-\x7f].*", re.DOTALL),
}
"""What a text has to look like that a rule calls so, to be given that shape."""
_SHAPES: Final[Mapping[str, Callable[[str, Tokeniser], str]]] = {
    "email": _mail,
    "card": _card,
    "iban": _iban,
    "phone": _phone,
}
