"""mitmproxy's flows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from replay.cases import Source
from replay.errors import DocumentError
from replay.models import Observation, Timing
from tests.cases.recordings.samples import flow, netstring

Opened = Callable[..., Source]


def test_a_flow_is_a_case_with_its_answer_decoded(opened: Opened) -> None:
    [case] = opened(netstring(flow()))
    assert case.request.headers == (("X-A", "1"), ("x-a", "2"))
    assert case.freeze == datetime(2024, 2, 29, 23, 59, 59, 500_000, tzinfo=UTC)
    assert case.recorded == Observation(200, (), b"ok", timing=Timing(250.0))
    assert str(case.session).endswith("#c-1")


@pytest.mark.parametrize("version", [7, 21])
def test_the_oldest_and_the_newest_known_format_are_read(version: int, opened: Opened) -> None:
    assert len(list(opened(netstring(flow(version))))) == 1


@pytest.mark.parametrize(("version", "name"), [(6, "6"), (22, "22"), ([0, 18], "0.18"), (None, "None")])
def test_other_formats_are_refused_by_name(version: Any, name: str, opened: Opened) -> None:
    with pytest.raises(DocumentError) as caught:
        list(opened(netstring(flow(version)), skip_bad=True))
    assert caught.value.fact == f"mitmproxy flow format {name}; 7 to 21 can be read"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"kind": "tcp"}, "tcp flow"),
        ({"kind": "dns"}, "dns flow"),
        ({"websocket": {"messages": []}}, "websocket flow"),
        ({"request": None}, "malformed request"),
        ({"request": flow()["request"] | {"method": b"POST", "content": None}}, "the body was not kept"),
        ({"request": flow()["request"] | {"method": b"CONNECT"}}, "CONNECT"),
        ({"request": flow()["request"] | {"method": b"GE T"}}, "malformed request"),
        ({"request": flow()["request"] | {"headers": [[b"a", b"b\r\nc: d"]]}}, "malformed request"),
        ({"request": flow()["request"] | {"headers": [[b"a"]]}}, "malformed request"),
        ({"request": flow()["request"] | {"path": b"shop.test:443"}}, "shop.test: URL"),
    ],
)
def test_what_cannot_be_replayed_is_counted_by_reason(changed: dict[str, Any], reason: str, opened: Opened) -> None:
    source = opened(netstring(flow(**changed)) + netstring(flow()))
    assert len(list(source)) == 1
    assert source.intake.skipped == {reason: 1}


def test_a_body_that_is_not_coded_as_it_says_is_kept_raw(opened: Opened) -> None:
    answered = flow()["response"] | {"content": b"plain"}
    [case] = opened(netstring(flow(response=answered)))
    assert case.recorded is not None
    assert (case.recorded.body, case.recorded.headers) == (b"plain", ())


@pytest.mark.parametrize(
    ("file", "fact"),
    [
        (netstring(flow())[:-9], "the last flow is cut: 398 of 407 bytes are there"),
        (netstring(flow()) + b"torn", "a flow does not begin with its length: the file is cut, or no flow file"),
        (netstring(flow()) + b"999999999999:", "a flow states a length of 999999999999"),
        (netstring(flow()) + b"4:2:x,}", "a flow holds a value that ends beyond it"),
        (netstring(flow()) + netstring([1]), "a flow is no mapping"),
    ],
)
def test_what_ends_a_file_early_is_told_or_counted_once(file: bytes, fact: str, opened: Opened) -> None:
    with pytest.raises(DocumentError) as caught:
        list(opened(file))
    assert caught.value.fact == fact
    source = opened(file, skip_bad=True)
    list(source)
    assert sum(source.intake.skipped.values()) == 1


def test_flows_nested_without_end_are_refused(opened: Opened) -> None:
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(DocumentError, match="nested more than 50 levels deep"):
        list(opened(netstring(flow()) + netstring(deep)))
