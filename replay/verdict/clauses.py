"""The words of a criterion: tokens with their places, the clause that they form, and errors that point at a word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Final, Literal

from replay.errors import CriterionError
from replay.verdict.cycles import CYCLES
from replay.verdict.statistics import CONFIDENCE

TokenKind = Literal["word", "quoted", "path", "amount", "operator", "end"]
Operator = Literal["<", "<=", ">", ">=", "="]

LONGEST: Final = 300
"""No sentence that a person writes is longer, in characters."""

# A hyphen belongs to a name, save in `old-0.5pp`.
_TOKENS: Final = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<amount>[0-9]+(?:\.[0-9]+)?(?:\s*%|[a-z]+)?)"
    r"|(?P<operator><=|>=|<|>|=|\+|-)"
    r"|(?P<path>/\S*)"
    r'|(?P<quoted>"[^"]+")'
    r"|(?P<word>\*|old(?=-[0-9])|[^\W\d][\w.]*(?:-\w[\w.]*)*)"
)

_COVERING: Final = re.compile(rf"\bcovering(\s+({'|'.join(CYCLES)}))+")
_UNIT: Final = re.compile(r"^\s*(consecutive\s+)?(days?|runs?)")

# What comes along when a sentence is pasted from a document.
_PASTED: Final = {
    "\u2264": "<=", "\u2265": ">=", "\u2212": "-", "\u2013": "-", "\uff05": "%", ",": ".", ".": "0.",
    "\u201c": '"', "\u201d": '"', "'": '"',
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a sentence and where it begins, counted from 0."""

    kind: TokenKind
    text: str
    start: int

    @property
    def name(self) -> str:
        """Return the name that it spells: names with blanks or signs stand in quotes."""
        return self.text[1:-1] if self.kind == "quoted" else self.text


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as written, and its unit: `%`, `pp`, `ms`, or nothing."""

    number: Decimal
    unit: str
    token: Token

    @property
    def text(self) -> str:
        """Return the amount as people write it."""
        return f"{self.number}{self.unit}"


@dataclass(frozen=True, slots=True)
class Scope:
    """The cases that a criterion speaks of, by `on`: a route as rules write it, or the name of a group."""

    kind: Literal["route", "group"]
    text: str
    token: Token


@dataclass(frozen=True, slots=True)
class Span:
    """So many days, or runs, one after the other: on each of them the criterion must hold by itself."""

    count: int
    unit: Literal["days", "runs"]
    token: Token


@dataclass(frozen=True, slots=True)
class Clause:
    """One criterion, parsed: SUBJECT pass, or SUBJECT OPERATOR BOUND, and what qualifies it.

    `sentence` is all that the user wrote, `text` the part from `first` to `last` that is this criterion. `operator`
    is None for `pass`. With `against_old`, `amount` is the signed margin beside old, None where none is written.
    """

    sentence: str
    first: Token
    subject: Token
    last: Token
    share_of: bool = False
    """`share of rank.tau >= 0.9`: in which share of all places it is so."""
    operator: Operator | None = None
    operator_token: Token | None = None
    against_old: bool = False
    amount: Amount | None = None
    bound: Token | None = None
    scope: Scope | None = None
    per: str | None = None
    """Each part by itself: `route`, or the name of a group that is divided by a value."""
    per_token: Token | None = None
    span: Span | None = None
    cycles: tuple[str, ...] = ()
    """The cycles that its days have to cover."""
    cycles_token: Token | None = None
    confidence: float = CONFIDENCE
    confidence_token: Token | None = None

    @property
    def family(self) -> str:
        """Return what is measured: `errors`, or what stands before the dot, as in `kpi.auth_rate`."""
        return self.subject.text.partition(".")[0]

    @property
    def name(self) -> str:
        """Return which one of the family; empty where the family has no members."""
        return self.subject.text.partition(".")[2]

    @property
    def text(self) -> str:
        """Return this criterion as reports print it, on one line."""
        written = self.sentence[self.first.start : self.last.start + len(self.last.text)]
        return unmoving(" ".join(written.split()))

    @property
    def unspanned(self) -> str:
        """Return this criterion without the days or runs over which it has to hold: all spans have that in common."""
        if self.span is None:
            return self.text
        end = self.span.token.start + len(self.span.token.text)
        before = self.sentence[self.first.start : self.span.token.start].rstrip().removesuffix("for")
        after = _UNIT.sub("", self.sentence[end : self.last.start + len(self.last.text)])
        return unmoving(" ".join(_COVERING.sub("", f"{before} {after}").split()))

    def fault(self, token: Token | None, fact: str, hint: str) -> CriterionError:
        """Return the error to raise, pointing at a word of this clause."""
        return fault(self.sentence, token or self.subject, fact, hint)


def tokens(sentence: str) -> Iterator[Token]:
    """Yield the words of a sentence and, last, its end. Raises CriterionError at a character that begins no word."""
    if len(sentence) > LONGEST:
        raise CriterionError(
            f"a criterion of {len(sentence)} characters", hint="write one short sentence per criterion"
        )
    position = 0
    while position < len(sentence):
        match = _TOKENS.match(sentence, position)
        if match is None:
            raise _stray(sentence, position)
        if match.lastgroup != "space":
            yield Token(_KINDS[str(match.lastgroup)], match[0], position)
        position = match.end()
    yield Token("end", "", len(sentence.rstrip()))


_KINDS: Final[dict[str, TokenKind]] = {
    "word": "word",
    "quoted": "quoted",
    "path": "path",
    "amount": "amount",
    "operator": "operator",
}


def _stray(sentence: str, position: int) -> CriterionError:
    stray = Token("word", sentence[position], position)
    better = _PASTED.get(stray.text)
    hint = f"write '{better}'" if better else "a criterion is made of words, numbers such as 0.5%, and <, <=, >, >=, ="
    if stray.text == '"':
        hint = 'close the quotes: on "check out"'
    return fault(sentence, stray, f"unexpected '{unmoving(stray.text)}'", hint)


def amount(sentence: str, token: Token) -> Amount:
    """Read `0.5%`, `0.5pp`, `20ms` or `3`."""
    match = re.fullmatch(r"([0-9.]+)\s*(.*)", token.text)
    if match is None:
        raise fault(sentence, token, f"'{unmoving(token.text)}' is no number", "write 0.5%")
    return Amount(Decimal(match[1]), match[2], token)


def fault(sentence: str, token: Token, fact: str, hint: str) -> CriterionError:
    """Return an error that prints the sentence with a caret under the word."""
    caret = " " * token.start + "^" * max(len(token.text), 1)
    return CriterionError(f"{fact}\n    {unmoving(sentence)}\n    {caret}", hint=hint)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the hint that names the nearest known word, or all of them."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1) or get_close_matches(word.lower(), names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known are: {', '.join(names)}"


def unmoving(text: str) -> str:
    """Return text of the same length that moves no cursor: control and format characters become U+FFFD."""
    return "".join("\ufffd" if unicodedata.category(c)[0] == "C" or c in "\u2028\u2029" else c for c in text)
