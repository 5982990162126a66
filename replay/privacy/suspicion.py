"""A quick look before any thorough one: most bodies show nothing that personal data or secrets could do without.

Whatever a body holds, translating it and looking for one sequence costs a tenth of looking for a pattern: patterns are
left to the bodies, and to the words in them, that need one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from string import ascii_letters, ascii_uppercase, digits, printable
from typing import Final

from replay.models import Headers
from replay.privacy.columns import telling_head
from replay.privacy.detectors import found_in, shows
from replay.privacy.glance import SMALL, say_little, says_little
from replay.privacy.headers import Known, KnownHeads, has_secret_parameter
from replay.privacy.names import names_phone, names_secret, names_secrets
from replay.privacy.packed import MAGICS
from replay.privacy.wrapped import RUN, unwrapped

_REMEMBERED: Final = 16_384
_LARGE: Final = 65_536
_PLAIN: Final = bytes(set(printable.encode()) - set(b"@%&\\\x0b\x0c"))
_CODED: Final = re.compile(rb"%[0-9A-Fa-f]{2}|&#|&[A-Za-z]{2,31};|\\[ux\"]|[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ALIKE: Final = (b"\xef\xbc", b"\xef\xbd", b"\xef\xbb", b"\xe2\x80", b"\xe2\x81", b"\xe2\x88", b"\xc2\xad", b"\xc2\xa0")
_SAID: Final = (b"asic ", b"ASIC ", b"earer ", b"EARER ", b"-----BEGIN")
_ONES: Final = bytes.maketrans(digits.encode(), b"0" * 10)
_CASES: Final = bytes.maketrans((digits + ascii_uppercase).encode(), b"0" * 10 + b"A" * 26)
_BETWEEN: Final = b" -.()/"
_CARD: Final = b"0" * 13
_IBAN: Final = b"AA00"
_PHONES: Final = (b"000-0000", b"000.0000")
_WORD: Final = frozenset((ascii_letters + digits + "+/_-.").encode())
_WORDS: Final = bytes(code if code in _WORD else 32 for code in range(256))
_LETTERS: Final = bytes(97 if code in _WORD else 32 for code in range(256))
_LONG: Final = 15
"""No key is shorter, nor any base64 that is unpacked."""
_RUN: Final = b"a" * _LONG
_LINES: Final = re.compile(rb"[A-Za-z0-9+/]{60,76}\r?\n[A-Za-z0-9+/]")
_PLAIN_WORD: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9.+-]+|[a-z.-]+")
"""What is long and hides nothing: also plain numbers, which are looked at as such, and words of one case."""
_SPACES: Final = ('" ', '"\n', '"\t', '"\r')
_SPACED: Final = re.compile(r'"\s+:')
_FIELD: Final = re.compile(r"name=[\"']?([\w.-]{2,}+)|(?<![\w.-])([\w.-]{2,}+)[\"']?(?:\]?[=>]|\s{0,20}[:=])", re.ASCII)


def innocent(body: bytes) -> bool:
    """Tell whether nothing in a body can be personal or secret. False means that it has to be looked at."""
    if len(body) <= _REMEMBERED:
        return _known(body)
    return _known_large(body) if len(body) <= _LARGE else _innocent(body)


def innocent_text(text: str) -> bool:
    """Tell whether nothing in a text can be personal or secret: most are soon looked through."""
    return (len(text) <= SMALL and says_little(text)) or innocent(_bytes(text))


def innocent_texts(texts: Sequence[str]) -> bool:
    """Tell the same of several texts, and that none has a parameter that names a secret; `innocent_text` does not."""
    return say_little(texts) or (all(map(innocent_text, texts)) and not any(map(has_secret_parameter, texts)))


_RECURRING: Final = Known(innocent_text)


def innocent_word(word: str) -> bool:
    """Tell the same of a text that comes again and again, such as the name of a rule."""
    return _RECURRING[word]


_FIELDS: Final = KnownHeads(lambda headers: all(innocent_text(value) for _, value in headers))


def innocent_fields(headers: Headers) -> bool:
    """Tell whether nothing in the values of header fields can be personal or secret."""
    return _FIELDS(headers)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _innocent(body: bytes) -> bool:
    return (
        _is_plain(body, body.translate(None, _PLAIN))
        and not any(said in body for said in _SAID)
        and _numbers_nothing(body)
        and _names_nothing(body)  # Before long words, of which secrets are: each of them would be looked through.
        and _hides_nothing(body)
    )


_known: Final = lru_cache(maxsize=1024)(_innocent)
_known_large: Final = lru_cache(maxsize=64)(_innocent)


def _is_plain(body: bytes, rare: bytes) -> bool:
    """Tell whether what is neither a letter nor common says nothing more than itself."""
    if not rare:
        return True
    if b"@" in rare or body.startswith(MAGICS) or _CODED.search(body):
        return False
    return rare.isascii() or not (any(mark in body for mark in _ALIKE) or _foreign_digits(body))


def _foreign_digits(body: bytes) -> bool:
    text = body.decode("utf-8", "ignore")
    return any(character.isdigit() for character in text if not character.isascii())


def _numbers_nothing(body: bytes) -> bool:
    runs = body.translate(_CASES, _BETWEEN)
    kinds = [kind for kind, sign in (("card", _CARD), ("iban", _IBAN)) if sign in runs]
    if b"+" in body or _CARD in runs or _may_be_phone(body):
        kinds.append("phone")
    return not kinds or not shows(body.decode("utf-8", "ignore"), kinds)


def _may_be_phone(body: bytes) -> bool:
    ones = body.translate(_ONES)
    return any(phone in ones for phone in _PHONES)


def _hides_nothing(body: bytes) -> bool:
    if _RUN not in body.translate(_LETTERS):
        return True
    if b"\n" in body and _LINES.search(body) is not None:
        return False  # of base64 in lines, what matters may lie across two of them
    words = [word for word in body.translate(_WORDS).split() if len(word) >= _LONG]
    return all(_PLAIN_WORD.fullmatch(word) or _HARMLESS[word] for word in words)


def _is_harmless(word: bytes) -> bool:
    text = word.decode("ascii")
    if next(found_in(text), None) is not None:
        return False
    # What follows it, as in `YWxpY2U=`, is left out: it changes nothing about what is held.
    return all(unwrapped(found[0]) is None for found in RUN.finditer(text))


_HARMLESS: Final = Known(_is_harmless)


def _names_nothing(body: bytes) -> bool:
    text = body.decode("utf-8", "ignore")
    members = text.lstrip()[:1] in {"{", "[", '"'}
    names = _members(text) if members else set()
    if "value" in names and not names.isdisjoint(_NAMING):
        return False
    if telling_head(text):
        return False
    if "=" in text or "<" in text or "':" in text or "' :" in text or not members or _SAYS.search(text):
        names.update(name for found in _FIELD.findall(text.replace("\\n", "\n")) for name in found if name)
    return not any(map(_TELLING.__getitem__, names))


def names_any(body: bytes) -> bool:
    """Tell whether a body may have something that is called like a secret."""
    return not innocent(body) and (body.startswith(MAGICS) or not _names_nothing(body))


_SAYS: Final = re.compile(r":(?:(?<=\w:)(?:[ \t]|\\?[\"'])|(?<=\w :))")
"""What stands behind a name that is no member's, in the texts of a document: `password: x`."""
_NAMING: Final = frozenset({"name", "key"})


def _members(text: str) -> set[str]:
    """Return the names of all members of a JSON document, and perhaps more: no pattern splits it as quickly."""
    if any(space in text for space in _SPACES):
        text = _SPACED.sub('":', text)
    return {before.rpartition('"')[2] for before in text.split('":')[:-1]}


def _tells(name: str) -> bool:
    return names_secret(name) or names_secrets(name) or names_phone(name)


_TELLING: Final = Known(_tells)
