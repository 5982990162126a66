"""Access logs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from replay.cases import Source
from replay.cases.recordings import AccessLog
from replay.errors import DocumentError, SettingsError

Opened = Callable[..., Source]


def line(
    request: str = "GET /a?b=1 HTTP/1.1", client: str = "192.0.2.7", agent: str = "agent/1.0", rest: str = ""
) -> str:
    return f'{client} - - [29/Feb/2024:23:59:59 +0100] "{request}" 200 2 "-" "{agent}"{rest}\n'


def test_a_line_is_a_case_with_instant_and_headers_and_no_answer(opened: Opened) -> None:
    [case] = opened(line().encode())
    assert (case.request.path, case.request.headers) == ("/a?b=1", (("user-agent", "agent/1.0"),))
    assert str(case.freeze) == "2024-02-29 23:59:59+01:00"
    assert case.recorded is None


def test_clients_are_sessions_and_their_addresses_are_nowhere(opened: Opened) -> None:
    cases = list(opened((line() + line(client="192.0.2.8") + line()).encode()))
    assert cases[0].session == cases[2].session != cases[1].session
    assert "192.0.2" not in repr(cases)


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ("GET /a b/c HTTP/1.1", "/a%20b/c"),
        ("GET /q?s=\\x22x\\x22 HTTP/2.0", '/q?s="x"'),
        ("GET http://evil.test/a HTTP/1.1", "/a"),
        ("GET //evil.test/a HTTP/1.1", "//evil.test/a"),
    ],
)
def test_targets_are_read_as_they_were_sent(request_: str, path: str, opened: Opened) -> None:
    [case] = opened(line(request_).encode())
    assert case.request.path == path


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ("POST /a HTTP/1.1", "the body was not kept"),
        ("-", "no request"),
        ("\\x16\\x03\\x01", "no request"),
        ("GET", "no request"),
        ("GET * HTTP/1.1", "no URL"),
    ],
)
def test_what_cannot_be_replayed_is_counted_by_reason(request_: str, reason: str, opened: Opened) -> None:
    source = opened((line() + line(request_)).encode())
    assert len(list(source)) == 1
    assert source.intake.skipped == {reason: 1}


def test_load_balancers_and_the_common_format_are_known(opened: Opened) -> None:
    balancer = (
        "https 2024-02-29T23:59:59.123456Z app/my/1 192.0.2.7:2817 10.0.0.1:80 0.001 0.002 0.000 200 200 34 366 "
        '"GET https://shop.test:443/a?b=1 HTTP/1.1" "agent/1.0" ECDHE TLSv1.2 arn:aws "Root=1-58337364" "-" "-" 0\n'
    )
    [case] = opened(balancer.encode())
    assert (case.request.path, str(case.freeze)) == ("/a?b=1", "2024-02-29 23:59:59.123456+00:00")
    [case] = opened(b'192.0.2.7 - ann [29/Feb/2024:23:59:59 +0000] "GET /a HTTP/1.0" 200 -\n')
    assert case.request.path == "/a"


def test_a_line_in_another_format_is_told_with_its_number_or_counted(opened: Opened) -> None:
    with pytest.raises(DocumentError, match=":2: a line in another format than the lines before"):
        list(opened((line() + "torn\n" + line()).encode()))
    source = opened((line() + "torn\n" + line()).encode(), skip_bad=True)
    assert (len(list(source)), source.intake.skipped) == (2, {"malformed": 1})


def test_a_format_of_ones_own_tells_what_its_variables_say(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("1709251199.500|POST|/a|x=1|{\\x22n\\x22: 1}|r-7|application/json\n")
    log_format = "$msec|$request_method|$uri|$args|$request_body|$request_id|$http_content_type"
    [case] = AccessLog(path, log_format=log_format)
    assert (case.request.method, case.request.path, case.request.body) == ("POST", "/a?x=1", b'{"n": 1}')
    assert (case.correlation_id, case.request.headers) == ("r-7", (("content-type", "application/json"),))


def test_a_format_that_tells_no_request_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="tells no request"):
        AccessLog(tmp_path / "log", log_format="$status $msec")


def test_bytes_that_were_escaped_are_the_characters_that_they_spell(opened: Opened) -> None:
    line = rb'1.1.1.1 - - [29/Feb/2024:23:59:59 +0000] "GET /caf\xC3\xA9?q=\xE9 HTTP/1.1" 200 5 "-" "a \"b\" \x5C"'
    [case] = opened(line + b"\n")
    assert case.request.path == "/caf%C3%A9?q=%C3%A9"
    assert case.request.header("user-agent") == 'a "b" \\'


def test_a_log_in_json_is_read_by_its_format(tmp_path: Path) -> None:
    path = tmp_path / "j.log"
    path.write_text(r'{"at":"2024-02-29T23:59:59Z","r":"GET \/a?q=\"x\u0031\" HTTP/1.1","ua":"a \"b\"\t\\"}' + "\n")
    log_format = '{"at":"$time_iso8601","r":"$request","ua":"$http_user_agent"}'
    [case] = AccessLog(path, log_format=log_format)
    assert (case.request.path, case.request.header("user-agent")) == ('/a?q="x1"', 'a "b"\t\\')


@pytest.mark.parametrize("kind", ["http", "https", "h2"])
def test_a_line_of_a_load_balancer_is_read_with_what_it_has_behind(kind: str, opened: Opened) -> None:
    line = (
        f"{kind} 2024-02-29T23:59:59.186641Z app/shop/50dc6c495c0c9188 192.0.2.9:2817 - -1 -1 -1 503 - 34 366 "
        r'"GET https://shop.test:443/a%20b?c=1 HTTP/2.0" "a \"b\" \x22c\x22" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 '
        'arn:aws:x "Root=1-58337281" "shop.test" "-" 1 2024-02-29T23:59:59.1Z "forward" "-" "-" "-" "-" "-" "-"\n'
    )
    [case] = opened(line.encode())
    assert (case.request.path, case.request.header("user-agent")) == ("/a%20b?c=1", 'a "b" "c"')


def test_what_a_load_balancer_could_not_read_is_no_request(opened: Opened) -> None:
    line = b'http 2024-02-29T23:59:59Z app/a/5 192.0.2.9:1 - -1 -1 -1 400 - 0 272 "- http://shop.test:80- -" "-" - -\n'
    source = opened(line)
    assert (list(source), source.intake.skipped) == ([], {"no request": 1})


def test_blank_lines_without_end_end_the_reading(opened: Opened) -> None:
    record = line().encode()
    with pytest.raises(DocumentError, match="100002: more than 100,000 blank lines one after another"):
        list(opened(record + b"\n" * 300_000 + record))
