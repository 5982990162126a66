"""Lines that a program prints lose their secrets before they are kept."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.privacy import Tokeniser
from replay.privacy.headers import is_secret, resembles_secret
from replay.privacy.lines import line_redactor, without_named
from replay.privacy.tokens import TOKEN

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


WRITTEN = re.compile(r"""([A-Za-z][A-Za-z0-9_-]{1,60})(["']?\s{0,3}[:=]\s{0,3}["']?)([^\s"',;&]{4,4000})""")
PIECES = st.sampled_from(
    ["password", "api_key", "x-token", "Count", "a", "Z", "0", "_", "-", ":", "=", "'", '"', " ", "\n", "\u2003", ",",
     "é", "tok_gkvtsfzeynqt74jd", "hunter2hunter2", "a" * 59, "a" * 60, "0" * 58 + "token", "- " * 3]
)  # fmt: skip


@given(pieces=st.lists(PIECES, max_size=30))
@settings(max_examples=500)
def test_names_are_found_as_a_search_from_the_left_finds_them(pieces: list[str]) -> None:
    """The search was what the code once did: it took a minute for a few long words, and this has to find no less."""

    def kept(found: re.Match[str]) -> str:
        name, between, value = found.groups()
        secret = is_secret(name.lower().replace("_", "-")) or resembles_secret(name)
        return f"{name}{between}<{value}>" if secret and not TOKEN.search(value) else found[0]

    text = "".join(pieces)
    assert without_named(text, lambda value: f"<{value}>") == WRITTEN.sub(kept, text)
