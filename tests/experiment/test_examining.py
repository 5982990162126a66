"""What becomes of a compared call: judged as in a run, replayable as it was, and without what is secret or personal."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import uuid
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.errors import InputError
from replay.experiment.bareness import bare
from replay.experiment.calls import Call, Given, Outcome, Setup
from replay.experiment.examining import UNEQUAL, UNTOLD, Examiner
from replay.experiment.preparing import prepared
from replay.models import UNPROVEN, Result
from replay.privacy import MaskKey
from replay.targets.worker import Answer, FunctionHolder, failing_into
from tests.experiment.kept import NOTHING, call, differing, gave, raised

DRAFT = Setup("needs-draft")
EXAMINER = Examiner(MaskKey(b"a key of these tests", made=False))


def examined(handed: Call) -> Outcome:
    return EXAMINER.examined(handed)


def result(handed: Call) -> Result:
    return examined(handed).result


def ruled(*rules: Mapping[str, Any]) -> Setup:
    return Setup("needs-draft", rules=rules)


# --------------------------------------------------------------------------------------------------------- judged


def test_an_agreeing_call_is_a_match_without_any_document() -> None:
    found = result(call(DRAFT, relation="agreed", arguments=None))
    assert found.outcome == "match"
    assert [side.body for side in (found.old, found.new) if side] == [b"", b""]
    assert [side.timing.latency_ms for side in (found.old, found.new) if side and side.timing] == [1.0, 1.0]


def test_a_call_is_a_case_that_a_run_can_replay() -> None:
    handed = call(DRAFT, gave(1), gave(2), arguments=((), {"pr": {"id": 7}}), trace="cafe" * 8)
    case = result(handed).case
    assert (case.id, case.kind, case.tags) == (f"needs-draft-{handed.id}", "traffic", ("needs-draft",))
    assert (case.request.method, case.request.path, case.request.body) == ("POST", "/needs-draft", b'{"pr": {"id": 7}}')
    assert case.freeze == datetime(2024, 5, 29, 16, 26, 40, tzinfo=UTC)
    assert case.correlation_id == "cafe" * 8


def test_what_differs_is_told_where_it_does() -> None:
    found = result(call(DRAFT, gave({"fee": 1, "n": [1, 2]}), gave({"fee": 1, "n": [1, 3]})))
    assert (found.outcome, [each.at for each in found.differences]) == ("deviation", ["body.n[1]"])


def test_rules_have_the_last_word_over_values_that_differ() -> None:
    setup = ruled({"at": "body.fee", "within": 0.01}, {"at": "body.took_ms", "ignore": True})
    near = call(setup, gave({"fee": 1.0, "took_ms": 3}), gave({"fee": 1.01, "took_ms": 9}))
    far = call(setup, gave({"fee": 1.0, "took_ms": 3}), gave({"fee": 1.02, "took_ms": 9}))
    assert [result(near).outcome, result(far).outcome] == ["match", "deviation"]


def test_a_waiver_is_held_against_the_day_of_each_call() -> None:
    waive = {"until": "2024-05-29", "owner": "ada", "why": "until the release"}
    setup = ruled({"at": "body.fee", "waive": waive})
    fees = gave({"fee": 1}), gave({"fee": 2})
    days = [result(call(setup, *fees, at=1_717_000_000.0 + days * 86_400)).outcome for days in (0, 1, 0)]
    assert days == ["waived", "deviation", "waived"]


def test_an_agreeing_call_is_examined_where_a_rule_asks_of_equal_values() -> None:
    setup = prepared(ruled({"at": "body.fee", "schema": {"type": "integer"}}))
    assert setup.equal_too
    handed = call(setup, gave({"fee": "1"}), gave({"fee": "1"}), "agreed")
    assert result(handed).outcome == "deviation"


def test_what_the_programs_own_comparison_calls_unequal_no_rule_makes_a_match() -> None:
    handed = call(
        ruled({"at": "body.fee", "ignore": True}), gave({"fee": 1, "n": 1}), gave({"fee": 2, "n": 1}), "unequal"
    )
    found = result(handed)
    assert (found.outcome, [each.rule for each in found.differences]) == ("deviation", [UNEQUAL])


@pytest.mark.parametrize("sides", [(NOTHING, NOTHING), (gave(1), gave(1)), (gave(1), gave(2)), (gave(1j), gave(1j))])
def test_a_side_that_changed_its_arguments_deviates_whatever_both_returned(sides: tuple[Given, Given]) -> None:
    outcome = examined(call(DRAFT, *sides, "unequal", reason="new changed the arguments, and old did not"))
    notes = [each.note for each in outcome.result.differences]
    assert (outcome.result.outcome, outcome.bare, notes[-1]) == (
        "deviation",
        False,
        "new changed the arguments, and old did not",
    )


def test_a_known_difference_is_waived_with_its_reason() -> None:
    found = result(call(DRAFT, gave(1), gave(2), "known", reason="ticket 12"))
    assert (found.outcome, [each.waived for each in found.differences]) == ("waived", ["ticket 12"])


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        (gave(1), raised("builtins.ValueError", "no"), "new_error"),
        (raised("builtins.ValueError", "no"), gave(1), "old_error"),
        (raised("builtins.ValueError", "no"), raised("builtins.ValueError", "no"), "both_error"),
        (NOTHING, raised("builtins.ValueError", "no"), "new_error"),
    ],
)
@pytest.mark.parametrize("relation", ["agreed", "differ", "unequal", "known", "unfit"])
def test_whoever_raised_what_nobody_declared_has_failed(old: Given, new: Given, outcome: str, relation: Any) -> None:
    assert result(call(DRAFT, old, new, relation, reason="whatever")).outcome == outcome


def test_a_declared_exception_is_an_answer() -> None:
    missing = raised("shop.errors.NotFoundError", "no user 7", declared=True)
    alike = result(call(DRAFT, missing, missing, "agreed", arguments=None))
    apart = result(call(DRAFT, missing, gave(None)))
    assert (alike.outcome, apart.outcome) == ("match", "deviation")
    assert apart.old is not None
    assert json.loads(apart.old.body) == {"raised": "shop.errors.NotFoundError", "message": "no user 7"}


# ---------------------------------------------------------------------------------------------------- never a match


def test_what_is_unfit_is_skipped_with_its_reason() -> None:
    found = result(call(DRAFT, relation="unfit", reason="old returned a generator"))
    assert (found.outcome, found.skipped) == ("skipped", "old returned a generator")
    assert found.flags == (UNPROVEN,)


def test_what_chance_left_out_may_hide_nothing() -> None:
    handed = replace(
        call(DRAFT, relation="unfit", reason="not compared: 64 calls were waiting already"), by_chance=True
    )
    assert (result(handed).outcome, result(handed).flags) == ("skipped", ())


class Endless:
    """Never comes to an end when it is gone through."""

    def __iter__(self) -> Iterator[int]:
        return itertools.count()


class Broken:
    """Raises whatever it is asked."""

    def __iter__(self) -> Iterator[int]:
        raise RuntimeError("no")


def holding_itself() -> list[Any]:
    own: list[Any] = []
    own.append(own)
    return own


DOCUMENTLESS = {
    "object": object(),
    "function": print,
    "class": int,
    "endless": Endless(),
    "broken": Broken(),
    "holding itself": holding_itself(),
    "a key of two": {(1, 2): 3},
    "too many digits": 10**5000,
    "complex": 1j,
    "too large": "x" * 5_000_000,
}


@pytest.mark.parametrize("value", DOCUMENTLESS.values(), ids=DOCUMENTLESS)
def test_a_value_without_a_document_is_skipped_and_never_a_match(value: Any) -> None:
    found = result(call(DRAFT, gave(value), gave(1)))
    assert found.outcome == "skipped"
    assert (found.skipped or "").startswith("its value: ")


def test_a_bare_call_that_rules_might_accept_is_no_deviation_and_no_match() -> None:
    handed = bare(differing(ruled({"at": "body", "within": 1})))
    assert (result(handed).outcome, result(handed).skipped) == ("skipped", UNTOLD)
    assert result(handed).flags == (UNPROVEN,)


def test_an_agreeing_call_without_values_is_no_match_where_rules_ask_something_of_equal_ones() -> None:
    setup = prepared(ruled({"at": "body.fee", "schema": {"type": "integer"}}))
    assert result(call(setup, relation="agreed")).outcome == "skipped"


def test_a_bare_call_without_rules_deviates() -> None:
    outcome = examined(bare(differing(DRAFT)))
    assert (outcome.result.outcome, outcome.bare, outcome.result.differences) == ("deviation", True, ())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda it: st.lists(it) | st.dictionaries(st.text(), it)
    )
)
def test_no_document_differs_from_itself(value: Any) -> None:
    assert result(call(DRAFT, gave(value), gave(value))).outcome == "match"


@given(
    st.integers() | st.text(max_size=5) | st.none() | st.booleans(),
    st.integers() | st.text(max_size=5) | st.none() | st.booleans(),
)
def test_scalars_that_differ_in_type_or_value_are_never_a_match(one: Any, other: Any) -> None:
    same = type(one) is type(other) and one == other
    assert result(call(DRAFT, gave(one), gave(other))).outcome == ("match" if same else "deviation")


# ----------------------------------------------------------------------------------------------- as a run would have it


class Mode(Enum):
    """How a pull request is computed."""

    DRAFT = "draft"


@dataclass
class Fee:
    """An amount."""

    total: Decimal
    mode: Mode = Mode.DRAFT


class Order(pydantic.BaseModel):
    """What a model of pydantic looks like."""

    id: int
    fee: float


Point = namedtuple("Point", "x y")  # noqa: PYI024 - programs have such ones as well


def several(pr: int, *, kind: str = "a", **rest: Any) -> Any:
    return [pr, kind, rest]


def positional(pr: int, /, kind: str = "a") -> Any:
    return [pr, kind]


def starred(*prs: int) -> Any:
    return list(prs)


VALUES = [
    None, True, 3, 1.5, "é", Decimal("9.90"), [1, (2, 3)], {"a": {1: 2}}, {3, 1}, b"\x00\xff", Mode.DRAFT, Point(1, 2),
    Fee(Decimal("1.10")), Order(id=1, fee=2.5), NotImplemented, uuid.UUID(int=7), datetime(2024, 2, 29, tzinfo=UTC),
    math.inf,
]  # fmt: skip


def replayed(function: Callable[..., Any], body: bytes) -> Answer:
    """Return what a worker of `replay run` answers."""
    answer = Answer(2**20)
    loop = asyncio.new_event_loop()
    with failing_into(answer):
        FunctionHolder(function, loop).answer({}, body, answer)
    loop.close()
    return answer


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_has_the_document_that_a_replayed_function_answers(value: Any) -> None:
    found = result(call(DRAFT, gave(value), gave("something else")))
    assert found.old is not None
    answer = replayed(lambda: value, b"")
    assert (found.old.body, found.old.headers) == (bytes(answer.body), tuple(answer.headers))


def test_an_exception_is_the_failure_that_a_replayed_function_has() -> None:
    def failing() -> None:
        raise LookupError(f"no <object at {id(failing):#x}>")

    found = result(call(DRAFT, gave(1), raised("builtins.LookupError", f"no <object at {id(failing):#x}>")))
    assert found.new is not None
    assert found.new.error is not None
    assert [found.new.error.kind, found.new.error.message] == replayed(failing, b"").error


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "body"),
    [
        (several, (1,), {}, {"pr": 1}),
        (several, (1,), {"kind": "b", "more": 2}, {"pr": 1, "kind": "b", "more": 2}),
        (positional, (1, "b"), {}, [1, "b"]),
        (starred, (1, 2), {}, [1, 2]),
        (starred, (), {}, {}),
        (None, (1, 2), {}, [1, 2]),
        (None, (), {"pr": 1}, {"pr": 1}),
    ],
)
def test_a_captured_call_replays_with_its_own_arguments(
    function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], body: Any
) -> None:
    handed = call(Setup("needs-draft", parameters=function), gave(1), gave(2), arguments=(args, kwargs))
    written = result(handed).case.request.body
    assert written is not None
    assert json.loads(written) == body
    if function is not None:
        assert json.loads(bytes(replayed(function, written).body)) == function(*args, **kwargs)


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "why"),
    [
        (positional, (1,), {"kind": "b"}, "some arguments have a name, and others none"),
        (several, (object(),), {}, "cannot be written as JSON: type object at arguments.pr"),
    ],
)
def test_arguments_without_a_document_leave_a_call_that_is_told_and_not_replayed(
    function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], why: str
) -> None:
    outcome = examined(call(Setup("needs-draft", parameters=function), gave(1), gave(2), arguments=(args, kwargs)))
    assert (outcome.result.outcome, outcome.result.case.request.body, outcome.unreplayable) == ("deviation", None, why)


# ------------------------------------------------------------------------------------------------------------ masked


def everything(outcome: Outcome) -> str:
    return repr(outcome)


def test_what_is_personal_or_secret_is_a_token_wherever_it_stands() -> None:
    pr = {"author": "alice@example.com", "password": "hunter2hunter2"}
    handed = call(
        DRAFT,
        gave({"to": "alice@example.com"}),
        raised("shop.RefusedError", "alice@example.com is refused"),
        arguments=((), {"pr": pr}),
        context={"user": "alice@example.com", "api_key": "sk-0123456789abcdef"},
        key="alice@example.com",
        trace="alice@example.com",
    )
    told = everything(examined(handed))
    assert [secret for secret in ("alice@", "hunter2", "sk-0123") if secret in told] == []


def test_why_nobody_can_tell_tells_nothing_personal() -> None:
    reason = "`equal` raised ValueError: no alice@example.com"
    told = everything(examined(call(DRAFT, relation="unfit", reason=reason)))
    assert "alice@" not in told
    assert "`equal` raised ValueError" in told


def test_what_a_mask_names_in_the_arguments_is_masked_in_answers_and_context_too() -> None:
    setup = Setup("needs-draft", masks=({"at": "request.json.author"},))
    handed = call(
        setup,
        gave({"text": "by Wilhelmina"}),
        gave({"text": "of Wilhelmina"}),
        arguments=((), {"author": "Wilhelmina"}),
        context={"who": "Wilhelmina"},
    )
    assert "Wilhelmina" not in everything(examined(handed))


def test_a_mask_reaches_the_context_by_its_name() -> None:
    setup = Setup("needs-draft", masks=({"at": "body.context.tenant"},))
    told = examined(call(setup, gave(1), gave(2), context={"tenant": "acme", "pr": 7})).context
    assert (told["pr"], told["tenant"][:4]) == (7, "tok_")


def test_masking_does_not_hide_that_values_differ() -> None:
    found = result(call(DRAFT, gave("alice@example.com"), gave("bob@example.com")))
    (difference,) = found.differences
    assert found.outcome == "deviation"
    assert difference.old != difference.new


def test_the_key_of_a_sample_is_one_token_in_agreeing_and_disagreeing_calls() -> None:
    agreeing = result(call(DRAFT, relation="agreed", arguments=None, key="alice"))
    deviating = result(call(DRAFT, gave(1), gave(2), key="alice"))
    assert agreeing.case.session == deviating.case.session
    assert (agreeing.case.session or "").startswith("tok_")


def test_a_context_of_anything_becomes_a_document() -> None:
    context = {"pr": object(), "endless": Endless(), "at": datetime(2024, 2, 29, tzinfo=UTC), "n": 1}
    told = examined(call(DRAFT, gave(1), gave(2), context=context)).context
    assert told == {"pr": "(object)", "endless": "(Endless)", "at": "2024-02-29T00:00:00+00:00", "n": 1}


# ---------------------------------------------------------------------------------------------------------- prepared


@pytest.mark.parametrize(
    ("setup", "place", "fact"),
    [
        (ruled({"at": "body.fee", "withn": 1}), "experiment needs-draft: compare[0]", "unknown key 'withn'"),
        (ruled({"at": "body.fee", "ignore": True}, {"at": "body..[", "ignore": True}), "compare[1]", ""),
        (ruled({"at": "body.fee", "within": "many"}), "compare[0]", "'many' is no tolerance"),
        (ruled({"at": "body", "via": "shop:read"}), "compare[0]", "via is for bytes"),
        (ruled({"at": "**", "ignore": True}), "compare[0]", ""),
        (Setup("needs-draft", masks=({"at": "nowhere.at.all"},)), "experiment needs-draft: mask[0]", ""),
        (Setup("needs-draft", masks=({"kind": "email"},)), "mask[0]", "the kind email is on anyway"),
    ],
)
def test_rules_that_make_no_sense_are_refused_with_their_place(setup: Setup, place: str, fact: str) -> None:
    with pytest.raises(InputError) as caught:
        prepared(setup)
    assert place in str(caught.value.place)
    assert fact in caught.value.fact
    assert caught.value.hint


def test_an_experiment_without_rules_is_ready_as_it_is() -> None:
    assert prepared(DRAFT) is DRAFT
