"""Nouns that are made quickly are what frozen dataclasses are."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest

from replay.models import Case, Observation, Request, Result, Timing
from replay.models.making import quickly_made


@dataclass(frozen=True, slots=True)
class Usual:
    """A noun as the standard library makes it."""

    name: str
    parts: tuple[int, ...] = ()
    self_: str | None = None


@quickly_made
@dataclass(frozen=True, slots=True)
class Quick:
    """The same noun."""

    name: str
    parts: tuple[int, ...] = ()
    self_: str | None = None


CASE = Case("id", "traffic", "d:1", Request("GET", "/"), place="f:1", tags=("a",))
MADE = [Quick("a"), Quick("a", parts=(1,)), Request(), Timing(1.5), Observation(200), CASE, Result(CASE, "match")]


@pytest.mark.parametrize("noun", MADE, ids=lambda it: type(it).__name__)
def test_what_is_made_quickly_cannot_be_changed(noun: Any) -> None:
    for it in fields(noun):
        with pytest.raises(FrozenInstanceError):
            setattr(noun, it.name, None)
        with pytest.raises(FrozenInstanceError):
            delattr(noun, it.name)
    with pytest.raises((FrozenInstanceError, TypeError)):
        noun.another = 1


@pytest.mark.parametrize("noun", MADE, ids=lambda it: type(it).__name__)
def test_what_is_made_quickly_is_its_class_and_equal_to_its_copies(noun: Any) -> None:
    first = fields(noun)[0].name
    for twin in (copy.copy(noun), copy.deepcopy(noun), pickle.loads(pickle.dumps(noun)), replace(noun)):  # noqa: S301
        assert (type(twin), twin, repr(twin)) == (type(noun), noun, repr(noun))
    assert hash(replace(noun)) == hash(noun)
    assert replace(noun, **{first: "x"}) != noun


@pytest.mark.parametrize(("given", "named"), [(("a",), {}), (("a", (1,)), {"self_": "s"}), ((), {"name": "b"})])
def test_a_noun_made_quickly_holds_what_the_usual_one_holds(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    assert repr(Quick(*given, **named)) == repr(Usual(*given, **named)).replace("Usual", "Quick")


@pytest.mark.parametrize(("given", "named"), [((), {}), (("a", (), None, 1), {}), (("a",), {"nme": "b"})])
def test_wrong_arguments_are_refused_in_the_usual_words(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    told = []
    for noun in (Usual, Quick):
        with pytest.raises(TypeError) as caught:
            noun(*given, **named)
        told.append(str(caught.value).replace("Usual", "Quick"))
    assert told[0] == told[1]


def test_what_is_set_by_more_than_a_constructor_is_not_made_quickly() -> None:
    @dataclass(frozen=True, slots=True)
    class Listed:
        names: list[str] = field(default_factory=list)

    @dataclass(frozen=True, slots=True)
    class Checked:
        name: str = ""

        def __post_init__(self) -> None:
            raise ValueError(self.name)

    for noun in (Listed, Checked):
        with pytest.raises(TypeError, match="more than a constructor sets"):
            quickly_made(noun)
