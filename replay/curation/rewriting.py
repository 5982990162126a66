"""One value in a YAML file that somebody wrote by hand is changed; what stays the same stays as it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from replay.curation.spelling import text_of, value_text
from replay.documents.scalars import plain_value

_WIDE: Final = 110
"""Columns up to which a value stands in one line."""

_Edit = tuple[int, int, str]
"""From where to where a text is replaced, and by what."""


def with_value(text: str, path: Sequence[str | int], value: Mapping[str, Any]) -> str:
    """Return a YAML text with another mapping at a path, whose last step is a key that may not be there yet.

    Scalars that changed are replaced where they stand, members that come or go are put in or taken out, and comments
    are left alone; a list of another length is written anew. The text is known to be good. The result may not be, where
    it is written in a way that this knows nothing of: read it again. Raise LookupError where the way there ends.
    """
    root, key = yaml.compose(text, Loader=yaml.SafeLoader), str(path[-1])
    parent = None if root is None else _node(root, path[:-1])
    if not isinstance(parent, yaml.MappingNode):
        raise LookupError(key)  # noqa: TRY004 - the way ends here, whatever it is
    found = next((node for name, node in parent.value if name.value == key), None)
    edits = list(_changed(text, found, value)) if found is not None else [_added(text, parent, key, value)]
    newline = "\r\n" if "\r\n" in text else "\n"
    for start, end, new in sorted(edits, key=lambda edit: edit[0], reverse=True):
        text = text[:start] + new.replace("\n", newline) + text[end:]
    return text


def _node(node: yaml.Node, path: Sequence[str | int]) -> yaml.Node:
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
        if len(node.value) == len(value) and value:
            for item, wanted in zip(node.value, value, strict=True):
                yield from _changed(text, item, wanted)
            return
    elif isinstance(node, yaml.ScalarNode) and _says(node, value):
        return
    yield _replaced(text, node, value)


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
    edits += [(_line(text, key), _next_line(text, item), "") for key, item in gone]
    return edits + [edit for key, item in kept for edit in _changed(text, item, value[key.value])]


def _more(text: str, node: yaml.MappingNode, last: yaml.Node, members: Mapping[str, Any]) -> _Edit:
    """Put members behind the last one that stays."""
    if node.flow_style:
        end = last.end_mark.index
        return end, end, "".join(f", {text_of(key)}: {value_text(item)}" for key, item in members.items())
    return _lines_behind(text, _end(text, last), node.start_mark.column, block_lines(members))


def _begins_line(text: str, key: yaml.Node) -> bool:
    return not text[_line(text, key) : key.start_mark.index].strip()


def _line(text: str, node: yaml.Node) -> int:
    return text.rfind("\n", 0, node.start_mark.index) + 1


def _next_line(text: str, node: yaml.Node) -> int:
    return text.find("\n", _end(text, node)) + 1 or len(text)


def _says(node: yaml.ScalarNode, value: Any) -> bool:
    try:
        said = node.value if node.style else plain_value(node.value)
    except ValueError:
        return False
    alike = type(said) is type(value) or (_number(said) and _number(value))
    return bool(alike and said == value)


def _number(value: Any) -> bool:
    return not isinstance(value, bool | str | list | Mapping) and value is not None


def _replaced(text: str, node: yaml.Node, value: Any) -> _Edit:
    start, end = node.start_mark.index, _end(text, node)
    line = text.rfind("\n", 0, start) + 1
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        # It begins where its first key or dash stands.
        margin = " " * node.start_mark.column
        lines = block_lines(value) if _is_block(value) else [value_text(value)]
        return start, end, f"\n{margin}".join(lines)
    indent = len(text[line:start]) - len(text[line:start].lstrip(" "))
    # A value that is not there begins right behind its colon.
    short = f"{'' if start < end else ' '}{value_text(value)}"
    if len(short) + start - line <= _WIDE or _in_flow(text, node) or not _is_block(value):
        return start, end, short
    margin = " " * (indent + 2)
    return start - (text[start - 1] == " "), end, "".join(f"\n{margin}{each}" for each in block_lines(value))


def _is_block(value: Any) -> bool:
    return bool(value) and isinstance(value, Mapping | list | tuple)


def _in_flow(text: str, node: yaml.Node) -> bool:
    """Tell whether something in braces or brackets goes on behind a node, where no block may begin."""
    rest = text[node.end_mark.index :].lstrip(" ")
    return rest[:1] in (",", "}", "]")


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
        at, margin = later.start_mark.index, " " * parent.start_mark.column
        return at, at, "".join(f"{each}\n{margin}" for each in lines)
    return _lines_behind(text, _end(text, parent), parent.start_mark.column, lines)


def _lines_behind(text: str, end: int, column: int, lines: Sequence[str]) -> _Edit:
    """Put lines behind what ends there, and behind the rest of that line, which may hold a comment."""
    at = text.find("\n", end)
    at = len(text) if at < 0 else at - (text[at - 1] == "\r")
    margin = " " * column
    return at, at, "".join(f"\n{margin}{each}" for each in lines)


def block_lines(value: Any) -> list[str]:
    """Return a mapping or a list in lines: what fits into one, stands in one."""
    if isinstance(value, Mapping):
        return [line for key, item in value.items() for line in _member(f"{text_of(key)}:", item)]
    return [line for item in value for line in _item(item)]


def _member(key: str, value: Any) -> list[str]:
    short = value_text(value)
    if isinstance(value, str) and (literal := _literal(value)):
        return [f"{key} {literal[0]}", *(f"  {line}" if line else "" for line in literal[1:])]
    if len(key) + len(short) < _WIDE or not _is_block(value):
        return [f"{key} {short}"]
    return [key, *(f"  {line}" for line in block_lines(value))]


def _item(value: Any) -> list[str]:
    short = value_text(value)
    if len(short) < _WIDE or not _is_block(value):
        return [f"- {short}"]
    first, *rest = block_lines(value)
    return [f"- {first}", *(f"  {line}" for line in rest)]


def _literal(text: str) -> list[str]:
    """Return a text of several lines as a block that is read as written; nothing where it could not be."""
    if "\n" not in text.rstrip("\n") or text.endswith("\n\n") or text.startswith((" ", "\n", "\t")):
        return []
    lines = text.removesuffix("\n").split("\n")
    if not all(line.isprintable() and not line.startswith("\t") for line in lines) or any(
        not c.strip() and c for c in lines
    ):
        return []
    return ["|" if text.endswith("\n") else "|-", *lines]
