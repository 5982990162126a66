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

TokenKind = Literal["word", "amount", "operator", "end"]
Operator = Literal["<", "<=", ">", ">=", "="]

LONGEST: Final = 300
"""No sentence that a person writes is longer, in characters."""

_TOKENS: Final = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<amount>[0-9]+(?:\.[0-9]+)?(?:\s*%|[a-z]+)?)"
    r"|(?P<operator><=|>=|<|>|=|\+|-)"
    r"|(?P<word>[^\W\d][\w.]*)"
)

# What comes along when a sentence is pasted from a document.
_PASTED: Final = {"\u2264": "<=", "\u2265": ">=", "\u2212": "-", "\u2013": "-", "\uff05": "%", ",": ".", ".": "0."}


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a sentence and where it begins, counted from 0."""

    kind: TokenKind
    text: str
    start: int


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
class Clause:
    """One criterion, parsed: SUBJECT pass, or SUBJECT OPERATOR BOUND, where the bound is an amount, or old ± amount.

    `sentence` is all that the user wrote, `text` the part from `subject` to `last` that is this criterion. `operator`
    is None for `pass`. With `against_old`, `amount` is the signed margin beside old, None where none is written.
    """

    sentence: str
    subject: Token
    last: Token
    operator: Operator | None = None
    operator_token: Token | None = None
    against_old: bool = False
    amount: Amount | None = None
    bound: Token | None = None

    @property
    def text(self) -> str:
        """Return this criterion as reports print it, on one line."""
        written = self.sentence[self.subject.start : self.last.start + len(self.last.text)]
        return printable(" ".join(written.split()))

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
            yield Token(_kind(match), match[0], position)
        position = match.end()
    yield Token("end", "", len(sentence.rstrip()))


def _kind(match: re.Match[str]) -> TokenKind:
    if match.lastgroup == "amount":
        return "amount"
    return "operator" if match.lastgroup == "operator" else "word"


def _stray(sentence: str, position: int) -> CriterionError:
    stray = Token("word", sentence[position], position)
    better = _PASTED.get(stray.text)
    hint = f"write '{better}'" if better else "a criterion is made of words, numbers such as 0.5%, and <, <=, >, >=, ="
    return fault(sentence, stray, f"unexpected '{printable(stray.text)}'", hint)


def amount(sentence: str, token: Token) -> Amount:
    """Read `0.5%`, `0.5pp`, `20ms` or `3`."""
    match = re.fullmatch(r"([0-9.]+)\s*(.*)", token.text)
    if match is None:
        raise fault(sentence, token, f"'{printable(token.text)}' is no number", "write 0.5%")
    return Amount(Decimal(match[1]), match[2], token)


def fault(sentence: str, token: Token, fact: str, hint: str) -> CriterionError:
    """Return an error that prints the sentence with a caret under the word."""
    caret = " " * token.start + "^" * max(len(token.text), 1)
    return CriterionError(f"{fact}\n    {printable(sentence)}\n    {caret}", hint=hint)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the hint that names the nearest known word, or all of them."""
    names = sorted(known)
    close = get_close_matches(word.lower(), names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known are: {', '.join(names)}"


def printable(text: str) -> str:
    """Return text of the same length that moves no cursor: control and format characters become U+FFFD."""
    return "".join("\ufffd" if unicodedata.category(c)[0] == "C" or c in "\u2028\u2029" else c for c in text)
