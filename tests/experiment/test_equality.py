"""What counts as equal beside the rules: told apart by what it does, so that no evidence is taken for another's."""

from __future__ import annotations

import functools
import operator
import os
import subprocess
import sys

from replay import Experiment
from replay.experiment import Known
from replay.experiment.equality import equality_of


def close(old: float, new: float) -> bool:
    return abs(old - new) < 0.01


def test_without_anything_there_is_nothing_to_tell_apart() -> None:
    assert equality_of(None, None, (), ()) == ""


def test_functions_without_names_are_told_apart_by_what_they_do() -> None:
    found = [
        equality_of(None, lambda _old, _new: True, (), ()),
        equality_of(None, lambda _old, _new: False, (), ()),
        equality_of(None, lambda old, new: old == new, (), ()),
        equality_of(None, lambda old, new: old in {1, 2} and new in {1, 2}, (), ()),
        equality_of(lambda _old, _new: True, None, (), ()),
        equality_of(None, operator.eq, (), ()),
        equality_of(None, operator.le, (), ()),
        equality_of(None, close, (), ()),
        equality_of(None, None, (Known(close, why="a"),), ()),
        equality_of(None, None, (Known(close, why="b"),), ()),
        equality_of(None, None, (), (KeyError,)),
        equality_of(None, None, (), (ValueError,)),
    ]
    assert len(set(found)) == len(found)


def test_where_a_function_stands_in_its_file_makes_no_difference() -> None:
    one, other = (
        [lambda old, new: sorted(it + 1 for it in old) == new],
        [lambda old, new: sorted(it + 1 for it in old) == new],
    )
    assert equality_of(None, one[0], (), ()) == equality_of(None, other[0], (), ())


def test_what_has_no_code_of_its_own_is_no_mistake() -> None:
    one, other = (equality_of(None, functools.partial(close, new=number), (), ()) for number in (1.0, 2.0))
    assert one != other
    assert equality_of(str, None, (), ())


def test_an_experiment_tells_it_with_every_call() -> None:
    assert Experiment("draft", len, len)._terms.setup.equality == ""
    assert Experiment("draft", len, len, equal=close)._terms.setup.equality == equality_of(None, close, (), ())


class Near:
    """A tolerance of a class of the program's own."""


def test_what_a_partial_holds_is_told_without_where_it_lies_in_memory() -> None:
    """Each process would have a run of its own, and only the newest of these would be judged."""

    def within(near: object, by: object, old: float, new: float) -> bool:
        return near is by and old == new

    alike = [functools.partial(within, Near(), [close, {"a": Near()}]) for _ in range(2)]
    first, second = (equality_of(None, each, (), ()) for each in alike)
    assert first == second
    assert first != equality_of(None, functools.partial(within, Near(), [close, {"b": Near()}]), (), ())
    assert first != equality_of(None, functools.partial(within, Near(), [operator.eq, {"a": Near()}]), (), ())


def test_what_a_partial_holds_is_told_alike_in_every_process() -> None:
    program = (
        "import functools, operator\n"
        "from replay.experiment.equality import equality_of\n"
        "def near(words, how, old, new): return old in words\n"
        "print(equality_of(None, functools.partial(near, {'a', 'b', 'c'}, near), (), ()))\n"
    )
    command = [sys.executable, "-c", program]
    found = {
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
