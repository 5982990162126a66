"""Lines that a program prints lose their secrets before they are kept."""

from __future__ import annotations

import pytest

from replay.privacy import Tokeniser
from replay.privacy.lines import line_redactor

clean = line_redactor(Tokeniser(b"key"), {"correct-horse"})


@pytest.mark.parametrize(("line", "secret"), [
    ("it is correct-horse", "correct-horse"),
    ("GET /x?token=abcdef123456&page=2 200", "abcdef123456"),
    ("Authorization: Bearer abc.def-123456", "abc.def-123456"),
    ("got header authorization='Basic dXNlcjpwYXNz'", "dXNlcjpwYXNz"),
    ('{"password": "hunter2hunter2"}', "hunter2hunter2"),
    ("DB_PASSWORD=hunter2hunter2", "hunter2hunter2"),
    ("cookie: session=abcdefgh", "abcdefgh"),
])  # fmt: skip
def test_secrets_become_tokens(line: str, secret: str) -> None:
    assert secret not in clean(line)
    assert "tok_" in clean(line)


@pytest.mark.parametrize("line", ["", "GET /x?page=2 200", "listening on: 127.0.0.1", "count = 12345", "a: b: c: d"])
def test_what_is_no_secret_stays(line: str) -> None:
    assert clean(line) == line


def test_a_long_line_takes_no_long_time() -> None:
    clean("a" * 8192)
    clean("password=" * 900)
    clean("a:" * 4096)
