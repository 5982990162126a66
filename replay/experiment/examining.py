"""A compared call becomes an outcome, as a run would have it: judged by the rules, without what is secret or personal.

A call whose sides agreed costs no document. One that nobody can judge is skipped with the reason, and never a match.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import quote

from replay.documents import parse_json
from replay.engine.outcome import Referee
from replay.experiment.calls import Call, Given, Outcome, Setup
from replay.experiment.terms import Terms, terms_of
from replay.experiment.untold import first_untold
from replay.experiment.writing import NoDocumentError, answer_of, arguments_of, document_of, failure_of, thawed
from replay.models import (
    MISSING,
    UNPROVEN,
    Case,
    Difference,
    Failure,
    Json,
    Observation,
    OutcomeName,
    Request,
    Result,
    Timing,
)
from replay.privacy import MaskKey, key_from_environment

UNTOLD: Final = "its values were not kept, and the rules ask for them"
UNEQUAL: Final = "the experiment's own `equal`"
CHANGED: Final = "sides leave their arguments alike"
PARTED: Final = "what no document tells is the same"
_JSON: Final = (("content-type", "application/json"),)
_MOST_SETUPS: Final = 1_000
_MOST_MEMBERS: Final = 100


@dataclass(slots=True)
class _Known:
    """What was found out about an experiment, and the day against which its waivers are held."""

    setup: Setup
    terms: Terms
    day: date

    def referee(self, day: date) -> Referee:
        if day != self.day:
            self.terms = Terms(self.terms.referee.on(day), self.terms.redactor)
            self.day = day
        return self.terms.referee


class Examiner:
    """Examines the calls of all experiments of a process."""

    def __init__(self, key: MaskKey | None = None) -> None:
        """Take the key of tokens; without one, that of the environment, or one that dies with this process."""
        self._key = key or key_from_environment()
        self._known: OrderedDict[int, _Known] = OrderedDict()

    def examined(self, call: Call) -> Outcome:
        """Return what became of a call. Raise InputError where its experiment's rules make no sense."""
        at = datetime.fromtimestamp(call.at, UTC)
        known = self._terms(call.setup)
        result = self._result(call, known, at)
        return self._told(call, result, known.terms, at)

    def _terms(self, setup: Setup) -> _Known:
        known = self._known.get(id(setup))
        if known is None:
            known = _Known(setup, terms_of(setup, self._key), date.min)
            self._known[id(setup)] = known
            if len(self._known) > _MOST_SETUPS:  # experiments made for one call each, as in tests
                self._known.popitem(last=False)
        return known

    # ---------------------------------------------------------------------------------------------------- judged

    def _result(self, call: Call, known: _Known, at: datetime) -> Result:
        result = self._judged(call, known, at)
        if result.outcome != "skipped" or call.by_chance:
            return result
        return replace(result, flags=(*result.flags, UNPROVEN))

    def _judged(self, call: Call, known: _Known, at: datetime) -> Result:
        case = _case(call, at)
        failed = any(given.raised is not None and not given.raised.declared for given in (call.old, call.new))
        if call.relation == "unfit" and not failed:
            return Result(case, "skipped", _seen(call.old), _seen(call.new), skipped=call.reason)
        plainly = call.relation == "agreed" and not call.setup.equal_too
        if not failed and (plainly or not _has_documents(call)):
            return _unseen(call, case)
        try:
            old, new = _observed(call.old), _observed(call.new)
        except NoDocumentError as error:
            return _undocumented(call, case, error.fact)
        result = known.referee(at.date()).result(case, old, new)
        settled = _SETTLED.get(call.relation)
        if settled is not None:
            return settled(result, call.reason)
        return _told_whole(call, result) if call.relation == "differ" and result.outcome == "match" else result

    # ------------------------------------------------------------------------------------------------------ told

    def _told(self, call: Call, result: Result, terms: Terms, at: datetime) -> Outcome:
        bare = result.outcome != "match" and not (call.arguments or call.reason or _has_documents(call))
        unreplayable = ""
        if result.outcome != "match" and call.arguments is not None:
            result, unreplayable = _with_arguments(call, result)
        result, context = self._masked(call, result, terms)
        return Outcome(
            experiment=call.setup.name,
            at=at,
            chosen=call.chosen,
            result=result,
            context=context,
            bare=bare,
            unreplayable=unreplayable,
            setup=call.setup,
        )

    def _masked(self, call: Call, result: Result, terms: Terms) -> tuple[Result, Mapping[str, Any]]:
        """Return a result and the call's context without what is secret or personal in either.

        The context goes through as if it had been recorded with the case, so that what is masked in one is masked in
        the other. The key of the sample only has to tell calls apart: it is a token always.
        """
        session = terms.redactor.tokeniser.token(call.key) if call.key else None
        context = call.context if result.outcome != "match" else {}
        if result.outcome == "match" and not (call.trace or result.differences or result.accepted):
            return replace(result, case=replace(result.case, session=session)), {}
        recorded = Observation(body=document_of({"context": _writable(context)})) if context else None
        masked = terms.redactor.result(replace(result, case=replace(result.case, recorded=recorded)))
        told = masked.case.recorded
        case = replace(masked.case, recorded=None, session=session)
        return replace(masked, case=case), {} if told is None else _members(told.body)


def _case(call: Call, at: datetime) -> Case:
    name = call.setup.name
    return Case(
        id=f"{name}-{call.id}",
        kind="traffic",
        identity=f"{name}-{call.id}",
        request=Request("POST", "/" + quote(name, safe="")),
        correlation_id=call.trace,
        freeze=at,
        tags=(name,),
    )


def _has_documents(call: Call) -> bool:
    """Tell whether both sides can be looked at: what they answered was kept, or is an exception."""
    return all(given.value is not None or given.raised is not None for given in (call.old, call.new))


def _unseen(call: Call, case: Case) -> Result:
    """Return the result of a call of which no value was kept: the caller's thread has compared them by `==`."""
    old, new = _seen(call.old), _seen(call.new)
    if (call.relation == "differ" and call.setup.rules) or (call.relation == "agreed" and call.setup.equal_too):
        return Result(case, "skipped", old, new, skipped=UNTOLD)
    outcome: OutcomeName = {"agreed": "match", "known": "waived"}.get(call.relation, "deviation")  # type: ignore[assignment]
    result = Result(case, outcome, old, new)
    settled = _SETTLED.get(call.relation) if outcome == "deviation" and call.reason else None
    return result if settled is None else settled(result, call.reason)


def _seen(given: Given, body: bytes = b"", error: Failure | None = None) -> Observation:
    headers = _JSON if body else ()
    return Observation(headers=headers, body=body, error=error, timing=Timing(given.wall_ns / 1e6))


def _observed(given: Given) -> Observation:
    raised = given.raised
    if raised is not None:
        return _seen(given, answer_of(raised)) if raised.declared else _seen(given, error=failure_of(raised))
    return _seen(given) if given.value is None else _seen(given, thawed(given.value))


def _undocumented(call: Call, case: Case, fact: str) -> Result:
    """Return the result of a call of which an answer has no document: what the program itself said of it holds."""
    unseen = _unseen(call, case)
    if call.relation in _SETTLED:
        return unseen
    return replace(unseen, outcome="skipped", skipped=f"its value: {fact}; say by `clean` what of it is compared")


def _as_unequal(result: Result, reason: str) -> Result:
    """Return a result that deviates, also where the rules see nothing amiss: the program knows more than they do."""
    if result.error is not None or (result.outcome == "deviation" and result.differences and not reason):
        return result
    return _with_difference(result, CHANGED if reason else UNEQUAL, reason)


def _as_parted(result: Result, reason: str) -> Result:
    """Return a result that deviates in what no document tells."""
    return result if result.error is not None else _with_difference(result, PARTED, reason)


def _with_difference(result: Result, rule: str, note: str) -> Result:
    difference = Difference("body", "value", _value(result.old), _value(result.new), rule, note=note)
    return replace(result, outcome="deviation", skipped=None, differences=(*result.differences, difference))


def _value(side: Observation | None) -> Json:
    parsed = None if side is None else parse_json(side.body)
    return parsed.value if parsed is not None and parsed.ok else MISSING


def _told_whole(call: Call, result: Result) -> Result:
    """Return a match as one, unless the values that have one document part in what it does not tell."""
    if call.old.value is None or call.new.value is None:
        return result
    found = first_untold(call.old.value.thaw(), call.new.value.thaw())
    if found is None:
        return result
    if found.is_certain:
        return _as_parted(result, found.reason)
    return replace(result, outcome="skipped", skipped=f"{found.reason}: compare by `clean` or `equal`")


def _as_known(result: Result, reason: str) -> Result:
    """Return a result whose differences are accepted; an error, which no known difference speaks of, stays one."""
    if result.outcome != "deviation":
        return result
    differences = tuple(replace(each, waived=reason) for each in result.differences)
    return replace(result, outcome="waived", differences=differences)


_SETTLED: Final[Mapping[str, Callable[[Result, str], Result]]] = {
    "unequal": _as_unequal,
    "parted": _as_parted,
    "known": _as_known,
}
"""What becomes of a result where the program's own functions have the last word."""


def _with_arguments(call: Call, result: Result) -> tuple[Result, str]:
    """Return a result with the call's arguments as its request, and why there are none where it cannot be replayed."""
    try:
        body = b"" if call.arguments is None else arguments_of(call.arguments, call.setup.parameters)
    except NoDocumentError as error:
        return result, error.fact
    request = replace(result.case.request, headers=_JSON, body=body)
    return replace(result, case=replace(result.case, request=request)), ""


def _writable(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a context whose members all have a document: one that has none is told by its type."""
    return {str(name): _member(value) for name, value in list(context.items())[:_MOST_MEMBERS]}


def _member(value: object) -> object:
    try:
        return json.loads(document_of(value, "context"))
    except (NoDocumentError, ValueError):
        return f"({type(value).__name__})"


def _members(body: bytes) -> Mapping[str, Any]:
    """Return the context out of its masked document; nothing of one that could not be masked."""
    try:
        context = json.loads(body)["context"]
    except (ValueError, KeyError, TypeError):
        return {}
    return context if isinstance(context, dict) else {}
