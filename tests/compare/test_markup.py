"""XML and HTML as trees, which hostile documents cannot make do anything."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.compare import Compared
from replay.compare.formats import Content, read_as
from replay.compare.formats.base import UnreadableError
from replay.compare.formats.html_tree import read_html

Compare = Callable[..., Compared]
Told = Callable[..., list[tuple[str, str]]]

XML = {"at": "body", "as": "xml"}
HTML = {"at": "body", "as": "html"}
ORDER = """
<o:order xmlns:o="urn:orders" id="7" state="open">
  <o:item><o:sku>A1</o:sku><o:price currency="EUR">9.90</o:price></o:item>
  <o:item><o:sku>B2</o:sku><o:price currency="EUR">5.00</o:price></o:item>
  <o:note>to the <b xmlns="">back</b> door</o:note>
</o:order>"""


def read(text: str | bytes, name: Any = "xml") -> Any:
    reading = read_as((name,), Content(text))
    assert reading.flaws == ()
    return reading.value


def flaw(text: str | bytes, name: Any = "xml") -> str:
    return " ".join(it.message for it in read_as((name,), Content(text)).flaws)


def changes(told: Told, old: str, new: str, *rules: dict[str, Any]) -> list[tuple[str, str]]:
    return told(old.encode(), new.encode(), *(rules or (XML,)), kind="text/plain")


def test_a_document_is_one_object_with_attributes_texts_and_lists() -> None:
    assert read(ORDER) == {
        "order": {
            "@xmlns": "urn:orders",
            "@id": "7",
            "@state": "open",
            "item": [
                {"sku": "A1", "price": [{"@currency": "EUR", "#text": "9.90"}], "#order": "sku price"},
                {"sku": "B2", "price": [{"@currency": "EUR", "#text": "5.00"}], "#order": "sku price"},
            ],
            "note": [
                {
                    "#text": ["to the ", " door"],
                    "b": [{"@xmlns": "", "#text": "back"}],
                    "#order": "#text b #text",
                }
            ],
            "#order": "item note",
        }
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('<a x="1" y="2"/>', "<a y='2' x='1'></a>"),
        ('<p:a xmlns:p="urn:x"><p:b/></p:a>', '<a xmlns="urn:x"><b/></a>'),
        ("<a><b/><c/></a>", "<a>\n  <b/>\n  <c/>\n</a>\n"),
        ("<a>x&lt;y</a>", "<a><![CDATA[x<y]]></a>"),
        ("<a>x</a>", '<?xml version="1.0"?><!-- said --><a>x<!-- more --></a>'),
        ('<a xmlns:n="urn:1" n:k="v"/>', '<a xmlns:m="urn:1" m:k="v"/>'),
    ],
)
def test_how_a_document_is_written_means_nothing(told: Told, old: str, new: str) -> None:
    assert changes(told, old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("<a><b/><c/></a>", "<a><c/><b/></a>", [("body.a['#order']", "order")]),
        ("<a><b/><c/></a>", "<a><b/></a>", [("body.a.c", "missing")]),
        ("<a><b/></a>", "<a><c/><b/></a>", [("body.a.c", "extra")]),
        ("<a>x</a>", "<a>x </a>", [("body.a", "value")]),
        ("<a> </a>", "<a/>", [("body.a", "value")]),
        ('<a xmlns="urn:1"/>', '<a xmlns="urn:2"/>', [("body.a['@xmlns']", "value")]),
        ('<a xmlns:n="urn:1" n:k="v"/>', '<a k="v"/>', [("body.a['@{urn:1}k']", "missing"), ("body.a['@k']", "extra")]),
        ("<a>x<b/>y</a>", "<a>xy<b/></a>", [("body.a['#text']", "type")]),
        ("<a>x<b/>y<c/></a>", "<a>x<b/><c/>y</a>", [("body.a['#order']", "order")]),
        ("<a/>", "<b/>", [("body.a", "missing"), ("body.b", "extra")]),
    ],
)
def test_what_a_document_says_does(told: Told, old: str, new: str, found: list[tuple[str, str]]) -> None:
    assert changes(told, old, new) == found


def test_runs_of_one_name_count_where_it_comes_back(told: Told) -> None:
    assert changes(told, "<a><b/><b/><c/><b/></a>", "<a><b/><c/><b/><b/></a>") == [("body.a['#order']", "order")]


def test_how_many_there_are_is_no_matter_of_order(told: Told) -> None:
    assert changes(told, "<a><b/><c/><d/></a>", "<a><b/><c/><b/><d/></a>") == [("body.a.b", "type")]
    assert changes(told, "<a><b/><c/><d/></a>", "<a><b/><b/><d/><c/></a>") == [
        ("body.a.b", "type"),
        ("body.a['#order']", "order"),
    ]


def test_where_order_means_nothing_a_rule_says_so(told: Told) -> None:
    free = {"at": "body..['#order']", "ignore": True}, {"at": "body.a.i", "unordered": True}
    old, new = "<a><i>1</i><b/><i>2</i></a>", "<a><i>2</i><i>1</i><b/></a>"
    assert changes(told, old, new, XML, *free) == []
    assert changes(told, old, new, XML, free[1]) == [("body.a['#order']", "order")]


def test_an_ignored_element_takes_no_place_in_the_order(told: Told) -> None:
    ignored = {"at": "body.a.trace", "ignore": True}
    assert changes(told, "<a><b/><trace>1</trace><c/></a>", "<a><b/><c/></a>", XML, ignored) == []
    assert changes(told, "<a><trace>1</trace><c/></a>", "<a><c/></a>", XML, ignored) == []


def test_what_a_rule_asks_of_an_order_stands(told: Told) -> None:
    asked = {"at": "body.a['#order']", "matches": "c b"}
    assert changes(told, "<a><b/><c/></a>", "<a><b/><c/></a>", XML, asked) == [("body.a['#order']", "validation")]


def test_all_verbs_work_on_trees(told: Told) -> None:
    old = ORDER
    new = ORDER.replace("9.90", "9.91").replace('id="7"', 'id="8"')
    assert changes(told, old, new) == [
        ("body.order['@id']", "value"),
        ("body.order.item[0].price[0]['#text']", "value"),
    ]
    rules = (
        {"at": "body.order['@id']", "ignore": True},
        {"at": "body..price[*]['#text']", "within": 0.01},
        {"at": "body.order.item", "match_by": "sku"},
    )
    assert changes(told, old, new, XML, *rules) == []
    assert changes(told, old, new.replace("5.00", "6.00"), XML, *rules) == [
        ("body.order.item[?@.sku=='B2'].price[0]['#text']", "value")
    ]


NAMES = st.sampled_from(["a", "b", "c"])
TEXT = st.text("xy <&\n", max_size=3)
TREES: st.SearchStrategy[Any] = st.recursive(
    st.tuples(NAMES, st.dictionaries(NAMES, TEXT, max_size=2), st.just([])),
    lambda below: st.tuples(NAMES, st.dictionaries(NAMES, TEXT, max_size=2), st.lists(TEXT | below, max_size=4)),
    max_leaves=8,
)


def written(tree: Any, *, turned: bool = False) -> str:
    if isinstance(tree, str):
        return escape(tree)
    name, attributes, within = tree
    pairs = sorted(attributes.items(), reverse=turned)
    inner = "".join(written(it, turned=turned) for it in within)
    return f"<{name}{''.join(f' {key}={quoteattr(value)}' for key, value in pairs)}>{inner}</{name}>"


def plain(tree: Any) -> Any:
    """Return a tree with neighbouring texts joined, and without white space between elements."""
    if isinstance(tree, str):
        return tree
    name, attributes, within = tree
    joined: list[Any] = []
    for it in within:
        if isinstance(it, str) and joined and isinstance(joined[-1], str):
            joined[-1] += it
        else:
            joined.append(plain(it))
    blank = any(not isinstance(it, str) for it in joined)
    return name, attributes, [it for it in joined if not isinstance(it, str) or (it.strip() if blank else it)]


@given(tree=TREES, other=TREES)
def test_two_documents_are_equal_exactly_if_their_trees_are(told: Told, tree: Any, other: Any) -> None:
    assert changes(told, written(tree), written(tree, turned=True)) == []
    assert (changes(told, written(tree), written(other)) == []) is (plain(tree) == plain(other))


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x">%p;]><a/>',
        '<!DOCTYPE a [<!ATTLIST a k CDATA "v">]><a/>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a>&nbsp;</a>',
        "<!DOCTYPE a [" + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 30)) + "]><a>&e29;</a>",
        "<a>&nbsp;</a>",
        "<a>" * 100_000 + "</a>" * 100_000,
        "<a><b></a>",
        "",
        "<a/><b/>",
        "<a k='1' k='2'/>",
        "{}",
    ],
    ids=lambda text: text[:40],
)
def test_what_is_hostile_or_broken_is_refused_by_name(compare: Compare, text: str) -> None:
    begun = time.process_time()
    assert flaw(text).startswith("as xml: ")
    assert compare(text.encode(), text.encode(), XML, kind="text/xml").flaws.keys() == {"old", "new"}
    assert time.process_time() - begun < 60


def test_a_document_of_too_many_pieces_is_refused() -> None:
    attributes = "".join(f' k{n}=""' for n in range(50_000))
    assert "more than 500,000 elements and attributes" in flaw("<a>" + f"<b{attributes}/>" * 11 + "</a>")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_a_document_is_read_in_the_encoding_that_it_names(encoding: str) -> None:
    assert read(f'<?xml version="1.0" encoding="{encoding}"?><a>é</a>'.encode(encoding)) == {"a": "é"}


def test_the_charset_of_the_answer_beats_that_of_the_document(told: Told) -> None:
    old, new = '<?xml version="1.0" encoding="utf-8"?><a>é</a>'.encode("latin-1"), "<a>é</a>".encode()
    kinds = "text/xml; charset=latin-1", "text/xml"
    assert told(old, new, XML, kinds=kinds) == [("headers.content-type", "header")]


# ----------------------------------------------------------------------------------------------------------------- HTML


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<P CLASS=x>a</P>", '<p class="x">a</p>'),
        ("<ul><li>a<li>b</ul>", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("<p>one<p>two", "<p>one</p><p>two</p>"),
        ("<table><tr><td>1<td>2<tr><td>3</table>", "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>"),
        ("<p>a  b\n c</p>", "<p> a b c </p>"),
        ("<p>&eacute;&amp;</p>", "<p>é&#38;</p>"),
        ("<br>", "<br/>"),
        ("<!doctype html><!-- x --><p>a</p>", "<p>a</p>"),
        ("<input disabled>", '<input disabled="">'),
        ("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "<dl><dt>a</dt><dd>b</dd><dt>c</dt><dd>d</dd></dl>"),
    ],
)
def test_how_a_page_is_written_means_nothing(told: Told, old: str, new: str) -> None:
    assert changes(told, old, new, HTML) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("<p>a</p>", "<p>b</p>", [("body.p", "value")]),
        ("<pre>a  b</pre>", "<pre>a b</pre>", [("body.pre", "value")]),
        ("<p>a&nbsp;</p>", "<p>a</p>", [("body.p", "value")]),
        ("<div><p>a</p></div>", "<div></div><p>a</p>", None),
        ("<script>if (a<b) x()</script>", "<script>if (a<b) y()</script>", [("body.script", "value")]),
        ('<a href="/x">y</a>', '<a href="/z">y</a>', [("body.a['@href']", "value")]),
        ("<p>a <b>b</b> c</p>", "<p>a c <b>b</b></p>", None),
        (
            "<html><body><p>x</p></body></html>",
            "<html><body><p>y</p></body></html>",
            [("body.html.body[0].p", "value")],
        ),
    ],
)
def test_what_a_page_shows_does(told: Told, old: str, new: str, found: list[tuple[str, str]] | None) -> None:
    assert changes(told, old, new, HTML) == found if found is not None else changes(told, old, new, HTML)


def test_a_page_of_endless_depth_is_told() -> None:
    assert flaw("<div>" * 100_000, "html").startswith("as html: more than 190 elements")


def test_a_page_that_takes_too_long_to_read_is_told() -> None:
    begun = time.process_time()
    with pytest.raises(UnreadableError, match=r"takes more than 0\.2 s"):
        read_html(Content("<a " * 200_000), seconds=0.2)
    assert time.process_time() - begun < 10


@given(text=st.text("<>/!-=\"'ab p&;", max_size=30))
def test_whatever_a_page_holds_it_is_equal_to_itself(told: Told, text: str) -> None:
    assert changes(told, text, text, HTML) == []
