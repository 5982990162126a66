"""DogStatsD datagrams, as a real socket receives them, and what becomes of them where nobody does."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from replay.errors import SettingsError
from replay.experiment.calls import Loss, Outcome, Setup
from replay.experiment.dogstatsd import UDP_BYTES, DogStatsD
from replay.experiment.examining import Examiner
from replay.privacy import MaskKey
from tests.experiment.kept import agreeing, differing

DRAFT = Setup("needs-draft")
EXAMINER = Examiner(MaskKey(b"a key of these tests", made=False))


@pytest.fixture
def agent() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(10)
        yield listening


def address_of(agent: socket.socket) -> str:
    host, port = agent.getsockname()
    return f"{host}:{port}"


def lines(agent: socket.socket) -> list[str]:
    return agent.recv(65_536).decode().splitlines()


def outcome(setup: Setup = DRAFT) -> Outcome:
    return EXAMINER.examined(differing(setup))


def test_one_line_sends_counts_and_durations_of_both_sides(agent: socket.socket) -> None:
    sink = DogStatsD(address_of(agent), tags=["env:live"])
    for told in (outcome(), outcome(), EXAMINER.examined(agreeing(DRAFT))):
        sink.take(told)
    sink.close()
    assert lines(agent) == [
        "replay.experiment.calls:2|c|#experiment:needs-draft,outcome:deviation,chosen:old,env:live",
        "replay.experiment.calls:1|c|#experiment:needs-draft,outcome:match,chosen:old,env:live",
        "replay.experiment.duration:2.000:2.000|d|#experiment:needs-draft,outcome:deviation,side:old,env:live",
        "replay.experiment.duration:2.000:2.000|d|#experiment:needs-draft,outcome:deviation,side:new,env:live",
        "replay.experiment.duration:1.000|d|#experiment:needs-draft,outcome:match,side:old,env:live",
        "replay.experiment.duration:1.000|d|#experiment:needs-draft,outcome:match,side:new,env:live",
    ]


def test_kinds_beyond_what_is_gathered_are_counted_as_lost(
    agent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replay.experiment.dogstatsd.MOST_KINDS", 2)
    sink = DogStatsD(address_of(agent))
    for name in ("a", "b", "c", "c", "d"):
        sink.take(outcome(Setup(name)))
    sink.flush()
    assert "replay.experiment.lost:3|c|#reason:more_kinds_of_metrics_than_are_gathered_at_once" in lines(agent)
    sink.take(outcome(Setup("d")))
    sink.close()
    assert not any("lost" in line for line in lines(agent))


def test_a_unix_socket_receives_the_same(tmp_path: Path) -> None:
    path = tmp_path / "dsd.socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as agent:
        agent.bind(str(path))
        agent.settimeout(10)
        sink = DogStatsD(f"unix://{path}")
        sink.lose(Loss("needs-draft", outcome().at, "too slow", 7))
        sink.close()
        assert lines(agent) == ["replay.experiment.lost:7|c|#experiment:needs-draft,reason:too_slow"]


def test_what_would_end_a_tag_or_a_line_is_an_underscore(agent: socket.socket) -> None:
    sink = DogStatsD(address_of(agent))
    sink.lose(Loss("a,b|c#d\ne%s", outcome().at, "why", 1))
    sink.close()
    assert lines(agent) == ["replay.experiment.lost:1|c|#experiment:a_b_c_d_e_s,reason:why"]


def test_no_packet_is_larger_than_the_network_carries_whole(agent: socket.socket) -> None:
    sink = DogStatsD(address_of(agent))
    told = outcome()
    for _ in range(1_000):
        sink.take(told)
    sink.close()
    agent.setblocking(False)
    packets = []
    while True:
        try:
            packets.append(agent.recv(65_536))
        except BlockingIOError:
            break
    assert max(map(len, packets)) <= UDP_BYTES
    assert sum(packet.count(b"2.000") for packet in packets) == 2_000


def test_of_a_flood_a_sample_of_the_durations_is_sent_with_its_rate(agent: socket.socket) -> None:
    sink = DogStatsD(address_of(agent))
    told = replace(outcome(), result=replace(outcome().result, new=None))
    for _ in range(4_000):
        sink.take(told)
    sink.close()
    received = lines(agent)
    assert "replay.experiment.calls:4000|c" in received[0]
    assert all("|d|@0.250000|" in line for line in received[1:])


def test_an_agent_that_is_gone_is_told_by_an_error_and_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "dsd.socket"
    sink = DogStatsD(f"unix://{path}")
    sink.take(outcome())
    with pytest.raises(OSError, match="No such file"):
        sink.flush()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as agent:
        agent.bind(str(path))
        agent.settimeout(10)
        sink.take(outcome())
        sink.close()
        assert "calls:1|c" in lines(agent)[0]


def test_an_agent_that_does_not_read_drops_and_nobody_waits(tmp_path: Path) -> None:
    path = tmp_path / "dsd.socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as agent:
        agent.bind(str(path))
        sink = DogStatsD(f"unix://{path}")
        with pytest.raises(BlockingIOError):
            flood(sink)


def flood(sink: DogStatsD) -> None:
    told = outcome()
    for _ in range(10_000):
        sink.take(told)
        sink.flush()


def test_names_without_end_are_bounded(agent: socket.socket) -> None:
    sink = DogStatsD(address_of(agent))
    at = outcome().at
    for number in range(5_000):
        sink.lose(Loss(f"experiment {number}", at, "why", 1))
    *told, beyond = sink._lines()
    assert (len(told), beyond.decode().partition("|")[0]) == (2_000, "replay.experiment.lost:3000")


@pytest.mark.parametrize("address", ["", "8125", "localhost", "localhost:", "localhost:0", "localhost:99999", "a:b"])
def test_no_address_is_refused_with_what_to_write(address: str) -> None:
    with pytest.raises(SettingsError, match=re.escape("127.0.0.1:8125")):
        DogStatsD(address)
