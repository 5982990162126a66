"""What a command says of an address that is in use, and which port it means."""

from __future__ import annotations

import pytest

from replay.services.ports import clash


@pytest.mark.parametrize(("line", "ports"), [
    ("OSError: [Errno 98] Address already in use", ()),
    ("[Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use", (8000,)),
    ("Error: listen EADDRINUSE: address already in use :::3000", (3000,)),
    ("2026-11-28 18:23:30,123 listen tcp :8080: bind: address already in use", (8080,)),
    ("listen tcp 10.0.0.12:8080: bind: address already in use", (8080,)),
    ("Web server failed to start. Port 8080 was already in use.", (8080,)),
    ("Port 5000 is in use by another program.", (5000,)),
    ("java.net.BindException: Address already in use", ()),
])  # fmt: skip
def test_the_port_is_the_one_that_the_line_names(line: str, ports: tuple[int, ...]) -> None:
    found = clash(["listening on :1234", line, "exit 1"])
    assert found is not None
    assert found.ports == ports


@pytest.mark.parametrize("line", ["", "table orders is in use", "this port is useful", "address: in useful form"])
def test_other_lines_speak_of_no_port(line: str) -> None:
    assert clash([line]) is None


def test_a_clash_is_told_in_words() -> None:
    assert str(clash(["address in use"])) == "an address that it wants"
    assert str(clash(["port 80 in use", "port 81 in use"])) == "ports 80 and 81"
