"""What a program sees of an experiment, and what is told of its calls."""

from __future__ import annotations

import copy
import math
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

import replay
from replay.errors import InputError
from replay.experiment import Breaker, Captured, DogStatsD, Experiment, Known, Log, flush
from replay.experiment.calls import Outcome
from replay.experiment.deciding import MOST_KEYS
from replay.sampling import unit
from tests.experiment.kept import Kept


def doubled(number: int) -> int:
    return number * 2


def added(number: int) -> int:
    return number + number


def squared(number: int) -> int:
    return number * number


def never(*_: object) -> bool:
    return False


async def waited_for(*_: object) -> bool:
    return False


def gone_through(*_: object) -> Iterator[bool]:
    yield False


class RefusedError(Exception):
    """An answer of a rule."""


def refuse(number: int) -> int:
    raise RefusedError(number)


@dataclass
class Order:
    """What a rule is asked about."""

    lines: list[int]


def first(lines: Iterator[int]) -> int:
    return next(lines)


def names(told: Kept) -> list[str]:
    assert flush(10)
    return told.names


def reasons(told: Kept) -> list[str | None]:
    assert flush(10)
    return [each.result.skipped for each in told.outcomes]


def test_it_can_be_had_from_the_package_itself() -> None:
    assert replay.Experiment is Experiment


def test_the_caller_gets_what_old_gives_until_the_flag_is_flipped(told: Kept) -> None:
    flag = [False]
    rule = Experiment("rule", doubled, squared, use_new=lambda: flag[0])
    before = rule(3)
    flag[0] = True
    assert (before, rule(3)) == (6, 9)
    assert names(told) == ["deviation", "deviation"]
    assert [each.chosen for each in told.outcomes] == ["old", "new"]


def test_what_both_give_alike_is_a_match(told: Kept) -> None:
    assert Experiment("rule", doubled, added)(4) == 8
    assert names(told) == ["match"]


def test_what_is_not_sampled_is_not_compared(told: Kept) -> None:
    asked: list[int] = []
    assert Experiment("rule", doubled, asked.append, sample=0.0)(4) == 8
    assert Experiment("rule", doubled, asked.append, enabled=False)(4) == 8
    assert Experiment("rule", doubled, asked.append, only_if=lambda number: number > 4)(4) == 8
    assert (asked, names(told)) == ([], [])


def test_a_sample_sticks_to_its_key() -> None:
    asked: list[int] = []

    def seen(number: int) -> int:
        asked.append(number)
        return number * 2

    rule = Experiment("rule", doubled, seen, sample=0.5, key=lambda number: number, to=[])
    for number in [*range(40), *range(40)]:
        rule(number)
    assert 5 < len(set(asked)) < 35
    assert len(asked) == 2 * len(set(asked))


@pytest.mark.parametrize("sample", [0.0, 0.05, 0.5, 1.0])
def test_the_sample_is_that_of_every_other_room_however_often_and_by_however_many_keys_it_is_asked(
    sample: float,
) -> None:
    asked: set[str] = set()

    def noted(key: str) -> int:
        asked.add(key)
        return len(key)

    rule = Experiment[..., int]("rule", len, noted, sample=sample, key=lambda key: key, to=[])
    keys = [f"user-{number}" for number in range(MOST_KEYS + 500)]
    for _ in range(2):
        asked.clear()
        for key in (*keys, "\ud800", "x" * 200):
            rule(key)
        assert asked == {key for key in (*keys, "\ud800", "x" * 200) if unit(key, "rule") < sample}


def test_the_very_object_comes_back() -> None:
    order = Order([1, 2])
    rule: Experiment[[Order], Order] = Experiment("rule", lambda given: given, lambda given: given, to=[])
    assert rule(order) is order


def test_the_other_side_may_change_its_arguments(told: Kept) -> None:
    def emptied(given: Order) -> int:
        given.lines.clear()
        return 2

    order = Order([1, 2])
    rule = Experiment("rule", lambda given: len(given.lines), emptied)
    assert [rule(order) for _ in range(8)] == [2] * 8
    assert order == Order([1, 2])
    assert names(told) == ["deviation"] * 8


def test_what_the_chosen_side_changes_stays_changed_and_the_other_side_never_sees_it(told: Kept) -> None:
    def extended(given: Order) -> list[int]:
        given.lines.append(3)
        return list(given.lines)

    orders = [Order([1, 2]) for _ in range(8)]
    rule = Experiment("rule", extended, extended)
    assert [rule(order) for order in orders] == [[1, 2, 3]] * 8
    assert orders == [Order([1, 2, 3])] * 8
    assert names(told) == ["match"] * 8


def test_arguments_that_cannot_be_copied_are_told_and_new_is_not_run(told: Kept) -> None:
    asked: list[Any] = []
    rule = Experiment("rule", first, asked.append)
    assert rule(number for number in (5, 6)) == 5
    assert asked == []
    assert names(told) == ["skipped"]
    assert "cannot be copied" in str(reasons(told)[0])


def test_a_declared_clone_is_what_the_other_side_is_given(told: Kept) -> None:
    def clone(_args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (iter([5, 6]),), kwargs

    assert Experiment("rule", first, first, clone=clone)(iter([5, 6])) == 5
    assert names(told) == ["match"]


def test_methods_get_their_self_as_it_is(told: Kept) -> None:
    class Cart:
        total = Experiment[..., int]("total")

        def __init__(self, lines: list[int]) -> None:
            self.lines = iter(lines)  # no copy of a cart can be had
            self.amount = sum(lines)

        @total.old
        def total_before(self, extra: list[int]) -> int:
            return self.amount + sum(extra)

        @total.new
        def total_after(self, extra: list[int]) -> int:
            return sum(extra, self.amount)

    assert Cart([1, 2]).total([3]) == 6
    assert names(told) == ["match"]


def test_the_decorators_leave_both_functions_as_they_are(told: Kept) -> None:
    rule = Experiment[..., Any]("rule")

    @rule.old
    def before(number: int) -> int:
        return number

    @rule.new
    def after(number: int) -> int:
        return -number

    assert (before(1), after(1), rule(1)) == (1, -1, 1)
    assert names(told) == ["deviation"]
    assert rule.__name__ == "before"


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        (refuse, refuse, "match"),
        (refuse, doubled, "deviation"),
        (doubled, refuse, "deviation"),
    ],
)
def test_exceptions_that_are_named_are_answers(
    told: Kept, old: Callable[[int], int], new: Callable[[int], int], outcome: str
) -> None:
    rule = Experiment("rule", old, new, raises=(RefusedError,))
    if old is refuse:
        with pytest.raises(RefusedError):
            rule(1)
    else:
        assert rule(1) == 2
    assert names(told) == [outcome]


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [(refuse, refuse, "both_error"), (refuse, doubled, "old_error"), (doubled, refuse, "new_error")],
)
def test_exceptions_that_are_not_named_are_errors(
    told: Kept, old: Callable[[int], int], new: Callable[[int], int], outcome: str
) -> None:
    rule = Experiment("rule", old, new, equal=lambda *_: True, known=[Known(lambda *_: True, why="BUG-1")])
    if old is refuse:
        with pytest.raises(RefusedError):
            rule(1)
    else:
        assert rule(1) == 2
    assert names(told) == [outcome]


def test_rules_and_cleaning_decide_what_is_equal(told: Kept) -> None:
    for terms in (
        {"compare": [{"at": "body", "within": 1, "why": "rounding"}]},
        {"clean": lambda number: number // 4},
        {"equal": lambda old, new: new - old == 1},
    ):
        Experiment("rule", lambda number: number, lambda number: number + 1, **terms)(1)
    assert names(told) == ["match", "match", "match"]


def test_what_equal_refuses_no_document_makes_a_match(told: Kept) -> None:
    Experiment("rule", lambda: (1, 2), lambda: [1, 2], equal=lambda old, new: old == new)()
    assert names(told) == ["deviation"]


def test_a_known_difference_is_told_with_its_reason(told: Kept) -> None:
    known = Known(lambda _old, _new, number: number == 1, why="BUG-7")
    rule = Experiment("rule", lambda number: number, lambda number: -number, known=[known])
    rule(1)
    rule(2)
    assert names(told) == ["waived", "deviation"]
    assert [each.waived for each in told.outcomes[0].result.differences] == ["BUG-7"]


def test_the_context_is_told_of_the_arguments_as_they_were(told: Kept) -> None:
    def emptied(order: Order) -> int:
        order.lines.clear()
        return 0

    rule = Experiment("rule", emptied, lambda _order: 1, context=lambda order: {"lines": len(order.lines)})
    rule(Order([1, 2, 3]))
    assert names(told) == ["deviation"]
    assert told.outcomes[0].context == {"lines": 3}


def test_an_experiment_within_itself_stays_on_the_side_that_runs(told: Kept) -> None:
    rule = Experiment[..., Any]("faculty")

    @rule.old
    def before(number: int) -> str:
        return "o" + (rule(number - 1) if number else "")

    @rule.new
    def after(number: int) -> str:
        return "n" + (rule(number - 1) if number else "")

    assert rule(3) == "oooo"
    assert names(told) == ["deviation"]
    (difference,) = told.outcomes[0].result.differences
    assert (difference.old, difference.new) == ("oooo", "nnnn")


def test_what_the_other_side_calls_is_not_compared(told: Kept) -> None:
    inner = Experiment("inner", doubled, squared)
    outer = Experiment("outer", lambda number: inner(number) + 0, lambda number: 0 + inner(number))
    assert [outer(3) for _ in range(4)] == [6] * 4
    assert sorted(names(told)) == ["deviation"] * 4 + ["match"] * 4


@pytest.mark.parametrize(
    ("make", "fact"),
    [
        (lambda: Experiment("no name", doubled, added), "is no name for an experiment"),
        (lambda: Experiment("rule", doubled, added, sample=5), "sample is 5, and no share"),
        (lambda: Experiment("rule", doubled, added, compare=[{"at": "body", "withn": 1}]), "experiment rule: compare"),
        (lambda: Experiment[..., Any]("rule", doubled)(1), "it lacks a side"),
        (lambda: Experiment(5, doubled, added), "5 is no name for an experiment"),  # type: ignore[arg-type]
        (lambda: Experiment("rule", doubled, added, sample="5%"), "sample is '5%', and no share"),  # type: ignore[arg-type]
        (lambda: Experiment("rule", doubled, added, sample=True), "sample is True, and no share"),
        (lambda: Experiment("rule", doubled, added, watch="no"), "watch is of type str"),  # type: ignore[arg-type]
        (lambda: Experiment("rule", doubled, added, version=5), "version is of type int"),  # type: ignore[arg-type]
        (lambda: Experiment("rule", doubled, added, compare="body"), "compare is of type str, and no list"),  # type: ignore[arg-type]
        (lambda: Experiment("rule", doubled, added, mask={"at": "body"}), "mask is of type dict, and no list"),  # type: ignore[arg-type]
        (lambda: Experiment("rule", doubled, added, breaker=5), "breaker is of type int"),  # type: ignore[arg-type]
        (lambda: Experiment("rule", doubled, added, breaker=Breaker(calls=0)), "breaker: calls is 0"),
        (lambda: Experiment("rule", doubled, added, breaker=Breaker(slow=float("nan"))), "breaker: slow is nan"),
        (lambda: Experiment("rule", doubled, added, breaker=Breaker(failing=2)), "breaker: failing is 2"),
        (lambda: Experiment("rule", doubled, added, known=[Known(never, why=" ")]), "a known difference has no reason"),
        (
            lambda: Experiment("rule", doubled, added, known=[Known(waited_for, why="x")]),
            "when of Known is a coroutine",
        ),
        (lambda: Experiment("rule", 5, added), "old is of type int, and cannot be called"),  # type: ignore[arg-type]
        (lambda: Experiment("rule", doubled, classmethod(added)), "new is of type classmethod"),  # type: ignore[arg-type]
        (lambda: Log(5), "the logger is of type int"),  # type: ignore[arg-type]
        (lambda: Log(level="LOUD"), "level and longest are numbers"),  # type: ignore[arg-type]
        (lambda: DogStatsD(5), "5 is no address"),  # type: ignore[arg-type]
        (lambda: DogStatsD("unix://"), "'unix://' is no address"),
        (lambda: DogStatsD(tags="env:live"), "tags is no list of texts"),
        (lambda: Captured("drafts.jsonl", file_size="64 parsecs"), "Captured: file_size: '64 parsecs' is no size"),
        (lambda: Experiment("rule", doubled, added, use_new=1), "use_new is of type int"),  # type: ignore[arg-type]
        (lambda: Experiment("rule", doubled, added, key="user"), "key is of type str"),  # type: ignore[arg-type]
        (lambda: Experiment("rule", doubled, added, mode="later"), "mode is 'later'"),  # type: ignore[arg-type]
        (lambda: Experiment("rule", doubled, added, raises=("x",)), "raises holds what is no exception"),  # type: ignore[arg-type]
        (lambda: Experiment("rule", doubled, added, known=[1]), "known holds what is no known"),  # type: ignore[list-item]
        (lambda: Experiment("rule", doubled, added, to=Kept()), "is no list of sinks"),  # type: ignore[arg-type]
        (lambda: Experiment("rule", doubled, added, to=["log"]), "'log' is no sink"),  # type: ignore[list-item]
    ],
)
def test_nonsense_is_refused_with_place_and_remedy(make: Callable[[], object], fact: str) -> None:
    with pytest.raises(InputError, match=fact):
        make()


class Odd:
    """An object of which nothing is known."""

    seen = 0


def seen_once(odd: Odd) -> None:
    odd.seen += 1


SORTED: list[tuple[Callable[..., object], Callable[..., object], object, str]] = [
    (list.sort, list.sort, [3, 1, 2], "match"),
    (list.sort, len, [1, 2], "deviation"),
    (lambda them: them.sort(), lambda _: None, [3, 1, 2], "deviation"),
    (lambda them: them.sort(), lambda _: None, [1, 2, 3], "match"),
    (lambda them: them.update(fee=1), lambda them: them.update(fee=2), {}, "deviation"),
    (lambda them: them.append(1), lambda _: None, [], "deviation"),
    (lambda them: them.append(1), lambda _: 1 // 0, [], "new_error"),
    (lambda them: them.add(math.nan), lambda them: them.add(math.nan), set(), "match"),
    (seen_once, lambda _: None, Odd(), "match"),
]


@pytest.mark.parametrize(("old", "new", "given", "outcome"), SORTED)
def test_what_a_function_does_to_its_arguments_is_part_of_its_answer(
    told: Kept, old: Callable[..., object], new: Callable[..., object], given: object, outcome: str
) -> None:
    given = copy.deepcopy(given)  # the table is of all tests
    Experiment("rule", old, new)(given)
    assert names(told) == [outcome]


def test_arguments_that_were_left_apart_are_told_so(told: Kept) -> None:
    Experiment("rule", lambda them: them.sort(), lambda _: None)([2, 1])
    assert names(told) == ["deviation"]
    (difference,) = told.outcomes[0].result.differences
    assert difference.note == "old and new changed the arguments in different ways"


KEPT_HERE = Experiment("kept-here", doubled, added)


class Cashier:
    """Keeps an experiment as a method."""

    total = Experiment("total", doubled, added)


@pytest.mark.parametrize("rule", [KEPT_HERE, vars(Cashier)["total"]])
def test_an_experiment_is_pickled_by_where_it_stands_as_a_function_is(rule: Experiment[..., Any]) -> None:
    assert pickle.loads(pickle.dumps(rule)) is rule  # noqa: S301 - its own


def test_an_experiment_that_stands_nowhere_is_not_pickled_and_says_why() -> None:
    with pytest.raises(pickle.PicklingError, match="stands in no module"):
        pickle.dumps(Experiment("rule", doubled, added))


CALLBACKS = ("use_new", "enabled", "only_if", "key", "context", "clean", "equal", "clone")


@pytest.mark.parametrize("name", CALLBACKS)
@pytest.mark.parametrize("callback", [waited_for, gone_through])
def test_no_callback_is_one_whose_answer_nobody_waits_for(name: str, callback: Callable[..., object]) -> None:
    with pytest.raises(InputError, match=f"{name} is a (coroutine|generator) function"):
        Experiment("rule", doubled, squared, **{name: callback})  # type: ignore[arg-type]


def kind_name(value: object) -> str:
    return type(value).__name__


UNTRUE = ["no", [], ["differs"], (one for one in "no"), NotImplemented, object()]


@pytest.mark.parametrize("said", UNTRUE, ids=kind_name)
def test_a_flag_that_says_neither_yes_nor_no_uses_old_and_is_told(told: Kept, said: object) -> None:
    rule = Experiment("rule", doubled, squared, use_new=lambda: said)
    assert rule(3) == 6
    assert names(told) == ["skipped", "deviation"]
    assert "`use_new` gave a" in (told.outcomes[0].result.skipped or "")


@pytest.mark.parametrize("said", UNTRUE, ids=kind_name)
@pytest.mark.parametrize("name", ["equal", "known"])
def test_what_says_neither_yes_nor_no_of_two_answers_makes_no_match_of_them(
    told: Kept, name: str, said: object
) -> None:
    settings: dict[str, Any] = (
        {"equal": lambda *_: said} if name == "equal" else {"known": [Known(lambda *_: said, "x")]}
    )
    rule = Experiment("rule", doubled, squared, **settings)
    assert rule(3) == 6
    assert names(told) == ["skipped"]
    assert told.outcomes[0].result.skipped is not None
    assert "which is neither True nor False" in told.outcomes[0].result.skipped


@pytest.mark.parametrize(("said", "outcome"), [(1, "match"), (0, "deviation"), (None, "deviation")])
def test_a_number_says_yes_or_no(told: Kept, said: object, outcome: str) -> None:
    Experiment("rule", doubled, squared, equal=lambda *_: said)(3)
    assert names(told) == [outcome]


def test_neither_the_import_nor_a_call_that_agrees_loads_what_examines() -> None:
    program = (
        "import sys; from replay import Experiment; from replay.experiment import report_to; report_to();"
        "assert Experiment('rule', abs, abs)(-1) == 1;"
        "heavy = ('pydantic', 'replay.compare', 'sqlite3', 'typer', 'asyncio');"
        "print(*[name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [], "")


def test_many_threads_share_an_experiment(told: Kept) -> None:
    rule = Experiment("rule", doubled, added)
    wrong: list[int] = []

    def call() -> None:
        wrong.extend(number for number in range(200) if rule(number) != 2 * number)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert names(told).count("match") + told.lost == 1600


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are forks on POSIX only")
@pytest.mark.parametrize("mode", ["inline", "after"])
def test_a_fork_compares_by_itself(tmp_path: Path, mode: Literal["inline", "after"]) -> None:
    rule = Experiment("rule", doubled, squared, mode=mode, to=[Lines(tmp_path / "told")])
    rule(3)
    assert flush(10)
    child = os.fork()
    if not child:
        rule(4)
        ended = wait_for(tmp_path / "told", f"{os.getpid()} deviation")
        os._exit(0 if ended else 1)
    assert os.waitpid(child, 0)[1] == 0


class Lines(Kept):
    """A sink that writes what it is told to a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def take(self, outcome: Outcome) -> None:
        """Write its name."""
        with self._path.open("a", encoding="utf-8") as out:
            out.write(f"{os.getpid()} {outcome.result.outcome}\n")


def wait_for(path: Path, text: str) -> bool:
    for _ in range(1000):
        flush(1)
        if path.exists() and text in path.read_text(encoding="utf-8"):
            return True
        threading.Event().wait(0.01)
    return False


def test_sinks_that_come_into_the_list_later_are_none_of_the_experiments() -> None:
    """Such a one would hear of what disagrees, and of no call that agrees."""
    first, later = Kept(), Kept()
    sinks = [first]
    rule = Experiment("rule", lambda: 1, lambda: 1, to=sinks)
    rule()
    sinks.append(later)
    rule()
    assert flush(10)
    assert (first.names, later.names) == (["match", "match"], [])
