"""The grammar of `cut_when`, read by recursive descent.

    sentence = clause { "and" clause }
    clause   = subject ( "pass" | operator bound )
    bound    = amount | "old" [ ( "+" | "-" ) amount ]
    operator = "<" | "<=" | ">" | ">=" | "="

Which subjects there are, and which operators and bounds each one takes, its metric says.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final, get_args

from replay.verdict.clauses import Amount, Clause, Operator, Token, amount, fault, nearest, printable, tokens

_OPERATORS: Final[tuple[Operator, ...]] = get_args(Operator)
_LATER: Final = ("on", "per", "for", "at")


def parse(sentence: str, subjects: Collection[str]) -> tuple[Clause, ...]:
    """Return the clauses of a sentence. Raises CriterionError, with a caret under the word that is wrong."""
    return _Parser(sentence, subjects).sentence()


class _Parser:
    """One method per rule of the grammar; each takes the tokens that it names and leaves the rest."""

    def __init__(self, sentence: str, subjects: Collection[str]) -> None:
        self._text = sentence
        self._tokens = list(tokens(sentence))
        self._next = 0
        self._subjects = subjects

    def sentence(self) -> tuple[Clause, ...]:
        clauses = [self._clause()]
        while self._take("and"):
            clauses.append(self._clause())
        if self._peek.kind != "end":
            raise self._unexpected()
        return tuple(clauses)

    def _clause(self) -> Clause:
        subject = self._subject()
        if self._take("pass"):
            return Clause(self._text, subject, last=self._previous)
        token, operator = self._operator()
        clause = self._bound(Clause(self._text, subject, token, operator, token))
        return replace(clause, last=self._previous)

    def _subject(self) -> Token:
        token = self._advance()
        if token.kind == "end":
            raise fault(self._text, token, "a criterion is missing", "write, for example, goldens pass")
        if token.text not in self._subjects:
            fact = f"unknown metric '{printable(token.text)}'"
            raise fault(self._text, token, fact, nearest(token.text, self._subjects))
        return token

    def _operator(self) -> tuple[Token, Operator]:
        token = self._advance()
        for operator in _OPERATORS:
            if token.text == operator:
                return token, operator
        fact = f"expected 'pass' or a comparison, found {_shown(token)}"
        close = nearest(token.text, ("pass",)) if token.kind == "word" else ""
        hint = close if close.startswith("did") else "write goldens pass, deviation < 0.5% or errors <= old"
        raise fault(self._text, token, fact, hint)

    def _bound(self, clause: Clause) -> Clause:
        token = self._advance()
        if token.text == "old":
            return replace(clause, against_old=True, bound=token, amount=self._margin())
        if token.kind != "amount":
            close = nearest(token.text, ("old",)) if token.kind == "word" else ""
            hint = close if close.startswith("did") else "write a number with its unit, such as 0.5%, or old"
            raise fault(self._text, token, f"expected a limit, found {_shown(token)}", hint)
        return replace(clause, amount=amount(self._text, token), bound=token)

    def _margin(self) -> Amount | None:
        sign = self._peek
        if not (self._take("+") or self._take("-")):
            return None
        token = self._advance()
        if token.kind != "amount":
            raise fault(
                self._text, token, f"expected a margin, found {_shown(token)}", "write, for example, old + 0.5pp"
            )
        margin = amount(self._text, token)
        return margin if sign.text == "+" else replace(margin, number=-margin.number)

    def _unexpected(self) -> Exception:
        token = self._peek
        hint = "one criterion is SUBJECT, comparison, limit; put the next one into its own line"
        if token.text in _LATER:
            hint = f"a criterion covers the whole run in this version; leave out everything from '{token.text}'"
        return fault(self._text, token, f"unexpected {_shown(token)}", hint)

    @property
    def _peek(self) -> Token:
        return self._tokens[self._next]

    @property
    def _previous(self) -> Token:
        return self._tokens[self._next - 1]

    def _advance(self) -> Token:
        token = self._peek
        if token.kind != "end":
            self._next += 1
        return token

    def _take(self, text: str) -> bool:
        found = self._peek.text == text
        self._next += found
        return found


def _shown(token: Token) -> str:
    return "the end" if token.kind == "end" else f"'{printable(token.text)}'"
