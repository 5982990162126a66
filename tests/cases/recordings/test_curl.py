"""curl commands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from replay.cases import Source
from replay.errors import DocumentError
from replay.models import Headers, Request

Opened = Callable[..., Source]
FORM: Headers = (("Content-Type", "application/x-www-form-urlencoded"),)


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        ("curl http://h", Request("GET", "/")),
        ("curl h:8080/a?b=1", Request("GET", "/a?b=1")),
        ("curl -sSkL --compressed 'http://h/a'", Request("GET", "/a")),
        ("curl -XDELETE http://h/a", Request("DELETE", "/a")),
        ("curl -I http://h/a", Request("HEAD", "/a")),
        ("curl http://h/a -d a=1 -d b=2", Request("POST", "/a", FORM, b"a=1&b=2")),
        ("curl -G http://h/a?x=0 -d a=1 --data-urlencode 'b=c d'", Request("GET", "/a?x=0&a=1&b=c+d")),
        (
            "curl http://h/a --data-raw $'{\\'a\\': \"\\u00e9\\n\"}'",
            Request("POST", "/a", FORM, "{'a': \"é\n\"}".encode()),
        ),
        ("curl -u ann:pw http://h/a", Request("GET", "/a", (("Authorization", "Basic YW5uOnB3"),))),
        (
            "curl -b 'a=1; b=2' -A me -e x http://h",
            Request("GET", "/", (("Cookie", "a=1; b=2"), ("User-Agent", "me"), ("Referer", "x"))),
        ),
        ("curl http://h -H 'X-A: 1' -H 'X-B;' -H 'Accept:'", Request("GET", "/", (("X-A", "1"), ("X-B", "")))),
        (
            "curl --json '{}' http://h/a",
            Request("POST", "/a", (("Content-Type", "application/json"), ("Accept", "application/json")), b"{}"),
        ),
        ("curl -o /dev/null -w '%{http_code}' http://h/a", Request("GET", "/a")),
        ("$ curl http://h/a", Request("GET", "/a")),
        ("curl 'http://h/a' \\\n  -H 'X-A: 1' \\\n  --insecure", Request("GET", "/a", (("X-A", "1"),))),
        ('curl "http://h/a b"', Request("GET", "/a%20b")),
    ],
)  # fmt: skip
def test_a_command_is_the_request_that_curl_would_send(command: str, request_: Request, opened: Opened) -> None:
    [case] = opened(command.encode())
    assert case.request == request_


def test_a_form_is_sent_in_parts(opened: Opened) -> None:
    [case] = opened(b"curl http://h/a -F 'name=ann' -F 'note=hi;type=text/plain;filename=n.txt'")
    assert case.request.method == "POST"
    assert str(case.request.header("content-type")).startswith("multipart/form-data; boundary=")
    assert case.request.body is not None
    assert b'name="note"; filename="n.txt"\r\nContent-Type: text/plain\r\n\r\nhi\r\n' in case.request.body


def test_commands_part_at_line_ends_and_operators(opened: Opened) -> None:
    script = "# one\ncurl http://h/a; curl http://h/b && curl http://h/c | jq .\n\ncurl http://h/d # four\n"
    source = opened(script.encode())
    assert [case.request.path for case in source] == ["/a", "/b", "/c", "/d"]
    assert source.intake.skipped == {"another command than curl": 1}


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("curl http://h/$ID", "a variable of the shell"),
        ('curl "http://h/$(cat id)"', "a variable of the shell"),
        ("curl http://h/`cat id`", "a variable of the shell"),
        ("curl -d @body.json http://h/a", "a file beside the commands"),
        ("curl -F 'f=@body.bin' http://h/a", "a file beside the commands"),
        ("curl -b jar.txt http://h/a", "a file beside the commands"),
        ("curl -H @headers http://h/a", "a file beside the commands"),
        ("curl file:///etc/passwd", "file: URL"),
        ("curl http://h -H $'X-A: 1\\r\\nX-B: 2'", "malformed request"),
    ],
)
def test_what_only_its_shell_knows_is_counted_by_reason(command: str, reason: str, opened: Opened) -> None:
    source = opened(f"{command}\ncurl http://h/a".encode())
    assert len(list(source)) == 1
    assert source.intake.skipped == {reason: 1}


def test_a_dollar_in_single_quotes_is_a_dollar(opened: Opened) -> None:
    [case] = opened(b'curl \'http://h/a\' -d \'{"price": "$9", "q": "$x"}\'')
    assert case.request.body == b'{"price": "$9", "q": "$x"}'


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("curl http://h/a\ncurl --frobnicate http://h/a", ":2: the option --frobnicate of curl is not known"),
        ("curl -y http://h/a", ":1: the option -y of curl is not known"),
        ("curl http://h/a http://h/b", ":1: a curl command with 2 URLs"),
        ("curl http://h/a -H", ":1: the option header of curl has no value"),
        ("curl http://h/a\ncurl 'http://h", ":2: a quotation is never closed"),
    ],
)
def test_a_mistake_is_told_with_its_line(script: str, message: str, opened: Opened) -> None:
    with pytest.raises(DocumentError) as caught:
        list(opened(script.encode()))
    assert message in str(caught.value)
