"""XML as a tree: inert, whatever it says of entities, document types and places elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NoReturn
from xml.parsers import expat

from replay.compare.formats.base import Content, Reading, UnreadableError
from replay.compare.formats.markup import Tree
from replay.models import Json

_SEPARATOR: Final = "\x1f"  # no name holds it
_XML: Final = "http://www.w3.org/XML/1998/namespace"


def read_xml(content: Content) -> Reading:
    """Read a document by what it says, not by how: prefixes, the order of attributes and comments mean nothing.

    A namespace that is not the one around is told as `@xmlns`. White space alone between elements is passed over,
    save under `xml:space="preserve"`. No entity is ever expanded and nothing is fetched: a document that declares some
    is refused.
    """
    # The header's charset beats what the document says of itself (RFC 7303, 3).
    named = content.charset is not None
    return Reading("json", _Parse().value(content.text() if named else content.data))


class _Parse:
    """One document on its way."""

    def __init__(self) -> None:
        self._tree = Tree("xml")
        self._spaces = [""]
        parser = self._parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._tree.text
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = _refuse_entities
        parser.SkippedEntityHandler = _refuse_unknown
        parser.ExternalEntityRefHandler = _refuse_outside

    def value(self, data: bytes | str) -> Json:
        """Return the document's value. Raise UnreadableError for what is none."""
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            where = f"line {error.lineno}, column {error.offset + 1}"
            raise UnreadableError("xml", f"it is no XML: {expat.ErrorString(error.code)} at {where}") from None
        except (UnicodeError, LookupError, ValueError):
            raise UnreadableError(
                "xml", "it is no text in the encoding that it names, as far as that is known"
            ) from None
        return self._tree.value()

    def _start(self, name: str, attributes: list[str]) -> None:
        space, local = _parted(name)
        around, given = self._spaces[-1], dict(_named(attributes))
        self._spaces.append(space)
        told = [("xmlns", space)] if space != around else []
        self._tree.start(local, [*told, *given.items()], exact=given.get("xml:space") == "preserve")

    def _end(self, _name: str) -> None:
        self._spaces.pop()
        self._tree.end()

    def _doctype(self, _name: str, _system: str | None, _public: str | None, has_internal_subset: int) -> None:
        if has_internal_subset:
            raise UnreadableError("xml", "its document type declares things of its own, which are not read")


def _parted(name: str) -> tuple[str, str]:
    space, _, local = name.rpartition(_SEPARATOR)
    return space, local


def _named(attributes: list[str]) -> Iterator[tuple[str, str]]:
    for name, value in zip(attributes[::2], attributes[1::2], strict=True):
        space, local = _parted(name)
        yield f"xml:{local}" if space == _XML else f"{{{space}}}{local}" if space else local, value


def _refuse_entities(name: str, *_more: Any) -> NoReturn:
    raise UnreadableError("xml", f"it declares the entity {name[:40]!a}, and none is expanded")


def _refuse_unknown(name: str, _is_parameter: int) -> NoReturn:
    raise UnreadableError("xml", f"it uses the entity {name[:40]!a}, which it does not declare")


def _refuse_outside(*_told: Any) -> NoReturn:
    raise UnreadableError("xml", "it refers to an entity elsewhere, and nothing is fetched")
