"""What the rules of a case leave to be seen: a case of which nothing is left to compare proves nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Protocol

from replay.compare.base import Rule
from replay.compare.reading import How, Pair
from replay.locations import Machine, State
from replay.models import SIDES

BODY_UNSEEN: Final = "body_unseen"
"""The flag of a case whose body the rules ignore whole."""
_UNNAMED: Final = "\0"
_FAR: Final = 2**62
"""A member and an item that no rule names."""


class Ruled(Protocol):
    """What is asked about the rules of a case."""

    machine: Machine

    def at(self, state: State) -> Rule | None:
        """Return the rule that compares the nodes in this state: the last that matches."""

    @property
    def comparing(self) -> Sequence[Rule]:
        """Return the rules that hold values against something, in order."""

    @property
    def how(self) -> How:
        """Return how bodies are to be read."""


def contents(start: State) -> tuple[State, State]:
    """Return the states at any member and at any item of a body."""
    body = start.key("body")
    return body.key(_UNNAMED), body.index(_FAR)


class Sight:
    """What the rules of a case leave to be seen of its answers."""

    def __init__(self, rules: Ruled) -> None:
        self._rules = rules
        start = rules.machine.start
        self._status = not self._ignored(start.key("status"), "status")
        self._body = not self._ignored(start.key("body"), "body")
        self._contents = not all(self._ignored(it, "body") for it in contents(start))
        self._headers = any(rules.machine.patterns[it.number].root == "headers" for it in rules.comparing)

    def _ignored(self, state: State, part: str) -> bool:
        """Tell whether a rule ignores what is here, and no later one compares anything in this part again."""
        rule = self._rules.at(state)
        if rule is None or not rule.spec.ignore:
            return False
        later = [it.number for it in self._rules.comparing if it.number > rule.number]
        checks = [it.number for it in self._rules.comparing if it.spec.schema_ is not None]
        return not any(self._rules.machine.patterns[number].root in (None, part) for number in (*later, *checks))

    def hides_body(self, pair: Pair) -> bool:
        """Tell whether there is a body, and rules ignore it whole: itself, or whatever is in it."""
        if self._body and self._contents:
            return False
        readings = [pair.reading(side, self._rules.how) for side in SIDES if pair.observation(side) is not None]
        found = [it for it in readings if it.kind != "none"]
        return bool(found) and (not self._body or all(isinstance(it.value, dict | list) for it in found))

    def anything(self, pair: Pair, stated: Collection[str]) -> bool:
        """Tell whether anything is compared at all; without an answer of old, only what the golden has `stated`."""
        alone = pair.old is None
        if self._headers or (alone and any(part.startswith("headers.") for part in stated)):
            return True
        answers = [it for it in (pair.old, pair.new) if it is not None]
        if self._status and (not alone or "status" in stated) and any(it.status is not None for it in answers):
            return True
        if alone and "body" not in stated:
            return False
        has_status = any(it.status is not None for it in answers)
        some_body = any(it.body for it in answers) or not has_status
        return some_body and not self.hides_body(pair)
