"""The grammar of `cut_when`, read by recursive descent.

    sentence  = clause { "and" clause }
    clause    = subject ( "pass" | operator bound ) { qualifier }
    subject   = NAME | NAME "." NAME | "share" "of" NAME "." NAME
    operator  = "<" | "<=" | ">" | ">=" | "="
    bound     = [ "+" | "-" ] amount | "old" [ ( "+" | "-" ) amount ]
    qualifier = "on" ( ROUTE | GROUP ) | "per" ( "route" | GROUP ) | "at" PERCENT
              | "for" N [ "consecutive" ] ( "days" | "runs" ) | "covering" CYCLE { CYCLE }

A signed amount stands beside old: `p95 <= +10%` is `p95 <= old + 10%`. Which subjects there are, and which operators,
bounds and qualifiers each one takes, its metric says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final, Literal, get_args

from replay.selection import is_route
from replay.verdict.base import Terms
from replay.verdict.clauses import Amount, Clause, Operator, Scope, Span, Token, amount, fault, nearest, unmoving
from replay.verdict.clauses import tokens as tokens_of
from replay.verdict.cycles import CYCLES

NAMED: Final = frozenset({"category", "kpi", "rank"})
"""The families whose members have names: `kpi.auth_rate`."""

_OPERATORS: Final[tuple[Operator, ...]] = get_args(Operator)
_UNITS: Final[Mapping[str, Literal["days", "runs"]]] = {"day": "days", "days": "days", "run": "runs", "runs": "runs"}
_LEAST_CONFIDENCE: Final = 80
_MOST_CONFIDENCE: Final = Decimal("99.999")
_LONGEST_SPAN: Final = 366


def parse(sentence: str, subjects: Collection[str], terms: Terms) -> tuple[Clause, ...]:
    """Return the clauses of a sentence. Raises CriterionError, with a caret under the word that is wrong."""
    return _Parser(sentence, subjects, terms).sentence()


class _Parser:
    """One method per rule of the grammar; each takes the tokens that it names and leaves the rest."""

    def __init__(self, sentence: str, subjects: Collection[str], terms: Terms) -> None:
        self._text = sentence
        self._tokens = list(tokens_of(sentence))
        self._next = 0
        self._subjects = subjects
        self._terms = terms

    def sentence(self) -> tuple[Clause, ...]:
        clauses = [self._clause()]
        while self._take("and"):
            clauses.append(self._clause())
        if self._peek.kind != "end":
            hint = "one criterion is SUBJECT, comparison, limit; put the next one into its own line"
            close = nearest(self._peek.text, _QUALIFIERS)
            raise self._fault(
                self._peek, f"unexpected {_shown(self._peek)}", close if close.startswith("did") else hint
            )
        return tuple(clauses)

    def _clause(self) -> Clause:
        clause = self._subject()
        if not self._take("pass"):
            token, operator = self._operator()
            clause = self._bound(replace(clause, operator=operator, operator_token=token))
        said: set[str] = set()
        while (word := self._peek.text) in _QUALIFIERS:
            token = self._advance()
            if word in said and word != "covering":
                raise self._fault(token, f"'{word}' stands twice", "say it once, or write two criteria")
            said.add(word)
            clause = _QUALIFIERS[word](self, clause)
        if clause.cycles_token is not None and (clause.span is None or clause.span.unit != "days"):
            raise self._fault(clause.cycles_token, "only days cover a cycle", "write, for example, for 7 days")
        return replace(clause, last=self._previous)

    def _subject(self) -> Clause:
        first = token = self._advance()
        share = token.text == "share" and self._take("of")
        if share:
            token = self._advance()
        if token.kind == "end":
            raise self._fault(token, "a criterion is missing", "write, for example, goldens pass")
        clause = Clause(self._text, first, token, token, share_of=share)
        if clause.family not in self._subjects:
            fact = f"unknown metric '{unmoving(clause.family)}'"
            raise self._fault(token, fact, nearest(clause.family, self._subjects))
        if share and clause.family != "rank":
            raise self._fault(first, f"'{clause.family}' is no measure of places", f"write {clause.subject.text} alone")
        if bool(clause.name) != (clause.family in NAMED):
            fact = f"'{clause.family}' {'lacks a name' if clause.family in NAMED else 'has no members'}"
            raise self._fault(token, fact, f"write {clause.family}{'.NAME' if clause.family in NAMED else ''}")
        return clause

    def _operator(self) -> tuple[Token, Operator]:
        token = self._advance()
        for operator in _OPERATORS:
            if token.text == operator:
                return token, operator
        fact = f"expected 'pass' or a comparison, found {_shown(token)}"
        close = nearest(token.text, ("pass",)) if token.kind == "word" else ""
        hint = close if close.startswith("did") else "write goldens pass, deviation < 0.5% or errors <= old"
        raise self._fault(token, fact, hint)

    def _bound(self, clause: Clause) -> Clause:
        token = self._peek
        if token.text in ("+", "-"):
            return replace(clause, against_old=True, bound=token, amount=self._margin())
        self._advance()
        if token.text == "old":
            return replace(clause, against_old=True, bound=token, amount=self._margin())
        if token.kind != "amount":
            close = nearest(token.text, ("old",)) if token.kind == "word" else ""
            hint = close if close.startswith("did") else "write a number with its unit, such as 0.5%, or old"
            raise self._fault(token, f"expected a limit, found {_shown(token)}", hint)
        return replace(clause, amount=amount(self._text, token), bound=token)

    def _margin(self) -> Amount | None:
        sign = self._peek
        if not (self._take("+") or self._take("-")):
            return None
        margin = self._amount("a margin", "write, for example, old + 0.5pp")
        return margin if sign.text == "+" else replace(margin, number=-margin.number)

    def _amount(self, what: str, hint: str) -> Amount:
        token = self._advance()
        if token.kind != "amount":
            raise self._fault(token, f"expected {what}, found {_shown(token)}", hint)
        return amount(self._text, token)

    # -------------------------------------------------------------------------------------------------- qualifiers

    def _on(self, clause: Clause) -> Clause:
        token = self._advance()
        path = self._advance() if self._peek.kind == "path" and token.kind == "word" else token
        if path.kind == "path":
            route = path.text if path is token else f"{token.text} {path.text}"
            return replace(clause, scope=self._route(route, replace(token, text=self._text[token.start : _end(path)])))
        return replace(clause, scope=Scope("group", self._group(token, self._terms.groups), token))

    def _route(self, route: str, token: Token) -> Scope:
        if not is_route(route):
            raise self._fault(token, f"'{unmoving(route)}' is no route", "write it as in GET /orders/* or /users/**")
        return Scope("route", route, token)

    def _group(self, token: Token, known: Collection[str], words: tuple[str, ...] = ()) -> str:
        if token.kind == "end" or token.name not in known:
            names = [*known, *words]
            hint = nearest(token.name, names) if names else "write a route, such as GET /orders/*, or define `groups`"
            fact = f"unknown group {_shown(token)}" if token.kind != "end" else "a route or a group is missing"
            raise self._fault(token, fact, hint)
        return token.name

    def _per(self, clause: Clause) -> Clause:
        token = self._advance()
        if token.text == "route":
            return replace(clause, per="route", per_token=token)
        divided = {name for name, by in self._terms.groups.items() if by}
        if token.name in self._terms.groups and token.name not in divided:
            hint = f"give it one, as in by: request.query.category, or write on {token.text}"
            raise self._fault(token, f"the group {_shown(token)} is not divided: it has no `by`", hint)
        return replace(clause, per=self._group(token, divided, ("route",)), per_token=token)

    def _for(self, clause: Clause) -> Clause:
        example = "write, for example, for 7 days or for 3 runs"
        count = self._amount("a number of days or runs", example)
        if count.unit or count.number % 1 or not 1 <= count.number <= _LONGEST_SPAN:
            raise self._fault(count.token, f"'{unmoving(count.text)}' is no number of days or runs", example)
        self._take("consecutive")
        unit = self._advance()
        if unit.text not in _UNITS:
            raise self._fault(unit, f"expected days or runs, found {_shown(unit)}", example)
        return replace(clause, span=Span(int(count.number), _UNITS[unit.text], count.token))

    def _covering(self, clause: Clause) -> Clause:
        token = self._advance()
        if token.text not in CYCLES:
            raise self._fault(token, f"unknown cycle {_shown(token)}", nearest(token.name, CYCLES))
        cycles = [*clause.cycles, token.text]
        while self._peek.text in CYCLES:
            cycles.append(self._advance().text)
        return replace(clause, cycles=tuple(dict.fromkeys(cycles)), cycles_token=token)

    def _at(self, clause: Clause) -> Clause:
        level = self._amount("a confidence", "write, for example, at 99%")
        if level.unit != "%" or not _LEAST_CONFIDENCE <= level.number <= _MOST_CONFIDENCE:
            hint = f"write at 99%, or another one from {_LEAST_CONFIDENCE}% to {_MOST_CONFIDENCE}%"
            raise self._fault(level.token, f"'{unmoving(level.text)}' is no confidence to decide by", hint)
        return replace(clause, confidence=float(level.number / 100), confidence_token=level.token)

    # ------------------------------------------------------------------------------------------------------ tokens

    def _fault(self, token: Token, fact: str, hint: str) -> Exception:
        return fault(self._text, token, fact, hint)

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


_QUALIFIERS: Final[Mapping[str, Callable[[_Parser, Clause], Clause]]] = {
    "on": _Parser._on,  # noqa: SLF001 - the table of its own methods
    "per": _Parser._per,  # noqa: SLF001
    "for": _Parser._for,  # noqa: SLF001
    "at": _Parser._at,  # noqa: SLF001
    "covering": _Parser._covering,  # noqa: SLF001
}


def _end(token: Token) -> int:
    return token.start + len(token.text)


def _shown(token: Token) -> str:
    return "the end" if token.kind == "end" else f"'{unmoving(token.name)}'"
