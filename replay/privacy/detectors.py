"""What personal data and secrets look like, whatever they are called: a kind's pattern, and the proof of it.

No pattern here can run away: what may repeat is bounded, and no repetition stands where another could take its text.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from string import digits
from typing import Final

from replay.privacy.checksums import IBAN_LENGTHS, iban_holds, luhn_holds
from replay.privacy.tokens import TOKEN

Span = tuple[int, int]
Find = Callable[[str], Iterator[Span]]
"""From a text to where something of one kind stands in it."""

_LONGEST_NAME: Final = 64
# Read from the @ backwards: to search forwards would begin anew at each of the characters before it.
_LOCAL_BACKWARDS: Final = re.compile(r"[\w.+'-]*[\w+]")
_AT_DOMAIN: Final = re.compile(r"@((?:\w(?:[\w-]{0,61}\w)?\.){1,8}[^\W\d_]{2,24})(?![\w])")
# Each pattern begins with what is rare, and looks back afterwards: so it is looked for as quickly as one character.
_CARD: Final = re.compile(
    r"[2-6](?<![A-Za-z0-9].)(?<!\d[ .-].)(?<![A-Fa-f0-9]-.)(?:[ -]?\d){12,18}(?!\d|[ -]\d|[A-Za-z]|-\w|\.\d)"
)
_ISSUED: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12,15}|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|62\d{14,17}"
    r"|(?:50|5[6-9]|6[37])\d{14}(?:\d{2,3})?"
)
_IBAN: Final = re.compile(r"[0-9](?<![A-Za-z0-9][A-Za-z]{2}.)(?<=[A-Za-z]{2}.)[0-9](?:[ -]?[A-Za-z0-9]){11,29}")
_PHONES: Final = (
    re.compile(r"\+(?<![\w+].)[1-9](?:[ .()/-]{0,2}\d){6,14}(?!\d)"),
    re.compile(r"00(?<![\w.+/-]..)[1-9]\d{0,2}[ /-](?:[ ()/-]{0,2}\d){8,12}(?![\w])"),
    re.compile(r"[(2-9](?<![\w.+/-].)(?:(?<=\()[2-9]\d\d\) ?|(?<!\()\d\d[ .-])[2-9]\d\d[.-]\d{4}(?![\w-])"),
)
_MOST_DIGITS: Final = 15
_FEWEST_DIGITS: Final = (8, 13, 10)
_JWT: Final = re.compile(r"eyJ(?<![\w-]...)[\w-]{5,4000}\.[\w-]{8,8000}\.[\w-]{0,4000}")
_BASIC: Final = re.compile(r"(?:asic|ASIC)(?<=\b[bB]....)[ ]{1,4}([A-Za-z0-9+/=]{8,4000})")
_BEARER: Final = re.compile(r"(?:earer|EARER)(?<=\b[bB].....)[ ]{1,4}([A-Za-z0-9._~+/=-]{16,8000})")
_OF_URL: Final = re.compile(r":(?:\\?/){2}[^\s/?#@:\"'<>\\]{0,64}:([^\s/?#\"'<>\\]{1,256})@(?=[\w\[%.-])")
"""The password that a URL has before its host, as connection strings of databases do; in JSON with `\\/` as well."""
_KEY: Final = re.compile(
    r"(?:"
    r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_\w{22,255}"
    r"|glpat-[\w-]{20,255}|xox[abeoprs]-[\w-]{10,255}|xapp-[\w-]{10,255}|[srp]k_(?:live|test)_\w{10,255}|whsec_\w{16,255}"
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,1024}|GOCSPX-[\w-]{20,64}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{32,512}"
    r"|SG\.[\w-]{16,64}\.[\w-]{16,128}|sk-[\w-]{20,255}|hf_[A-Za-z0-9]{30,64}|do[opr]_v1_[a-f0-9]{64}"
    r"|shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}|SK[a-f0-9]{32}(?![A-Za-z0-9])|AGE-SECRET-KEY-1[A-Z0-9]{50,64}"
    r")|(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,128}={0,2}"
)  # fmt: skip
KEY_SIGNS: Final = (
    "AKIA", "ASIA", "ABIA", "ACCA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "xapp-",
    "k_live_", "k_test_", "whsec_", "AIza", "ya29.", "GOCSPX-", "npm_", "pypi-", "SG.", "sk-", "hf_", "_v1_", "shp",
    "SK", "AGE-SECRET", "AccountKey=", "SharedAccessKey=",
)  # fmt: skip
"""What a text has that holds any of these keys: to look for all of them takes a tenth of looking for the pattern."""
_PEM: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!-)){0,20000}(?:-----END [A-Z0-9 ]{0,60}-----)?"
)


_IMAGE: Final = re.compile(r"[1-9](?:\.[0-9])?x\.(?:png|jpe?g|gif|webp|avif|svg|ico)", re.IGNORECASE)
"""What follows the @ in the names of images for fine screens: `logo@2x.png`."""
_KEY_LINE: Final = re.compile(r"[A-Za-z0-9+/=]{6,}")


def _mails(text: str) -> Iterator[Span]:
    # By its domain first: a text full of @ has few of these, and is passed over without a step of ours at each.
    for found in _AT_DOMAIN.finditer(text):
        at = found.start()
        local = _LOCAL_BACKWARDS.match(text[max(at - _LONGEST_NAME, 0) : at][::-1])
        # The password of a URL, `https://shop:tok_…@host`, which is masked already.
        masked = local is not None and TOKEN.fullmatch(local[0][::-1]) is not None
        if local is not None and not masked and not _IMAGE.fullmatch(found[1]):
            yield at - local.end(), found.end()


def _cards(text: str) -> Iterator[Span]:
    for found in _CARD.finditer(text):
        number = re.sub(r"\D", "", found[0])
        if _ISSUED.fullmatch(number) and luhn_holds(number):
            yield found.span()


def _ibans(text: str) -> Iterator[Span]:
    for found in _IBAN.finditer(text):
        start = found.start() - 2
        ends = [place for place in range(start, found.end()) if text[place].isalnum()]
        length = IBAN_LENGTHS.get(text[start : start + 2].upper(), 0)
        if 0 < length <= len(ends):
            end = ends[length - 1] + 1
            whole = re.match(r"[A-Za-z0-9]", text[end : end + 1]) is None
            if whole and iban_holds(re.sub(r"[ -]", "", text[start:end]).upper()):
                yield start, end


def _phones(text: str) -> Iterator[Span]:
    for pattern, fewest in zip(_PHONES, _FEWEST_DIGITS, strict=True):
        for found in pattern.finditer(text):
            if fewest <= len(re.sub(r"\D", "", found[0])) <= _MOST_DIGITS:
                yield found.span()


def _credentials(text: str) -> Iterator[Span]:
    for found in _BASIC.finditer(text):
        if _is_pair(found[1]):
            yield found.span(1)
    for found in _BEARER.finditer(text):
        if any(map(str.isdigit, found[1])):
            yield found.span(1)
    if "@" in text:
        yield from (found.span(1) for found in _OF_URL.finditer(text))


def _is_pair(encoded: str) -> bool:
    """Tell whether it is a name and a password, as `Basic` has them: `Basic information` is none."""
    try:
        return b":" in base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError):
        return False


def _keys(text: str) -> Iterator[Span]:
    for found in _KEY.finditer(text):
        before = text[max(found.start() - 1, 0) : found.start()]
        if not (before.isalnum() and before.isascii()):
            yield found.span()


def _by(pattern: re.Pattern[str]) -> Callable[[str], Iterator[Span]]:
    return lambda text: (found.span() for found in pattern.finditer(text))


DETECTORS: Final[Mapping[str, Find]] = {
    "pem": _by(_PEM),
    "jwt": _by(_JWT),
    "credentials": _credentials,
    "key": _keys,
    "email": _mails,
    "iban": _ibans,
    "card": _cards,
    "phone": _phones,
}
"""How each kind is found in a text; of what overlaps, the first kind has it."""

_IPV4: Final = re.compile(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])")
_IPV6: Final = re.compile(
    r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?::[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?![\w:])"
)


def _addresses(text: str) -> Iterator[Span]:
    for pattern in (_IPV4, _IPV6):
        for found in pattern.finditer(text):
            if len(found[0]) >= _LEAST_ADDRESS and _is_address(found[0]):
                yield found.span()


def _is_address(text: str) -> bool:
    """Tell whether it is one: times are written with colons too, and versions with dots."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_LEAST_ADDRESS: Final = 4
OPTIONAL: Final[Mapping[str, Find]] = {"ip": _addresses}
"""Kinds that are off until a rule switches them on."""


_WORDS: Final = bytes(97 if chr(code).isalnum() or chr(code) in "_+/.-" or code > 127 else 32 for code in range(256))  # noqa: PLR2004 - beyond ASCII
_ONES: Final = bytes.maketrans(digits.encode(), b"0" * 10)


def has_run(text: str, length: int) -> bool:
    """Tell whether so many letters, digits and `_+/.-` follow one another: to translate is quicker than to search."""
    return b"a" * length in text.encode("utf-8", "surrogatepass").translate(_WORDS)


def _has_digits(text: str, count: int) -> bool:
    """Tell whether so many digits follow one another, whatever parts them in numbers."""
    return b"0" * count in text.encode("utf-8", "surrogatepass").translate(_ONES, b" .()/-")


_NAMED: Final = re.compile(r"(?:asic|ASIC|earer|EARER) ")
_NEEDED: Final[Mapping[str, Callable[[str], object]]] = {
    "pem": lambda text: "-----BEGIN" in text,
    "jwt": lambda text: "eyJ" in text,
    "credentials": lambda text: _NAMED.search(text) or ("@" in text and ("://" in text or ":\\/" in text)),
    "key": lambda text: has_run(text, 14) and any(sign in text for sign in KEY_SIGNS),
    "email": lambda text: "@" in text,
    "iban": re.compile(r"[0-9](?:[ -]?[A-Za-z0-9]){11}").search,
    "card": lambda text: _has_digits(text, 13),
    "phone": lambda text: _has_digits(text, 7),
}


def found_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the kind and span of everything personal or secret in a text, save tokens; spans may overlap."""
    for kind, spans in DETECTORS.items():
        # Most kinds are out of the question for most texts, which costs less than looking for them.
        if not _NEEDED[kind](text):
            continue
        for start, end in spans(text):
            if TOKEN.fullmatch(text[start:end]) is None:
                yield kind, start, end


def lines_of_keys(text: str) -> Iterator[str]:
    """Yield the lines that hold the key itself in each PEM block of a private key, also in JSON."""
    for found in _PEM.finditer(text):
        yield from (line for line in re.split(r"\\[rn]|[\r\n]", found[0]) if _KEY_LINE.fullmatch(line))


def shows(text: str, kinds: Iterable[str]) -> bool:
    """Tell whether a text holds anything of these kinds, tokens as well."""
    return any(next(DETECTORS[kind](text), None) is not None for kind in kinds)
