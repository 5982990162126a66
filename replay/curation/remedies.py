"""What a rule could do about a cause: one way a verb, as narrow as its cases allow, or why there is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from replay.curation.sightings import MOST_CHANGES, Sighting, Sightings
from replay.curation.spelling import rule_text
from replay.documents.scalars import plain_value
from replay.errors import InputError
from replay.locations import parse_location
from replay.models import MISSING, RuleSpec

Verb = Literal["ignore", "tolerate", "unordered", "map", "waive"]

_WHOLE: Final = re.compile(r"(?:steps\.\w+\.)?(?:status|headers|body(?:\[\*\]|\.\*|\['\*'\])*)|.*\.\.\*")


_BLIND: Final[frozenset[Verb]] = frozenset({"ignore", "waive"})
"""Verbs that do not look at values."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the curator said beside the verb."""

    why: str = ""
    within: str | None = None
    """A tolerance; None is the one that was observed."""
    until: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Remedy:
    """The rules that are proposed for a cause."""

    verb: Verb
    rules: tuple[RuleSpec, ...]
    texts: tuple[str, ...]
    """As they stand in the file."""
    golden: str | None = None
    """The golden that they stand in; None is for the settings."""
    notes: tuple[str, ...] = ()


_Given = Iterator[tuple[str, dict[str, Any]]]
"""Places, and the verb with its value that is to hold there."""


def remedy(verb: Verb, seen: Sightings, said: Said) -> Remedy:
    """Return the rules of one kind for a cause. Raise InputError with the reason where there is to be none."""
    if not seen.places:
        raise InputError("no rule speaks of this cause: a side failed, or nothing that differs is listed")
    found = list(REMEDIES[verb](seen, said))
    golden = seen.golden
    given = [
        {**({"on": scope} if scope is not None else {}), "at": at, **what, **_reason(at, what, said.why)}
        for scope in ([None] if golden is not None else seen.scopes)
        for at, what in found
    ]
    rules = tuple(map(RuleSpec.model_validate, given))
    texts = tuple(rule_text(rule, expands=golden is None) for rule in given)
    return Remedy(verb, rules, texts, golden, tuple(_notes(verb, seen)))


def _reason(at: str, what: Mapping[str, Any], why: str) -> dict[str, str]:
    """Return why the rule is there; a waiver says it itself, save where `rules check` asks for it of a whole body."""
    return {"why": why} if why and ("waive" not in what or (_WHOLE.fullmatch(at) and "body" in at)) else {}


def _notes(verb: Verb, seen: Sightings) -> Iterator[str]:
    for each in seen.places.values():
        if verb == "tolerate" and each.spread.is_wide:
            yield f"at {each.at} the values are as far apart as the smallest of them is from zero"
        if each.masked:
            blind = "what differs there cannot be seen here" if verb in _BLIND else "only a run can tell what it does"
            yield f"at {each.at} tokens stand for masked values: {blind}"


def _ignored(seen: Sightings, _: Said) -> _Given:
    for each in seen.places.values():
        if _WHOLE.fullmatch(each.at):
            fact = f"to ignore {each.at} would hide all of it"
            raise InputError(fact, hint="name what may differ in it, or waive it until a day")
        yield each.at, {"ignore": True}


def _tolerated(seen: Sightings, said: Said) -> _Given:
    for each in seen.places.values():
        # What is typed is read as in the file: 0.05 is a number, 2s a text.
        tolerance = each.spread.tolerance() if said.within is None else plain_value(said.within.strip())
        if each.kind != "value" or each.spread.tolerance() is None:
            raise InputError(f"what differs at {each.at} has no distance: it is no number, nor an instant, every time")
        yield each.at, {"within": tolerance}


def _unordered(seen: Sightings, _: Said) -> _Given:
    arrays = list(dict.fromkeys(_array(each, seen) for each in seen.places.values()))
    yield from ((at, {"unordered": True}) for at in arrays)


def _array(seen: Sighting, all_of_it: Sightings) -> str:
    """Return the array in which a place is, whose items are the same on both sides in every case."""
    above = [at for at in all_of_it.arrays if seen.at == at or seen.at.startswith(f"{at}[")]
    if seen.kind == "order" and not above:
        return seen.at
    good = [at for at in above if all_of_it.arrays[at]]
    if not good:
        raise InputError(f"{seen.at} is not only in another order: its items differ")
    return min(good, key=len)


def _mapped(seen: Sightings, _: Said) -> _Given:
    for each in seen.places.values():
        if each.expected == each.differences:
            raise InputError(f"{each.at} departs from what a golden expects", hint="`replay approve` changes that")
        yield each.at, {"map": _pairs(each)}


def _pairs(seen: Sighting) -> Sequence[tuple[Any, Any]]:
    if seen.unspeakable:
        raise InputError(
            f"at {seen.at} stands NaN or an infinity, which no list can name", hint="`allow: [nan]` reads it"
        )
    if seen.masked:
        raise InputError(f"what differs at {seen.at} is masked: a list of tokens would say nothing")
    if len(seen.changes) > MOST_CHANGES:
        raise InputError(f"at {seen.at} are more than {MOST_CHANGES} different changes: no list says what is intended")
    pairs = list(seen.changes.values())
    if not pairs or any(value is MISSING or isinstance(value, list | dict) for pair in pairs for value in pair):
        raise InputError(f"what differs at {seen.at} is no single value every time")
    if len({repr(old) for old, _ in pairs}) < len(pairs):
        raise InputError(f"at {seen.at} one value of old became several of new: that is no map")
    return [list(pair) for pair in pairs]  # type: ignore[misc]


def _waived(seen: Sightings, said: Said) -> _Given:
    if not (said.until and said.owner and said.why):
        raise InputError("a waiver needs an owner, a reason and a last day")
    terms = {"until": said.until, "owner": said.owner, "why": said.why}
    yield from ((each.at, {"waive": terms}) for each in seen.places.values())


REMEDIES: Final[Mapping[Verb, Callable[[Sightings, Said], _Given]]] = {
    "ignore": _ignored,
    "tolerate": _tolerated,
    "unordered": _unordered,
    "map": _mapped,
    "waive": _waived,
}


def offered(seen: Sightings) -> tuple[Verb, ...]:
    """Return the verbs that make sense for what was seen, as of one example."""
    asked = Said(why="-", until="2999-01-01", owner="-")
    return tuple(verb for verb in REMEDIES if _makes_sense(verb, seen, asked))


def _makes_sense(verb: Verb, seen: Sightings, said: Said) -> bool:
    try:
        found = list(REMEDIES[verb](seen, said)) if seen.places else []
        for at, _ in found:
            parse_location(at)
    except InputError:
        return False
    return bool(found)
