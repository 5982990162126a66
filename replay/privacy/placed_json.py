"""JSON as it is written, with the place of everything in it: what rules with locations are asked along the way."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final, Protocol

from replay.locations import State
from replay.privacy.names import SECRET, names_secrets

_PART: Final = re.compile(
    r'"(?P<text>(?:[^"\\]++|\\.|\\\Z)*+)(?:"(?P<colon>\s*+:)?|\Z)'
    r"|(?P<plain>-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false)|(?P<opens>[\[{])|(?P<closes>[\]}])",
    re.DOTALL,
)


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

    def text(self, decision: Decision, name: str, text: str) -> str:
        """Return what is kept of a text in a member of this name."""
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
    """What the member `name` said of the member `value` beside it."""


class PlacedJson:
    """One walk along a JSON text."""

    def __init__(self, says: Says, state: State, decision: Decision) -> None:
        """Take what decides, and where the whole document stands."""
        self._says = says
        self._stack = [_Frame(state, decision, "", is_object=False, below=state)]

    def masked(self, text: str) -> str:
        """Return the text with its leaves and names replaced; the same object where none is."""
        pieces: list[str] = []
        last = 0
        for found in _PART.finditer(text):
            fresh = self._part(found)
            if fresh is not None:
                pieces += [text[last : found.start()], fresh]
                last = found.end()
        return "".join([*pieces, text[last:]]) if pieces else text

    def _part(self, found: re.Match[str]) -> str | None:
        if found["opens"]:
            self._open(is_object=found["opens"] == "{")
        elif found["closes"]:
            self._close()
        elif found["plain"]:
            state, name = self._here()
            return self._says.plain(self._decided(state), name, found["plain"])
        else:
            return self._text(found)
        return None

    def _text(self, found: re.Match[str]) -> str | None:
        raw, colon = found["text"], found["colon"]
        meant = _meant(raw) if "\\" in raw else raw
        if colon:
            kept = self._says.text(UNSAID, "", meant)
            frame = self._stack[-1]
            frame.name, frame.below = self._name_of(frame, meant), frame.state.key(meant)
        else:
            state, name = self._here()
            kept = self._says.text(self._decided(state), name, meant)
            if name in {"name", "key"}:
                self._stack[-1].named = meant
        return None if kept == meant else json.dumps(kept, ensure_ascii=raw.isascii()) + (colon or "")

    def _name_of(self, frame: _Frame, name: str) -> str:
        if frame.name is SECRET:
            return SECRET
        return frame.named if name == "value" and frame.named else name

    def _here(self) -> tuple[State, str]:
        """Return where a value stands that begins now, and the name that tells of it."""
        frame = self._stack[-1]
        state = frame.below
        if not frame.is_object and len(self._stack) > 1:
            state = frame.state.index(frame.count)
            frame.count += 1
        return state or frame.state, frame.name

    def _decided(self, state: State) -> Decision:
        return self._says.decided(self._stack[-1].decision, state)

    def _open(self, *, is_object: bool) -> None:
        state, name = self._here()
        within = SECRET if name is SECRET or names_secrets(name) else "" if is_object else name
        self._stack.append(_Frame(state, self._decided(state), within, is_object))

    def _close(self) -> None:
        if len(self._stack) > 1:
            self._stack.pop()


def _meant(raw: str) -> str:
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw
