"""One small file of each format, made here."""

from __future__ import annotations

import gzip
import json
from typing import Any

SEPARATOR = "\n🐵🙈🙉\n".encode()


def netstring(value: Any) -> bytes:
    """Return a value as a tagged netstring."""
    if isinstance(value, dict):
        data, tag = b"".join(netstring(part) for pair in value.items() for part in pair), b"}"
    elif isinstance(value, list):
        data, tag = b"".join(map(netstring, value)), b"]"
    elif isinstance(value, bytes):
        data, tag = value, b","
    elif isinstance(value, str):
        data, tag = value.encode(), b";"
    elif value is None:
        data, tag = b"", b"~"
    elif isinstance(value, bool):
        data, tag = str(value).lower().encode(), b"!"
    else:
        data, tag = str(value).encode(), b"#" if isinstance(value, int) else b"^"
    return b"%d:%s%s" % (len(data), data, tag)


def flow(version: Any = 21, kind: str = "http", **changes: Any) -> dict[str, Any]:
    """Return an HTTP flow as mitmproxy keeps it."""
    request = {
        "method": b"GET",
        "scheme": b"https",
        "host": "shop.test",
        "path": b"/a?b=1",
        "headers": [[b"Host", b"shop.test"], [b"X-A", b"1"], [b"x-a", b"2"]],
        "content": b"",
        "timestamp_start": 1709251199.5,
    }
    response = {
        "status_code": 200,
        "headers": [[b"Content-Encoding", b"gzip"]],
        "content": gzip.compress(b"ok", mtime=0),
        "timestamp_end": 1709251199.75,
    }
    whole = {"type": kind, "version": version, "client_conn": {"id": "c-1"}, "request": request, "response": response}
    return whole | changes


def payload(kind: int, key: str, content: str, moment: int = 1709251199500000000) -> bytes:
    """Return one payload of GoReplay's, without its separator."""
    return f"{kind} {key} {moment}\n{content}".encode()


def gor(*payloads: bytes) -> bytes:
    """Return a file of GoReplay's."""
    return b"".join(each + SEPARATOR for each in payloads)


SPANS = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "kind": 2,
                            "traceId": "5b8efff798038103d269b633813fc60c",
                            "startTimeUnixNano": "1709251199500000000",
                            "attributes": [
                                {"key": "http.request.method", "value": {"stringValue": "GET"}},
                                {"key": "url.path", "value": {"stringValue": "/a"}},
                                {"key": "url.query", "value": {"stringValue": "b=1"}},
                                {
                                    "key": "http.request.header.accept",
                                    "value": {"arrayValue": {"values": [{"stringValue": "*/*"}]}},
                                },
                            ],
                        }
                    ]
                }
            ]
        }
    ]
}

SAMPLES: dict[str, bytes] = {
    "capture": b'{"replay_capture": 1}\n{"request": {"path": "/a?b=1"}}\n',
    "har": json.dumps(
        {
            "log": {
                "entries": [
                    {
                        "request": {"method": "GET", "url": "https://shop.test/a?b=1", "headers": []},
                        "response": {"status": 200, "headers": [], "content": {"size": 2, "text": "ok"}},
                    }
                ]
            }
        }
    ).encode(),
    "gor": gor(
        payload(1, "a1b2", "GET /a?b=1 HTTP/1.1\r\nHost: shop.test\r\nX-A: 1\r\n\r\n"),
        payload(2, "a1b2", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1709251199510000000),
    ),
    "mitmproxy": netstring(flow()),
    "cassette": (
        b"interactions:\n- request: {body: null, headers: {X-A: ['1']}, method: GET, uri: 'https://shop.test/a?b=1'}\n"
        b"  response:\n    body: {string: ok}\n    headers: {}\n    status: {code: 200, message: OK}\nversion: 1\n"
    ),
    "spans": json.dumps(SPANS).encode(),
    "curl": b"# a paste\ncurl 'https://shop.test/a?b=1' -H 'X-A: 1'\n",
    "log": b'192.0.2.7 - - [29/Feb/2024:23:59:59 +0000] "GET /a?b=1 HTTP/1.1" 200 2 "-" "agent/1.0"\n',
}
"""By format, a file with one record: GET /a?b=1 of shop.test."""
