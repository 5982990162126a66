"""What a golden may expect from now on: what a side answered, without what rules ignore, and with nothing masked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from replay.compare import Comparison, Pair
from replay.curation.lasting import as_told_to
from replay.curation.stating import Part, Rules, built, stated
from replay.errors import InputError
from replay.models import Case, Difference, Json, Observation, Played
from replay.privacy import TOKEN

Source = Literal["new", "old", "both"]
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Approval:
    """What a golden is to expect, as its file says it, by step; nothing where it may stay as it is.

    The step of a golden of one request is empty.
    """

    expect: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    departs: tuple[str, ...] = ()
    """Where the answer departs from what is expected so far."""


class Answers(NamedTuple):
    """What both sides did with a golden in a stored run, and what the same versions did in earlier ones."""

    old: Observation | None
    new: Observation | None
    departed: Collection[str] = ()
    """Where the run itself found a difference, while it saw what is masked in the store."""
    earlier: Sequence[Answers] = ()


def approval(case: Case, answers: Answers, source: Source, rules: Rules) -> Approval:
    """Return what a golden may expect by what the sides answered.

    A scenario expects something at the steps where it does so far; where it nowhere does, at all of them. Raise
    InputError with the reason where there is nothing to approve: a side failed, both disagree, what was stored is
    masked where the golden would have to say it, or an earlier run was told another id, token or time.
    """
    if source == "both" and _is_met(case, answers.new, rules.comparison):
        # Who was right was said before: old may well answer otherwise.
        return Approval()
    several = list(_parts(case, _answer(case, answers, source, rules.comparison)))
    past = [parts for each in answers.earlier if (parts := _past(case, each.old if source == "old" else each.new))]
    expecting = [part for part in several if part.case.expect is not None]
    departing = [(part, part.departs(part.case.expect, rules.comparison)) for part in expecting]
    wanted = [part for part, departs in departing if departs] if expecting else several
    expect = {part.step: _checked(part, [parts[part.step] for parts in past], rules) for part in wanted}
    return Approval(expect, tuple(at for _, departs in departing for at in departs))


def _is_met(case: Case, new: Observation | None, comparison: Comparison) -> bool:
    """Tell whether a golden expects something, and new answers all of it."""
    parts = _past(case, new).values()
    expecting = [part for part in parts if part.case.expect is not None]
    return bool(expecting) and not any(part.departs(part.case.expect, comparison) for part in expecting)


def _checked(part: Part, past: Sequence[Part], rules: Rules) -> Mapping[str, Any]:
    """Return what a golden may expect of one answer. Raise InputError where that would not be met again."""
    said = stated(part, rules)
    _require_clear(part, said, rules.comparison)
    for other in past:
        _require_lasting(as_told_to(part, other), said, rules.comparison)
    return said


# ------------------------------------------------------------------------------------------------------------- answers


def _answer(case: Case, answers: Answers, source: Source, comparison: Comparison) -> Observation:
    """Return the answer that is approved. Raise InputError where there is none."""
    old, new = answers.old, answers.new
    for side, seen in (("old", old), ("new", new)):
        if source in (side, "both") and (seen is None or seen.error is not None):
            told = "was not asked" if seen is None else f"failed ({seen.error.kind if seen.error else ''})"
            raise InputError(f"{side} {told}", hint="approve what the other side answers by --from, or run again")
    if source == "both":
        differences = comparison.compare(Pair(case.bare, old, new)).differences
        found = [each.at for each in differences if each.at in answers.departed or not _is_masked(each)]
        if found:
            raise InputError(f"the sides disagree at {_told(found)}", hint="say who is right: --from old or --from new")
    answer = old if source == "old" else new
    assert answer is not None  # noqa: S101 - told above
    return answer


def _is_masked(difference: Difference) -> bool:
    """Tell whether tokens stand for all that differs: they do not tell whether these are two names of one thing."""
    old, new = difference.old, difference.new
    return isinstance(old, str) and isinstance(new, str) and old != new and TOKEN.sub("", old) == TOKEN.sub("", new)


def _told(places: list[str]) -> str:
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return ", ".join(dict.fromkeys(places[:_SHOWN])) + more


def _parts(case: Case, answer: Observation) -> Iterator[Part]:
    """Yield each answer of a side with what it belongs to."""
    if not case.steps:
        yield Part(case, answer, {}, {})
        return
    played = {each.step: each for each in answer.steps}
    captured: dict[str, Json] = {}
    places: dict[str, str] = {}
    for step in case.steps:
        one = played.get(step.name, Played(step.name, Observation()))
        captured = captured | dict(one.captured)
        places = places | dict(step.capture)
        yield Part(case.at_step(step), one.seen, captured, places)


def _past(case: Case, answer: Observation | None) -> dict[str, Part]:
    """Return what a side answered in another run, by step; nothing where it failed."""
    return {} if answer is None or answer.error is not None else {part.step: part for part in _parts(case, answer)}


# -------------------------------------------------------------------------------------------------------------- checks


def _require_clear(part: Part, said: Mapping[str, Any], comparison: Comparison) -> None:
    """Raise InputError where the golden would hold a token that new, asked again, will not answer."""
    wanted = built(said)
    texts = [(wanted.body or b"").decode("utf-8", "replace"), *(value for _, value in wanted.headers)]
    if not any(map(TOKEN.search, texts)):
        return
    if departing := _with(part, _other).departs(wanted, comparison):
        fact = f"what was answered at {_told(list(departing))} is masked in the store"
        raise InputError(
            fact, hint="have a rule say what it looks like (same_type, matches, ignore), or write it by hand"
        )


def _with(part: Part, other: Callable[[str], str]) -> Part:
    """Return an answer with other values where it is masked."""
    changed = partial(TOKEN.sub, lambda found: other(found[0]))
    headers = tuple((name, changed(value)) for name, value in part.answer.headers)
    answer = replace(part.answer, headers=headers, body=changed(part.answer.body.decode("utf-8", "replace")).encode())
    captured = {name: changed(it) if isinstance(it, str) else it for name, it in part.captured.items()}
    return replace(part, answer=answer, captured=captured)


def _other(token: str) -> str:
    """Return another value of the same form."""
    return token.translate(str.maketrans("abcdefghij0123456789", "bcdefghija1234567890"))


def _require_lasting(again: Part, said: Mapping[str, Any], comparison: Comparison) -> None:
    """Raise InputError where an earlier run of the same versions was told another id, token or time."""
    if departing := again.departs(built(said), comparison):
        fact = f"what was answered at {_told(list(departing))} was another one in an earlier run"
        raise InputError(fact, hint="capture it, or have a rule speak of it (ignore, minted: true, matches)")
