"""Calls and outcomes without their values: what is told of a flood of disagreements, and what that takes to hold."""

from __future__ import annotations

from dataclasses import replace

from replay.experiment.calls import Call, Frozen, Given, Outcome, Relation, Setup
from replay.experiment.freezing import Lasting


def size_of(call: Call) -> int:
    """Return how many bytes the values of a call take, roughly; of its context the texts are counted."""
    context = Lasting(call.context).size if call.context else 0
    return _size(call.old.value) + _size(call.new.value) + _size(call.arguments) + context


def _size(value: Frozen | None) -> int:
    return 0 if value is None else value.size


def bare(call: Call) -> Call:
    """Return a call without the values that it holds."""
    return replace(call, old=_bare(call.old), new=_bare(call.new), arguments=None, context={})


def _bare(given: Given) -> Given:
    raised = given.raised and replace(given.raised, traceback="")
    return replace(given, value=None, raised=raised)


def tells_bare(call: Call) -> bool:
    """Tell whether the outcome of a call is known without its values: rules may accept what differs."""
    return not (call.setup.rules and call.relation == "differ") and not call.setup.equal_too


def kind_of(setup: Setup, relation: Relation) -> str:
    """Return by what disagreements are counted: those that are known take no room from the others."""
    return f"{setup.name} known" if relation == "known" else setup.name


def stripped(outcome: Outcome) -> Outcome:
    """Return an outcome as it is told where there are too many: what it is called, who failed, and how long it took."""
    result = outcome.result
    request = replace(result.case.request, body=None)
    old, new = (side and replace(side, body=b"") for side in (result.old, result.new))
    case = replace(result.case, request=request)
    result = replace(result, case=case, old=old, new=new, differences=(), accepted=(), measures=())
    return replace(outcome, result=result, context={}, bare=True)
