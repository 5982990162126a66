"""What a golden may expect from now on: what a side answered, without what rules ignore, and with nothing masked."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from replay.compare import Comparison, Pair, TracedBook
from replay.documents import dump_json, parse_json
from replay.errors import InputError
from replay.locations import compile_query
from replay.models import Case, Expectation, Observation
from replay.placeholders import secrets_in
from replay.privacy import TOKEN

Source = Literal["new", "old", "both"]
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Approval:
    """What a golden is to expect, as its file says it; None where it may stay as it is."""

    expect: Mapping[str, Any] | None
    departs: tuple[str, ...] = ()
    """Where the answer departs from what is expected so far."""


class Answers(NamedTuple):
    """What both sides did with a golden in a stored run."""

    old: Observation | None
    new: Observation | None


class Rules(NamedTuple):
    """The rules as they are now, watched, and what compares by them."""

    book: TracedBook
    comparison: Comparison


def approval(case: Case, answers: Answers, source: Source, rules: Rules) -> Approval:
    """Return what a golden may expect by what the sides answered.

    Raise InputError with the reason where there is nothing to approve: a side failed, both disagree, or what was
    stored is masked where the golden would have to say it.
    """
    answer = _answer(case, answers, source, rules.comparison)
    departs = _departs(case, case.expect, answer, rules.comparison) if case.expect is not None else ()
    if case.expect is not None and not departs:
        return Approval(None)
    expect = _kept(_stated(case, answer, rules), case.expect, answer)
    _require_clear(case, expect, answer, rules.comparison)
    return Approval(expect, departs)


def _answer(case: Case, answers: Answers, source: Source, comparison: Comparison) -> Observation:
    """Return the answer that is approved. Raise InputError where there is none."""
    old, new = answers
    for side, seen in (("old", old), ("new", new)):
        if source in (side, "both") and (seen is None or seen.error is not None):
            told = "was not asked" if seen is None else f"failed ({seen.error.kind if seen.error else ''})"
            raise InputError(f"{side} {told}", hint="approve what the other side answers by --from, or run again")
    if source == "both":
        bare = replace(case, expect=None)
        found = [each.at for each in comparison.compare(Pair(bare, old, new)).differences]
        if found:
            raise InputError(f"the sides disagree at {_told(found)}", hint="say who is right: --from old or --from new")
    answer = old if source == "old" else new
    assert answer is not None  # noqa: S101 - told above
    return answer


def _told(places: list[str]) -> str:
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return ", ".join(dict.fromkeys(places[:_SHOWN])) + more


def _departs(case: Case, expect: Expectation | None, answer: Observation, comparison: Comparison) -> tuple[str, ...]:
    """Return where an answer departs from an expectation, by the rules."""
    held = replace(case, expect=expect)
    found = comparison.compare(Pair(held, answer, answer)).differences
    return tuple(dict.fromkeys(each.at for each in found if each.against == "expect"))


# ------------------------------------------------------------------------------------------------------------- stating


def _stated(case: Case, answer: Observation, rules: Rules) -> dict[str, Any]:
    """Return status and body, without the members that rules ignore wherever that says the same."""
    whole = _whole(answer)
    if "json" not in whole:
        return whole
    bare = whole | {"json": _without(whole["json"], _ignored(case, answer, rules))}
    return bare if not _departs(case, built(bare), answer, rules.comparison) else whole


def _whole(answer: Observation) -> dict[str, Any]:
    stated: dict[str, Any] = {} if answer.status is None else {"status": answer.status}
    if not answer.body:
        return stated
    parsed = parse_json(answer.body, spelled=True)
    kind = answer.header("content-type")
    if (kind is None or "json" in kind) and parsed.ok and not parsed.findings:
        return stated | {"json": parsed.value}
    try:
        text = answer.body.decode("utf-8")
    except UnicodeDecodeError:
        return stated | {"base64": base64.b64encode(answer.body).decode("ascii")}
    if all(char.isprintable() or char in "\n\t" for char in text):
        return stated | {"text": text}
    return stated | {"base64": base64.b64encode(answer.body).decode("ascii")}


def _ignored(case: Case, answer: Observation, rules: Rules) -> list[str]:
    """Return the places whose last word is a rule that ignores them, and below which nothing is compared again."""
    rules.comparison.compare(Pair(replace(case, expect=None), answer, answer))
    rulings = [(each.at, bool(each.rule.spec.ignore)) for each in rules.book.trace.rulings]
    judged = [at for at, ignored in rulings if not ignored]
    return [at for at, ignored in rulings if ignored and not any(_is_below(other, at) for other in judged)]


def _is_below(at: str, above: str) -> bool:
    return at.startswith((f"{above}.", f"{above}["))


def _without(value: Any, places: list[str]) -> Any:
    """Return a JSON value without the members at these places. Items of arrays stay: others would take their place."""
    document = {"body": value}
    found = [match for at in places if at.startswith("body") for match in _matches(at, document)]
    dropped = {parts for parts in found if len(parts) > 1 and isinstance(parts[-1], str)}
    return _copied(value, ("body",), dropped)


def _matches(at: str, document: Mapping[str, Any]) -> list[tuple[str | int, ...]]:
    try:
        return [tuple(match.parts) for match in compile_query(f"$.{at}").finditer(document)]
    except (ValueError, RecursionError):
        return []


def _copied(value: Any, at: tuple[str | int, ...], dropped: set[tuple[str | int, ...]]) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item, (*at, key), dropped) for key, item in value.items() if (*at, key) not in dropped}
    if isinstance(value, list):
        return [_copied(item, (*at, number), dropped) for number, item in enumerate(value)]
    return value


def built(stated: Mapping[str, Any]) -> Expectation:
    """Return what a file says is expected as it is compared."""
    body: bytes | None = None
    if "json" in stated:
        body = dump_json(stated["json"]).encode()
    elif "text" in stated:
        body = stated["text"].encode()
    elif "base64" in stated:
        body = base64.b64decode(stated["base64"])
    return Expectation(stated.get("status"), tuple(stated.get("headers", {}).items()), body)


def _kept(stated: dict[str, Any], before: Expectation | None, answer: Observation) -> dict[str, Any]:
    """Return what is stated with the headers that the golden named before, as they are answered now."""
    named = [name for name, _ in before.headers] if before is not None else []
    headers = {name: value for name in named if (value := answer.header(name)) is not None}
    if not headers:
        return stated
    rest = {key: value for key, value in stated.items() if key != "status"}
    return {key: stated[key] for key in ("status",) if key in stated} | {"headers": headers} | rest


# -------------------------------------------------------------------------------------------------------------- masked


def _require_clear(case: Case, stated: Mapping[str, Any], answer: Observation, comparison: Comparison) -> None:
    """Raise InputError where the golden would hold a token that new, asked again, will not answer."""
    wanted = built(stated)
    texts = [(wanted.body or b"").decode("utf-8", "replace"), *(value for _, value in wanted.headers)]
    if next(secrets_in(wanted), None) is not None:
        fact = "what was answered names a secret, and nothing puts one into what is expected"
        raise InputError(fact, hint="have a rule ignore it")
    if not any(map(TOKEN.search, texts)):
        return
    if departing := _departs(case, wanted, _with(answer, _other), comparison):
        fact = f"what was answered at {_told(list(departing))} is masked in the store"
        raise InputError(
            fact, hint="have a rule say what it looks like (same_type, matches, ignore), or write it by hand"
        )


def _with(answer: Observation, other: Callable[[str], str]) -> Observation:
    """Return an answer with other values where it is masked."""
    changed = partial(TOKEN.sub, lambda found: other(found[0]))
    headers = tuple((name, changed(value)) for name, value in answer.headers)
    return replace(answer, headers=headers, body=changed(answer.body.decode("utf-8", "replace")).encode())


def _other(token: str) -> str:
    """Return another value of the same form."""
    return token.translate(str.maketrans("abcdefghij0123456789", "bcdefghija1234567890"))
