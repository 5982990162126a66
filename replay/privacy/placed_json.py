"""JSON as it is written, with the place of everything in it: what rules with locations are asked along the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from replay.locations import State
from replay.privacy.json_text import spelled
from replay.privacy.names import SECRET, names_secrets

_PART: Final = re.compile(
    r'"(?P<text>(?:[^"\\]++|\\.|\\\Z)*+)(?:"(?P<colon>\s*+:)?|\Z)'
    r"|(?P<plain>-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true\b|false\b)|(?P<opens>[\[{])|(?P<closes>[\]}])"
    r"|(?P<bare>[^\s\"\[\]{},:0-9][^\"\[\]{},]*+)",
    re.DOTALL,
)
_NAMING: Final = frozenset({"name", "key"})
_PAIRS: Final = "headers"
_PAIR: Final = ("name", "value")
_ATTRIBUTES: Final = frozenset({"name", "path", "domain", "expires", "sameSite", "comment"})
"""What is told of a cookie beside its value."""


def _nobody(_: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Decision:
    """What rules say of a node and of all below it."""

    becomes: str = ""
    """The kind whose tokens take the place of everything; empty where nothing is said."""
    keeps: frozenset[int] = frozenset()
    """The exceptions that hold here, by number."""

    def __bool__(self) -> bool:
        """Tell whether anything is said at all."""
        return bool(self.becomes or self.keeps)


UNSAID: Final = Decision()


class Says(Protocol):
    """What is asked along the way."""

    def decided(self, above: Decision, state: State) -> Decision:
        """Return what holds at a state below a node of which this was decided."""
        ...

    def below(self, state: State, name: str) -> State:
        """Return where a member of an object stands that stands at a state."""
        ...

    def text(self, decision: Decision, name: str, text: str, state: State | None = None) -> str:
        """Return what is kept of a text in a member of this name, at a state."""
        ...

    def plain(self, decision: Decision, name: str, spelled: str) -> str | None:
        """Return what is kept of a number, true or false, as JSON; None where it stays."""
        ...


@dataclass(slots=True)
class _Frame:
    """An object or an array that is open."""

    state: State
    decision: Decision
    name: str
    is_object: bool
    below: State | None = None
    """Where the member stands of which the name was read."""
    count: int = 0
    named: str = ""
    """What the member `name` said of the member `value` beside it, or the first of a pair of the second."""
    of_cookies: bool = False
    within: bool = False
    """Whether all below is secret."""


class PlacedJson:
    """One walk along a JSON text."""

    def __init__(self, says: Says, state: State, decision: Decision) -> None:
        """Take what decides, and where the whole document stands."""
        self._says = says
        self._stack = [_Frame(state, decision, "", is_object=False, below=state)]

    def masked(self, text: str, watch: Callable[[int], None] = _nobody) -> str:
        """Return the text with its leaves and names replaced; the same object where none is.

        `watch` is told where each of them stood.
        """
        pieces: list[str] = []
        last = 0
        for found in _PART.finditer(text):
            fresh = self._part(found)
            if fresh is not None:
                pieces += [text[last : found.start()], fresh]
                last = found.end()
                watch(found.start())
        return "".join([*pieces, text[last:]]) if pieces else text

    def _part(self, found: re.Match[str]) -> str | None:
        if found["opens"]:
            self._open(is_object=found["opens"] == "{")
        elif found["closes"]:
            self._close()
        elif found["bare"]:
            return self._bare(found["bare"])
        elif found["plain"]:
            state, name = self._here()
            return self._says.plain(self._decided(state), name, found["plain"])
        else:
            return self._text(found)
        return None

    def _bare(self, text: str) -> str | None:
        kept = self._says.text(UNSAID, "", text)
        return None if kept == text else kept

    def _text(self, found: re.Match[str]) -> str | None:
        raw, colon = found["text"], found["colon"]
        meant = _meant(raw) if "\\" in raw else raw
        if colon:
            kept = self._says.text(UNSAID, "", meant)
            frame = self._stack[-1]
            frame.name, frame.below = self._name_of(frame, meant), self._says.below(frame.state, meant)
        else:
            state, name = self._here()
            kept = self._says.text(self._decided(state), name, meant, state)
            if name in _NAMING or self._begins_pair(name):
                self._stack[-1].named = meant
        return None if kept == meant else spelled(kept, raw) + (colon or "")

    def _name_of(self, frame: _Frame, name: str) -> str:
        if frame.of_cookies and name in _ATTRIBUTES:
            return ""
        if frame.of_cookies or frame.within:
            return SECRET
        return frame.named if name == "value" and frame.named else name

    def _here(self) -> tuple[State, str]:
        """Return where a value stands that begins now, and the name that tells of it."""
        frame = self._stack[-1]
        state = frame.below
        if not frame.is_object and len(self._stack) > 1:
            state = frame.state.index(frame.count)
            frame.count += 1
        is_value = frame.name == _PAIRS and not frame.is_object and frame.count == len(_PAIR) and frame.named
        return state or frame.state, frame.named if is_value else frame.name

    def _begins_pair(self, name: str) -> bool:
        """Tell whether a text is the name in a list of pairs, as headers are written that come several times."""
        frame = self._stack[-1]
        return name == _PAIRS and not frame.is_object and frame.count == 1 and len(self._stack) > len(_PAIR)

    def _decided(self, state: State) -> Decision:
        return self._says.decided(self._stack[-1].decision, state)

    def _open(self, *, is_object: bool) -> None:
        state, name = self._here()
        above = self._stack[-1]
        fresh = _Frame(state, self._decided(state), "" if is_object else name, is_object)
        fresh.of_cookies = above.of_cookies or name.lower() == "cookies"
        fresh.within = above.within or names_secrets(name)
        if fresh.within and not is_object:
            fresh.name = SECRET
        self._stack.append(fresh)

    def _close(self) -> None:
        if len(self._stack) > 1:
            self._stack.pop()


def _meant(raw: str) -> str:
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw
