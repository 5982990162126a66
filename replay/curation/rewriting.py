"""One value in a YAML file that somebody wrote by hand is changed; what stays the same stays as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

import yaml

from replay.curation.blocks import WIDE, block_lines, is_block, item_lines
from replay.curation.remarks import kept_remarks
from replay.curation.spelling import text_of, value_text
from replay.documents import canonical_json
from replay.documents.scalars import plain_value

_MOST_PAIRS: Final = 1_000_000
"""Pairs of items up to which it is worth looking which of a list stay."""
_FLOW_GOES_ON: Final = re.compile(r"(?:\s|#[^\n]*\n)*[,}\]]")

Path = Sequence[str | int]
_Edit = tuple[int, int, str]
"""From where to where a text is replaced, and by what."""


class _Alias(yaml.ScalarNode):
    """`*name`, which says what another node says, and is written where it stands."""

    def __init__(self, target: yaml.Node, event: Any) -> None:
        value = target.value if isinstance(target, yaml.ScalarNode) else ""
        super().__init__(target.tag, value, event.start_mark, event.end_mark)
        self.target = target


class _Loader(yaml.SafeLoader):
    """Tells an alias from what it stands for, which stands in another place."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the next node."""
        alias = self.current_event if self.check_event(yaml.AliasEvent) else None
        node = super().compose_node(parent, index)
        return node if alias is None or node is None else _Alias(node, alias)


def with_values(text: str, values: Iterable[tuple[Path, Mapping[str, Any]]]) -> str:
    """Return a YAML text with other mappings at paths, of which each ends in a key that may not be there yet.

    Scalars that changed are replaced where they stand, members and items that come or go are put in or taken out, and
    comments stay: those of what goes stand where it stood. The text is known to be good. The result may not be, where
    it is written in a way that this knows nothing of: read it again. Raise LookupError where the way there ends.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError):
        raise LookupError("document") from None
    edits = [edit for path, value in values for edit in _edits(text, root, path, value)]
    newline = "\r\n" if "\r\n" in text else "\n"
    for start, end, new in sorted(edits, key=lambda edit: edit[0], reverse=True):
        text = text[:start] + new.replace("\n", newline) + text[end:]
    return text


def _edits(text: str, root: yaml.Node | None, path: Path, value: Mapping[str, Any]) -> list[_Edit]:
    """Return what has to be replaced so that this stands at a path."""
    parent, key = None if root is None else _node(root, path[:-1]), str(path[-1])
    if not isinstance(parent, yaml.MappingNode):
        raise LookupError(key)  # noqa: TRY004 - the way ends here, whatever it is
    found = next((node for name, node in parent.value if name.value == key), None)
    return list(_changed(text, found, value)) if found is not None else [_added(text, parent, key, value)]


def _node(node: yaml.Node, path: Path) -> yaml.Node:
    for step in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            node = next(value for key, value in node.value if key.value == step)
        else:
            raise LookupError(step)  # noqa: TRY004 - likewise
    return node


def _changed(text: str, node: yaml.Node, value: Any) -> Iterator[_Edit]:
    """Yield what has to be replaced so that a node says something else."""
    if isinstance(node, yaml.MappingNode) and isinstance(value, Mapping):
        if (edits := _members(text, node, value)) is not None:
            yield from edits
            return
    elif isinstance(node, yaml.SequenceNode) and isinstance(value, list | tuple):
        if (edits := _items(text, node, value)) is not None:
            yield from edits
            return
    elif isinstance(node, yaml.ScalarNode) and _says(node, value):
        return
    yield from _replaced(text, node, value)


def _members(text: str, node: yaml.MappingNode, value: Mapping[str, Any]) -> list[_Edit] | None:
    """Return what has to be replaced so that a mapping has these members; None where it is better written anew."""
    kept = [(key, item) for key, item in node.value if key.value in value]
    gone = [(key, item) for key, item in node.value if key.value not in value]
    more = {key: item for key, item in value.items() if key not in {key.value for key, _ in kept}}
    if not kept or (gone and (node.flow_style or not all(_begins_line(text, key) for key, _ in gone))):
        return None
    # What comes behind a mapping comes behind what its last member gets, too: of two edits at one place, the later one
    # ends up in front.
    edits = [_more(text, node, kept[-1][1], more)] if more else []
    edits += [_gone(text, key, item) for key, item in gone]
    return edits + [edit for key, item in kept for edit in _changed(text, item, value[key.value])]


def _items(text: str, node: yaml.SequenceNode, value: Sequence[Any]) -> list[_Edit] | None:
    """Return what has to be replaced so that a list has these items; None where it is better written anew."""
    if not value or not node.value:
        return None
    steps = _steps(text, node, value)
    if steps is None:
        pairs = list(zip(node.value, value, strict=False))
        alike = len(node.value) == len(value)
        return [edit for item, wanted in pairs for edit in _changed(text, item, wanted)] if alike else None
    gone, more = list[_Edit](), list[_Edit]()
    for first, behind, begin, end in steps:
        several = min(behind - first, end - begin)
        for item, wanted in zip(node.value[first : first + several], value[begin:], strict=False):
            more += _changed(text, item, wanted)
        gone += [_gone(text, item, item) for item in node.value[first + several : behind]]
        more += [_put(text, node, first + several, value[begin + several : end])] if begin + several < end else []
    # Of two edits at one place, what goes is taken out first.
    return None if len(gone) == len(node.value) else gone + more


def _steps(text: str, node: yaml.SequenceNode, value: Sequence[Any]) -> list[tuple[int, int, int, int]] | None:
    """Return which items have others in their place, from where to where; None where items stand in no own lines."""
    if node.flow_style or len(node.value) * len(value) > _MOST_PAIRS:
        return None
    if not all(_stands_alone(text, item) for item in node.value):
        return None
    try:
        keys = [canonical_json(_said(item)) for item in node.value], [canonical_json(wanted) for wanted in value]
    except ValueError:
        return None
    found = SequenceMatcher(None, *keys, autojunk=False).get_opcodes()
    return [(first, behind, begin, end) for verb, first, behind, begin, end in found if verb != "equal"]


def _put(text: str, node: yaml.SequenceNode, place: int, items: Sequence[Any]) -> _Edit:
    """Put items in front of the one at a place."""
    lines = [line for item in items for line in item_lines(item)]
    if place:
        return _lines_behind(text, _end(text, node.value[place - 1]), _column(text, node), lines)
    at, margin = _line(text, node.value[0]), " " * _column(text, node)
    return at, at, "".join(f"{margin}{line}\n" for line in lines)


def _stands_alone(text: str, item: yaml.Node) -> bool:
    """Tell whether an item begins in a line in which nothing but its dash comes before it."""
    return text[_line(text, item) : item.start_mark.index].strip() == "-"


def _said(node: yaml.Node) -> Any:
    """Return what a node says. Raise ValueError where our own reader would not take it."""
    if isinstance(node, _Alias):
        return _said(node.target)
    if isinstance(node, yaml.MappingNode):
        return {key.value: _said(item) for key, item in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_said(item) for item in node.value]
    if isinstance(node, yaml.ScalarNode):
        return node.value if node.style else plain_value(node.value)
    raise ValueError(node.tag)


def _more(text: str, node: yaml.MappingNode, last: yaml.Node, members: Mapping[str, Any]) -> _Edit:
    """Put members behind the last one that stays."""
    if node.flow_style:
        end = last.end_mark.index
        return end, end, "".join(f", {text_of(key)}: {value_text(item)}" for key, item in members.items())
    return _lines_behind(text, _end(text, last), _column(text, node), block_lines(members))


def _begins_line(text: str, key: yaml.Node) -> bool:
    return not text[_line(text, key) : key.start_mark.index].strip()


def _line(text: str, node: yaml.Node) -> int:
    return text.rfind("\n", 0, node.start_mark.index) + 1


def _column(text: str, node: yaml.Node) -> int:
    """Return where the keys or dashes of a node begin. Raise LookupError where it has a mark that stands elsewhere."""
    if text[node.start_mark.index : node.start_mark.index + 1] in ("&", "!"):
        raise LookupError("anchor")
    return int(node.start_mark.column)


def _margin(text: str, line: int) -> str:
    """Return the blanks that a line begins with."""
    end = line
    while text[end : end + 1] == " ":
        end += 1
    return text[line:end]


def _gone(text: str, first: yaml.Node, last: yaml.Node) -> _Edit:
    """Take out the lines from one node to another; their comments stay."""
    start, end = _line(text, first), text.find("\n", _end(text, last)) + 1 or len(text)
    return start, end, kept_remarks(text, start, end, _margin(text, start))


def _says(node: yaml.ScalarNode, value: Any) -> bool:
    try:
        said = _said(node)
        if isinstance(node, _Alias):
            return canonical_json(said) == canonical_json(value)
    except ValueError:
        return False
    alike = type(said) is type(value) or (_number(said) and _number(value))
    return bool(alike and said == value)


def _number(value: Any) -> bool:
    return not isinstance(value, bool | str | list | Mapping) and value is not None


def _replaced(text: str, node: yaml.Node, value: Any) -> Iterator[_Edit]:
    """Write a node anew; the comments within stand above the line in which it begins."""
    start, end, line = node.start_mark.index, _end(text, node), _line(text, node)
    lines = _anew(text, node, value)
    if len(lines) > 1:
        # Behind the last line of a block, a comment could become part of a text.
        end = _end_of_line(text, end)
    if remarks := kept_remarks(text, start, end, _margin(text, line)):
        yield line, line, remarks
    if not lines[0]:
        start -= text[start - 1] == " "
    yield start, end, "\n".join(lines)


def _anew(text: str, node: yaml.Node, value: Any) -> list[str]:
    """Return the lines of a node that is written anew, the first without its margin, or empty for a block below."""
    start, line = node.start_mark.index, _line(text, node)
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        # It begins where its first key or dash stands.
        return _indented(block_lines(value) if is_block(value) else [value_text(value)], _column(text, node))
    # A value that is not there begins right behind its colon.
    short = f"{'' if start < node.end_mark.index else ' '}{value_text(value)}"
    if len(short) + start - line <= WIDE or _in_flow(text, node) or not is_block(value):
        return [short]
    return _indented(["", *block_lines(value)], len(_margin(text, line)) + 2)


def _indented(lines: Sequence[str], column: int) -> list[str]:
    return [lines[0], *(f"{' ' * column}{each}" if each else "" for each in lines[1:])]


def _in_flow(text: str, node: yaml.Node) -> bool:
    """Tell whether something in braces or brackets goes on behind a node, where no block may begin."""
    return _FLOW_GOES_ON.match(text, node.end_mark.index) is not None


def _end(text: str, node: yaml.Node) -> int:
    """Return where a node ends: one in block style is told to end where the next token begins, after any comments."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    end = node.end_mark.index
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        # It is told to end where the next line with anything on it begins.
        return len(text[:end].rstrip("\r\n"))
    return end


def _added(text: str, parent: yaml.MappingNode, key: str, value: Any) -> _Edit:
    if parent.flow_style:
        # Behind the last member: a comma and a comment may follow it.
        last = parent.value[-1][1].end_mark.index if parent.value else parent.start_mark.index + 1
        return last, last, f"{', ' if parent.value else ''}{key}: {value_text(value)}"
    lines = [f"{key}:", *(f"  {line}" for line in block_lines(value))] if value else [f"{key}: {{}}"]
    later = next((name for name, _ in parent.value if name.value == "compare"), None)
    if later is not None:
        at, margin = later.start_mark.index, " " * _column(text, parent)
        return at, at, "".join(f"{each}\n{margin}" for each in lines)
    return _lines_behind(text, _end(text, parent), _column(text, parent), lines)


def _lines_behind(text: str, end: int, column: int, lines: Sequence[str]) -> _Edit:
    """Put lines behind what ends there, and behind the rest of that line, which may hold a comment."""
    at = _end_of_line(text, end)
    return at, at, "\n".join(_indented(["", *lines], column))


def _end_of_line(text: str, start: int) -> int:
    at = text.find("\n", start)
    return len(text) if at < 0 else at - (text[at - 1] == "\r")
