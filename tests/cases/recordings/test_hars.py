"""HTTP Archives: what is replayed, what is counted, and that recorded hosts are gone."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from replay.cases import HarFile, open_traffic
from replay.errors import DocumentError
from replay.models import Case, Observation, Timing


def entry(
    url: Any = "https://shop.test/a?b=1#c", *, request: Any = None, response: Any = None, **rest: Any
) -> dict[str, Any]:
    asked = {"method": "GET", "url": url, "headers": [], **(request or {})}
    answered = {"status": 200, "headers": [], "content": {"size": 2, "text": "ok"}, **(response or {})}
    return {"startedDateTime": "2024-02-29T23:59:59.5Z", "time": 12.5, "request": asked, "response": answered, **rest}


def har(folder: Path, *entries: Any, text: str | None = None) -> Path:
    path = folder / "t.har"
    path.write_text(text if text is not None else json.dumps({"log": {"version": "1.2", "entries": entries}}))
    return path


def one(folder: Path, recorded: dict[str, Any]) -> Case:
    [case] = open_traffic(har(folder, recorded))
    return case


def pairs(**headers: str) -> list[dict[str, str]]:
    return [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()]


def test_an_entry_becomes_a_case_without_its_host(tmp_path: Path) -> None:
    case = one(tmp_path, entry(request={"headers": pairs(accept="*/*", x_request_id="r-1")}))
    assert (case.request.method, case.request.path, case.request.body) == ("GET", "/a?b=1", None)
    assert (case.id, case.kind, case.correlation_id) == (f"{tmp_path / 't.har'}:1", "traffic", "r-1")
    assert case.freeze == datetime(2024, 2, 29, 23, 59, 59, 500_000, tzinfo=UTC)
    assert case.recorded == Observation(200, (), b"ok", timing=Timing(12.5))
    assert "shop.test" not in repr(case.request)


def test_headers_of_the_old_connection_and_pseudo_headers_are_dropped(tmp_path: Path) -> None:
    headers = [
        {"name": ":authority", "value": "shop.test"},
        *pairs(Host="shop.test", Content_Length="999", Connection="close", X_A="1", x_a="2"),
    ]
    assert one(tmp_path, entry(request={"headers": headers})).request.headers == (("X-A", "1"), ("x-a", "2"))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://h", "/"),
        ("HTTPS://h?x", "/?x"),
        ("http://h/a?", "/a?"),
        ("http://h/é b", "/%C3%A9%20b"),
        ("http://u:p@h:1//x/../y%2F", "//x/../y%2F"),
    ],
)
def test_a_path_is_kept_raw_and_made_sendable(tmp_path: Path, url: str, path: str) -> None:
    assert one(tmp_path, entry(url)).request.path == path


SKIPPED = [
    ("no response (status 0)", entry(response={"status": 0})),
    ("no response (status 0)", {**entry(), "response": None}),
    ("no response (status 0)", entry(response={"status": None})),
    ("data: URL", entry("data:text/plain,hi")),
    ("blob: URL", entry("blob:https://h/1")),
    ("ws: URL", entry("ws://h/")),
    ("wss: URL", entry("wss://h/")),
    ("no URL", entry(None)),
    ("no URL", entry("/relative")),
    ("no URL", entry(7)),
    ("malformed URL", entry("http://[::1/")),
    ("malformed request", {**entry(), "request": None}),
    ("malformed request", entry(request={"method": None})),
    ("malformed request", entry(request={"method": "GE T"})),
    ("malformed request", entry(request={"headers": pairs(a="b\r\nc: d")})),
    ("malformed entry", None),
    ("malformed entry", [1]),
    ("false base64", entry(response={"content": {"size": 1, "text": "*", "encoding": "base64"}})),
    ("false base64", entry(request={"method": "POST", "postData": {"text": "*", "encoding": "base64"}})),
    (
        "the body was not kept",
        entry(
            request={
                "method": "POST",
                "postData": {"mimeType": "multipart/form-data", "params": [{"name": "f", "fileName": "x"}]},
            }
        ),
    ),
]


@pytest.mark.parametrize(("reason", "bad"), SKIPPED, ids=range(len(SKIPPED)))
def test_what_cannot_be_replayed_is_counted_by_reason(tmp_path: Path, reason: str, bad: Any) -> None:
    source = open_traffic(har(tmp_path, entry(), bad, entry()))
    assert [case.identity.partition(":")[2] for case in source] == ["1", "3"]
    assert (source.intake.loaded, dict(source.intake.skipped), source.intake.read) == (2, {reason: 1}, 3)


@pytest.mark.parametrize("headers", [None, "x", [None], [{"name": None, "value": "x"}], [{"name": "a"}]])
def test_null_headers_are_none(tmp_path: Path, headers: Any) -> None:
    case = one(tmp_path, entry(request={"headers": headers}, response={"headers": headers}))
    assert case.request.headers == ()


@pytest.mark.parametrize(
    ("data", "kind", "body"),
    [
        ({"text": "a=1"}, "", b"a=1"),
        ({"text": "é"}, "text/plain; charset=iso-8859-1", b"\xe9"),
        ({"text": "é"}, "text/plain", b"\xc3\xa9"),
        ({"text": "\x00\xff"}, "application/octet-stream", b"\x00\xff"),
        ({"text": "/w==", "encoding": "base64"}, "", b"\xff"),
        ({"text": "/w==", "_encoding": "base64"}, "", b"\xff"),
        ({"text": "", "params": []}, "", b""),
        (
            {"params": [{"name": "a b", "value": "c&d"}, {"name": "e", "value": "%20"}]},
            "application/x-www-form-urlencoded",
            b"a+b=c%26d&e=%20",
        ),
        (None, "", None),
    ],
)
def test_a_body_is_sent_as_it_was(tmp_path: Path, data: Any, kind: str, body: bytes | None) -> None:
    headers = pairs(Content_Type=kind) if kind else []
    assert one(tmp_path, entry(request={"method": "POST", "headers": headers, "postData": data})).request.body == body


def test_a_form_with_files_is_built_again_with_its_boundary(tmp_path: Path) -> None:
    data = {"params": [{"name": "f", "fileName": "a.txt", "contentType": "text/plain", "value": "x"}]}
    headers = pairs(Content_Type="multipart/form-data; boundary=B")
    body = one(tmp_path, entry(request={"method": "POST", "headers": headers, "postData": data})).request.body
    lines = (b'Content-Disposition: form-data; name="f"; filename="a.txt"', b"Content-Type: text/plain", b"", b"x")
    assert body == b"\r\n".join((b"--B", *lines, b"--B--", b""))


def test_an_answers_lying_length_and_undone_coding_are_mended(tmp_path: Path) -> None:
    headers = pairs(Content_Length="999", Content_Encoding="gzip", X="1\n2")
    recorded = one(tmp_path, entry(response={"headers": headers})).recorded
    assert recorded is not None
    assert recorded.headers == (("Content-Length", "2"), ("X", "1"), ("X", "2"))


@pytest.mark.parametrize(
    ("response", "body"),
    [
        ({"content": {"text": "/w==", "encoding": "base64"}}, b"\xff"),
        ({"content": {"text": "é", "mimeType": "text/html; charset=latin-1"}}, b"\xe9"),
        ({"content": {"text": "é", "mimeType": "text/html; charset=nonsense"}}, b"\xc3\xa9"),
        ({"content": {"size": 0}}, b""),
        ({"content": None}, b""),
        ({"status": 304, "content": {"size": 4, "text": "from the browser's cache"}}, b""),
    ],
)
def test_an_answers_body_is_what_was_on_the_wire(tmp_path: Path, response: dict[str, Any], body: bytes) -> None:
    recorded = one(tmp_path, entry(response=response)).recorded
    assert recorded is not None
    assert recorded.body == body


def test_an_answer_whose_body_was_not_kept_is_no_recording(tmp_path: Path) -> None:
    assert one(tmp_path, entry(response={"content": {"size": 10}})).recorded is None


@pytest.mark.parametrize("time", [None, -1, "x", True])
def test_an_unknown_time_is_none(tmp_path: Path, time: Any) -> None:
    case = one(tmp_path, {**entry(), "time": time, "startedDateTime": "soon"})
    assert case.recorded is not None
    assert (case.recorded.timing, case.freeze) == (None, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "this HAR has no log"),
        ("[]", "this HAR has no log"),
        ('{"log": null}', "this HAR has no log"),
        ('{"log": {}}', "has no entries"),
        ('{"log": {"entries": {}}}', "has no entries"),
        ('{"log": {"entries": [', "the document ends"),
        ('{"log": {"entries": [], "entries": []}}', "key 'entries' stands 2 times"),
        ('{"log": {"entries": [NaN]}}', "t.har:1: an entry is no sound JSON: NaN"),
        ('{"log": {"entries": []}} {}', "something follows the end"),
        ('{"log": {"entries": []}, "log": {"entries": []}}', "key 'log' stands 2 times"),
        ('{"log": {"entries": [1,]}}', "a comma with nothing behind it"),
        ('{"log": {"entries": [1}}', "is expected here"),
        ('{"log": {"entries": []}', "the document ends"),
        ('{"log": {1: 2}}', "a key is no text"),
        ('{"log": {"\\x": 2}}', "a key is no sound text"),
        ('{"log": {"a": }}', "a value is expected here"),
        ('{"log": {"entries": [[}]}}', "an entry is no sound JSON"),
        (
            '{"log": {"entries": [' + 1_000 * "[" + 1_000 * "]" + "]}}",
            "t.har:1: an entry is no sound JSON: more than 400",
        ),
        ('{"log": {"entries": [' + 100_000 * "[", "more than 10,000 levels"),
        ("", "nothing at all"),
    ],
)
def test_a_document_that_is_no_har_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message) as caught:
        list(HarFile(har(tmp_path, text=text)))
    assert str(caught.value).startswith(str(tmp_path / "t.har"))


def test_a_flaw_of_the_whole_document_passes_when_asked(tmp_path: Path) -> None:
    path = har(
        tmp_path,
        text=json.dumps({"log": {"entries": [entry()]}})
        .replace("12.5", "NaN")
        .replace('"size": 2', '"size": Infinity'),
    )
    assert len(list(open_traffic(path, skip_bad=True))) == 1


def test_an_entry_with_a_flaw_costs_itself_alone_and_is_told_by_its_line(tmp_path: Path) -> None:
    twice = json.dumps(entry()).replace('"time"', '"time": 1, "time"')
    path = har(tmp_path, text=f'{{"log": {{"entries": [\n{json.dumps(entry())},\n{twice},\n{{"a": x}},\n3]}}}}')
    with pytest.raises(DocumentError, match=r"t\.har:3: an entry is no sound JSON: key 'time' stands 2 times"):
        list(open_traffic(path))
    source = open_traffic(path, skip_bad=True)
    assert len(list(source)) == 1
    assert source.intake.skipped == {"duplicate_keys": 1, "invalid": 1, "malformed entry": 1}


def test_what_was_whole_before_a_cut_is_kept_when_asked(tmp_path: Path) -> None:
    text = json.dumps({"log": {"pages": [], "entries": [entry(), entry(), entry()]}})
    path = har(tmp_path, text=text[:-200])
    source = open_traffic(path, skip_bad=True)
    assert len(list(source)) == 2
    assert source.intake.skipped == {"truncated": 1}
    with pytest.raises(DocumentError, match="the document ends"):
        list(open_traffic(path))


def test_a_har_in_other_characters_is_told_as_that(tmp_path: Path) -> None:
    path = tmp_path / "t.har"
    path.write_bytes(json.dumps({"log": {"entries": []}}).encode("utf-16"))
    with pytest.raises(DocumentError, match="not in UTF-8"):
        list(open_traffic(path))


def test_what_stands_around_the_entries_is_passed(tmp_path: Path) -> None:
    around = {"pages": [{"id": "]}", "n": [[], {}, 1.5, None]}], "comment": '"' * 100_000}
    text = json.dumps({"x": around, "log": {**around, "entries": [entry()], "browser": around}, "y": 1})
    assert len(list(open_traffic(har(tmp_path, text=text)))) == 1


def test_memory_does_not_grow_with_the_number_of_entries(tmp_path: Path) -> None:
    peaks = []
    for count in (500, 500, 2_000):
        path = har(tmp_path, *[entry(response={"content": {"text": "x" * 1_000}}) for _ in range(count)])
        tracemalloc.start()
        assert sum(1 for _ in open_traffic(path)) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] + 200_000


def test_a_har_is_known_by_its_content(tmp_path: Path) -> None:
    path = har(tmp_path, entry()).rename(tmp_path / "traffic.json")
    assert isinstance(open_traffic(path), HarFile)
    assert open_traffic(path).digest == HarFile(path).digest


def test_a_lone_surrogate_spoils_its_entry_only(tmp_path: Path) -> None:
    source = open_traffic(
        har(tmp_path, entry(response={"content": {"text": "\ud800"}}), entry("http://h/\ud800"), entry())
    )
    assert len(list(source)) == 1
    assert source.intake.read == 3
