"""Whatever goes wrong in the other side, the comparison, callbacks or sinks: the caller sees the chosen side alone."""

from __future__ import annotations

import asyncio
import decimal
import gc
import inspect
import random
import sys
import traceback
import warnings
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.experiment import Experiment, flush
from replay.experiment.crew import crews_at_rest
from tests.experiment.faults import AFTERWARDS, ARGUMENTS, CALLBACKS, OTHER_SIDES, SINKS, STOP, WHERE, OddError
from tests.experiment.kept import Kept

Mode = Literal["inline", "after"]
MODES: tuple[Mode, ...] = ("inline", "after")
FAULTS: Mapping[str, Mapping[str, Any]] = {
    **{f"other side: {name}": {"new": fault} for name, fault in OTHER_SIDES.items()},
    **{f"callback: {name}": terms for name, terms in CALLBACKS.items()},
    **{f"sink: {name}": terms for name, terms in SINKS.items()},
}


class Answer:
    """A value that is told by identity."""


class FrozenError(Exception):
    """Lets nothing be set on it, as a frozen dataclass that is an exception does."""

    def __setattr__(self, name: str, value: object) -> None:
        raise OddError


class _Nameless(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise OddError


class ReservedError(Exception, metaclass=_Nameless):
    """Answers no question."""

    def __getattribute__(self, name: str) -> Any:
        raise OddError


@dataclass(frozen=True)
class Behaviour:
    """What the chosen side does."""

    ends: str
    changes: bool
    wanders: bool
    rounds: bool

    def __call__(self, lines: list[int]) -> Any:
        """Do it."""
        if self.changes:
            lines.append(7)
        if self.wanders:
            WHERE.set("where the chosen side left it")
        if self.rounds:
            decimal.getcontext().prec = 11
        return self._end(lines)

    def _end(self, lines: list[int]) -> Any:  # noqa: C901 - one line a kind of end
        match self.ends:
            case "list":
                return lines
            case "object":
                return Answer()
            case "error":
                raise ValueError(lines)
            case "frozen error":
                raise FrozenError
            case "reserved error":
                raise ReservedError
            case "chained":
                raise ValueError(2) from KeyError(1)
            case "while handling":
                try:
                    dict[int, int]()[3]
                except KeyError:
                    raise ValueError(3)  # noqa: B904 - that it was raised while another one was handled has to be kept
            case "exit":
                raise SystemExit(3)
            case "interrupt":
                raise KeyboardInterrupt
            case _:
                raise OddError


ENDS = (
    "list",
    "object",
    "error",
    "frozen error",
    "reserved error",
    "chained",
    "while handling",
    "exit",
    "interrupt",
    "odd error",
)
behaviours = st.builds(Behaviour, st.sampled_from(ENDS), st.booleans(), st.booleans(), st.booleans())


@dataclass
class Told:
    """What a caller can see of a call."""

    kind: type
    text: str
    frames: list[str]
    chain: tuple[str, str, bool]
    lines: list[int]
    where: str
    precision: int
    drawn: float
    value: Any = None


def read(error: BaseException, name: str) -> Any:
    """Return an attribute of an exception, whatever its class says of it."""
    return vars(BaseException)[name].__get__(error)


def seen(call: Callable[[list[int]], Any]) -> Told:
    """Return what a caller sees, who is handling an exception of its own meanwhile."""
    lines = [1, 2]
    random.seed(5)
    frames: list[str] = []
    chain = ("", "", False)
    try:
        dict[str, int]()["the caller's own"]
    except LookupError:
        try:
            value = call(lines)
        except BaseException as error:  # noqa: BLE001 - any is what is looked at
            value = error
            frames = [frame.name for frame in traceback.extract_tb(read(error, "__traceback__"))][1:]
            chain = (
                repr(read(error, "__context__")),
                repr(read(error, "__cause__")),
                bool(read(error, "__suppress_context__")),
            )
    text = "" if type(value) is Answer else str(value)
    told = (lines, WHERE.get(), decimal.getcontext().prec, random.random())  # noqa: S311 - whether it was drawn from
    return Told(type(value), text, [name for name in frames if name != "within_test"], chain, *told, value)


def apart(call: Callable[[list[int]], Any]) -> Told:
    """Return what a caller sees, in a context of its own."""

    def within_test(lines: list[int]) -> Any:
        return call(lines)

    def fresh() -> Told:
        decimal.setcontext(decimal.Context(prec=28))
        return seen(within_test)

    return copy_context().run(fresh)


@pytest.fixture(autouse=True)
def _ending() -> Iterator[None]:
    STOP.clear()
    yield
    STOP.set()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_the_caller_sees_the_chosen_side_alone_whatever_goes_wrong(name: str, mode: Mode) -> None:
    @settings(max_examples=12)
    @given(behaviour=behaviours)
    def law(behaviour: Behaviour) -> None:
        gave: list[Any] = []

        def chosen(lines: list[int]) -> Any:
            try:
                gave.append(behaviour(lines))
            except BaseException as error:
                gave.append(error)
                raise
            return gave[0]

        terms: dict[str, Any] = {"new": chosen_again(behaviour), "breaker": None, "to": [], **FAULTS[name]}
        rule = Experiment[..., Any]("rule", chosen, mode=mode, **terms)
        alone, together = apart(behaviour), apart(rule)
        assert together.value is gave[0]
        without = [frame for frame in together.frames if frame != "chosen"]
        alone.value = together.value = None
        assert without == alone.frames
        together.frames = alone.frames
        assert together == alone

    law()


def wrapped(given: Any) -> tuple[Any]:
    return (given,)


def chosen_again(behaviour: Behaviour) -> Callable[[list[int]], Any]:
    """Return a new function that disagrees where the old one answers, so that callbacks are asked."""

    def other(lines: list[int]) -> Any:
        behaviour(lines)
        return [*lines, 8]

    return other


@pytest.mark.parametrize("name", AFTERWARDS)
def test_what_never_ends_is_contained_afterwards(name: str) -> None:
    rule = Experiment[..., Any]("rule", wrapped, AFTERWARDS[name], mode="after", to=[])
    assert [rule([number]) for number in range(5)] == [([number],) for number in range(5)]
    STOP.set()
    crews_at_rest(20)  # else the next test clears it before endless loops have seen it, and they go on for good


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_nobody_can_copy_reach_the_chosen_side_as_they_are(name: str, mode: Mode, told: Kept) -> None:
    argument = ARGUMENTS[name]()
    rule = Experiment[..., Any]("rule", wrapped, wrapped, mode=mode)
    assert rule(argument)[0] is argument
    assert flush(10)
    assert "match" not in told.names


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", OTHER_SIDES)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_coroutines_are_contained_as_functions_are(name: str, mode: Mode) -> None:
    async def chosen(lines: list[int]) -> list[int]:
        await asyncio.sleep(0)
        return lines

    async def other(lines: list[int]) -> Any:
        await asyncio.sleep(0)
        return OTHER_SIDES[name](lines)

    async def play() -> None:
        rule = Experiment("rule", chosen, other, mode=mode, to=[])
        for _ in range(4):
            lines = [1, 2]
            assert await rule(lines) is lines
            assert (lines, WHERE.get(), decimal.getcontext().prec) == ([1, 2], "nowhere", 28)
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)

    asyncio.run(play())


@pytest.mark.parametrize("name", OTHER_SIDES)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_generators_are_contained_as_functions_are(name: str) -> None:
    def chosen(lines: list[int]) -> Iterator[list[int]]:
        yield lines
        yield lines

    def other(lines: list[int]) -> Iterator[Any]:
        yield [1, 2]
        yield OTHER_SIDES[name](lines)

    for _ in range(2):
        lines = [1, 2]
        assert [item is lines for item in Experiment("rule", chosen, other, to=[])(lines)] == [True, True]
        assert (lines, WHERE.get(), decimal.getcontext().prec) == ([1, 2], "nowhere", 28)


class _Placeless(type):
    @property
    def __module__(cls) -> str:  # type: ignore[override]
        raise OddError


class PlacelessError(Exception, metaclass=_Placeless):
    """Does not say where it stands, so that nothing can be told of it."""


def failing(_: object) -> Any:
    raise PlacelessError


async def failing_later(_: object) -> Any:
    raise PlacelessError


async def items_that_fail(_: object) -> AsyncIterator[int]:
    yield 1
    raise PlacelessError


def gone_through(source: Any) -> Any:
    async def items() -> list[Any]:
        return [item async for item in source]

    return items()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("raises", [(), (Exception,)], ids=["a failure", "an answer"])
@pytest.mark.parametrize("side", [failing, failing_later, items_that_fail])
def test_an_exception_of_which_nothing_can_be_told_reaches_the_caller_as_it_is(
    side: Any, raises: tuple[type[Exception], ...], mode: Mode
) -> None:
    async def play() -> None:
        for _ in range(4):
            given = Experiment[..., Any]("rule", side, side, mode=mode, raises=raises, to=[])(1)
            await (gone_through(given) if hasattr(given, "__anext__") else given)

    with pytest.raises(PlacelessError):
        asyncio.run(play())


async def first_of(items: Any) -> Any:
    return [item async for item in items].pop()


CALLED: Mapping[str, Callable[[Any], Any]] = {
    "function": lambda rule: rule(),
    "generator function": lambda rule: [*rule()].pop(),
    "coroutine function": lambda rule: rule(),
    "asynchronous generator function": lambda rule: first_of(rule()),
}


def side_of(kind: str, ran: list[str]) -> Any:
    """Return a function of a kind that notes when it gives its answer."""

    def function() -> str:
        ran.append("an answer")
        return "an answer"

    def items() -> Iterator[str]:
        yield function()

    async def coroutine() -> str:
        return function()

    async def awaited_items() -> AsyncIterator[str]:
        yield function()

    sides = (function, items, coroutine, awaited_items)
    return dict(zip(CALLED, sides, strict=True))[kind]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", CALLED)
def test_wherever_the_stack_ends_an_answer_that_was_given_reaches_the_caller(
    kind: str, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The loop finalises asynchronous generators where they are dropped: at the end of the stack, it cannot.
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    ran: list[str] = []
    is_awaited = kind in ("coroutine function", "asynchronous generator function")
    rule = Experiment[..., Any]("rule", side_of(kind, ran), side_of(kind, []), mode=mode, breaker=None, to=[])

    async def deep(more: int) -> Any:
        if more:
            return await deep(more - 1)
        given = CALLED[kind](rule)
        return await given if is_awaited else given

    async def play() -> None:
        room = sys.getrecursionlimit() - len(inspect.stack(0))
        for left in range(5, 90):
            ran.clear()
            try:
                assert await deep(room - left) == "an answer"
            except RecursionError:
                assert ran == []

    asyncio.run(play())


@pytest.mark.parametrize("mode", MODES)
def test_what_the_other_side_leaves_to_be_awaited_is_closed_however_the_chosen_one_ends(mode: Mode) -> None:
    def leave(_: object) -> None:
        raise SystemExit(3)

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(8):
            with pytest.raises(SystemExit):
                Experiment[..., Any]("rule", leave, lambda _: asyncio.sleep(0), mode=mode, to=[])(1)
        gc.collect()
    assert [str(each.message) for each in told] == []


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_kept_alive_once_a_call_was_told(mode: Mode, told: Kept) -> None:
    class Argument:
        """Is looked for later."""

    def fail(_: object) -> None:
        raise ValueError

    argument = Argument()
    rule = Experiment("rule", fail, fail, mode=mode, clone=lambda args, kwargs: (args, kwargs))
    with pytest.raises(ValueError, match=r"^$"):
        rule(argument)
    gone = weakref.ref(argument)
    del argument
    for _ in range(200):
        assert flush(10)
        if told.names:
            break
        STOP.wait(0.01)
    told.outcomes.clear()
    STOP.wait(0.05)
    gc.collect()
    assert gone() is None


def test_calls_for_which_the_stack_had_no_room_are_counted_as_lost(told: Kept) -> None:
    rule = Experiment[..., Any]("rule", wrapped, wrapped, breaker=None)

    def deep(more: int) -> Any:
        return deep(more - 1) if more else rule([1])

    answered = 0
    room = sys.getrecursionlimit() - len(inspect.stack(0))
    for left in range(5, 60):
        with suppress(RecursionError):
            assert deep(room - left) == ([1],)
            answered += 1
    assert flush(20)
    assert len(told.outcomes) + told.lost >= answered > 10
    assert told.lost > 0
