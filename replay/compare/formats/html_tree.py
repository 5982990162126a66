"""HTML as a tree, read as forgivingly as pages are written."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Final

from replay.compare.formats.base import Content, Reading, UnreadableError
from replay.compare.formats.markup import Tree
from replay.locations import limited
from replay.models import Json

READ_SECONDS: Final = 10.0
"""Of processor time. The library reads most pages at megabytes a second, and some hostile ones in quadratic time."""
_VOID: Final = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
})  # fmt: skip
_EXACT: Final = frozenset({"pre", "textarea", "script", "style"})
_CELLS: Final = frozenset({"td", "th"})
_BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "details", "div", "dl", "fieldset", "figure", "footer", "form", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "menu", "nav", "ol", "p", "pre", "section", "table", "ul",
})  # fmt: skip
_ENDS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "li": (frozenset({"li"}), frozenset({"ul", "ol", "menu"})),
    "dt": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "dd": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "option": (frozenset({"option"}), frozenset({"select", "datalist", "optgroup"})),
    "optgroup": (frozenset({"option", "optgroup"}), frozenset({"select"})),
    "td": (_CELLS, frozenset({"tr", "table"})),
    "th": (_CELLS, frozenset({"tr", "table"})),
    "tr": (_CELLS | {"tr"}, frozenset({"table", "thead", "tbody", "tfoot"})),
    "tbody": (_CELLS | {"tr", "thead", "tbody"}, frozenset({"table"})),
    "tfoot": (_CELLS | {"tr", "thead", "tbody"}, frozenset({"table"})),
    "body": (frozenset({"head"}), frozenset({"html"})),
}
"""Whose end tag may be left out before which tag, and how far out to look (HTML, 13.1.2.4)."""
_ENDS_P: Final = (frozenset({"p"}), frozenset({"body", "div", "td", "th", "li", "section", "article", "button"}))


def read_html(content: Content, *, seconds: float = READ_SECONDS) -> Reading:
    """Read a page or a piece of one: tags and attributes in any case, end tags left out where HTML allows it.

    Text counts as a browser shows it: white space between words as one space, none at the ends of a piece, and exactly
    in `pre`, `textarea`, `script` and `style`. Comments and the document type mean nothing.
    """
    parser = _Parse()
    text = content.text()
    try:
        with limited(seconds):
            parser.feed(text)
            parser.close()
    except TimeoutError:
        raise UnreadableError("html", f"it takes more than {seconds:g} s to read") from None
    except AssertionError:
        # What the library raises where it gives up on a declaration.
        raise UnreadableError("html", "it is no HTML") from None
    return Reading("json", parser.value())


class _Parse(HTMLParser):
    """One page on its way."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._tree = Tree("html", collapsing=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element, after ending those that it ends."""
        for ended in (_ENDS.get(tag), _ENDS_P if tag in _BLOCKS else None):
            if ended is not None:
                self._end_up_to(*ended)
        # Of an attribute that stands twice, browsers take the first.
        given = {name: value or "" for name, value in reversed(attrs)}
        self._tree.start(tag, reversed(given.items()), exact=tag in _EXACT)
        if tag in _VOID:
            self._tree.end()

    def handle_endtag(self, tag: str) -> None:
        """End an element and what was left open within; an end without a beginning is passed over."""
        if tag not in _VOID and tag in self._tree.open_names():
            self._end_through(tag)

    def handle_data(self, data: str) -> None:
        """Add text."""
        self._tree.text(data)

    def unknown_decl(self, data: str) -> None:
        """Take what looks like CDATA as the text in it."""
        self._tree.text(data.partition("[")[2])

    def value(self) -> Json:
        """Return the page, with everything ended that was left open."""
        for _ in list(self._tree.open_names()):
            self._tree.end()
        return self._tree.value()

    def _end_up_to(self, among: frozenset[str], within: frozenset[str]) -> None:
        """End the outermost open element `among`, looking no further out than `within`."""
        last = None
        for name in self._tree.open_names():
            if name in within:
                break
            last = name if name in among else last
        if last is not None:
            self._end_through(last)

    def _end_through(self, tag: str) -> None:
        for name in list(self._tree.open_names()):
            self._tree.end()
            if name == tag:
                break
