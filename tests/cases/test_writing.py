"""Captures that are written: masked, readable after whatever happened, within their limits, and accounted for."""

from __future__ import annotations

import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.cases import CaptureFile, CaptureLimits, CaptureWriter, open_traffic, write_capture
from replay.errors import InputError
from replay.models import Case, Observation, Request, Timing
from replay.privacy import Tokeniser, redact_case

SUFFIXES = ["", ".gz", ".zst"]
HEADER_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8)
HEADERS = st.lists(st.tuples(st.sampled_from(["X-A", "x-a", "Content-Type", "B"]), HEADER_TEXT), max_size=3).map(tuple)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])
INSTANTS = st.builds(datetime.fromtimestamp, st.integers(0, 2**32).map(lambda n: n / 8), ZONES)
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=10)
RECORDED = st.builds(
    Observation,
    status=st.integers(0, 1000),
    headers=HEADERS,
    body=st.binary(max_size=9) | TEXT.map(str.encode),
    timing=st.none() | st.floats(0, 1e9).map(Timing),
)
CASES = st.builds(
    Case,
    id=TEXT,
    kind=st.just("traffic"),
    identity=st.just(""),
    request=st.builds(
        Request,
        method=st.sampled_from(["GET", "post", "M-SEARCH"]),
        path=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=9).map("/".__add__),
        headers=HEADERS,
        body=st.none() | st.binary(max_size=9) | TEXT.map(str.encode),
    ),
    correlation_id=TEXT,
    freeze=st.none() | INSTANTS,
    session=st.none() | TEXT,
    recorded=st.none() | RECORDED,
)


def bare(case: Case) -> tuple[object, ...]:
    """Return what a capture keeps of a case: all but identity and place, which are the file's."""
    return (case.id, case.kind, case.request, case.correlation_id, case.freeze, case.session, case.recorded)


def plain(case: Case) -> Case:
    """Mask nothing, where that is not the point."""
    return case


def masked(case: Case) -> Case:
    return redact_case(case, Tokeniser(b"key"))


def case(name: str, path: str = "/", *, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()) -> Case:
    request = Request("GET", path, headers)
    return Case(name, "traffic", "", request, correlation_id=name, recorded=Observation(200, (), body))


def ids(path: Path) -> list[str]:
    return [each.id for each in open_traffic(path)]


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes: the system refuses to write, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class Clock:
    """A clock that stands until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


# What is written


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cases_that_are_written_read_back_equal(tmp_path_factory: pytest.TempPathFactory, suffix: str) -> None:
    path = tmp_path_factory.mktemp("written") / f"c.jsonl{suffix}"

    @settings(max_examples=40)
    @given(st.lists(CASES, max_size=3))
    def round_trip(cases: list[Case]) -> None:
        assert write_capture(path, cases, plain, replacing=True).kept == len(cases)
        read = list(open_traffic(path))
        assert [bare(each) for each in read] == [bare(each) for each in cases]

    round_trip()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_cases_make_the_same_file(tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"1{suffix}", tmp_path / f"2{suffix}"
    for path in (first, second):
        write_capture(path, [case("a"), case("b")], plain)
    assert first.read_bytes() == second.read_bytes()


def test_nothing_secret_reaches_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    secret = case("a", "/?mail=ann@example.org", headers=(("Cookie", "sid=verysecret"),), body=b"it is verysecret")
    write_capture(path, [secret], masked)
    text = path.read_text()
    assert "verysecret" not in text
    assert "ann@" not in text
    assert "tok_" in text


def test_the_header_tells_what_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl.zst"
    write_capture(path, [case("a")], plain, facts={"made_by": "a test"})
    assert CaptureFile(path).facts == {"made_by": "a test"}


def test_a_capture_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "c.jsonl"
    write_capture(path, [], plain)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/a b"),
        Request("GET", "host"),
        Request("GE T", "/"),
        Request("GET", "/", (("A\r\nB", "1"),)),
        Request("GET", "/", (("A", "\ud800"),)),
    ],
)
def test_what_the_reader_would_refuse_is_not_written_but_counted(tmp_path: Path, request_: Request) -> None:
    path = tmp_path / "c.jsonl"
    account = write_capture(path, [case("a"), replace(case("b"), request=request_), case("c")], plain)
    assert (account.kept, account.lost, ids(path)) == (2, {"no sound record": 1}, ["a", "c"])


def test_half_a_character_in_an_answer_costs_its_case_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    torn = replace(case("b"), recorded=Observation(200, (("x", "\udc80"),), b""))
    account = write_capture(path, [case("a"), torn], plain)
    assert (account.lost, ids(path)) == ({"no sound record": 1}, ["a"])


# Whole, or not at all


def test_what_is_there_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text("mine")
    with pytest.raises(InputError, match="already"):
        write_capture(path, [case("a")], plain)
    assert path.read_text() == "mine"
    write_capture(path, [case("a")], plain, replacing=True)
    assert ids(path) == ["a"]


def test_a_capture_that_breaks_off_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text("mine")

    def broken() -> Iterator[Case]:
        yield case("a")
        raise InputError("a bad record")

    with pytest.raises(InputError, match="a bad record"):
        write_capture(path, broken(), plain, replacing=True)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("c.jsonl", "mine")]


def test_a_link_is_replaced_and_what_it_points_to_is_not(tmp_path: Path) -> None:
    path, behind = tmp_path / "c.jsonl", tmp_path / "behind"
    behind.write_text("mine")
    path.symlink_to(behind)
    with pytest.raises(InputError, match="already"):
        CaptureWriter(path, plain)
    write_capture(path, [case("a")], plain, replacing=True)
    assert (behind.read_text(), ids(path)) == ("mine", ["a"])


@pytest.mark.parametrize("place", ["folder", "/dev/null"])
def test_what_is_no_file_is_never_replaced(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.mkdir(exist_ok=True) if place == "folder" else None
    with pytest.raises(InputError, match="no file"):
        write_capture(path, [case("a")], plain, replacing=True)


def test_a_whole_capture_that_the_disk_does_not_take_is_none(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    with pytest.raises(OSError, match="too large"), files_up_to(1_000):
        write_capture(path, [case("a", body=b"x" * 5_000)], plain)
    assert list(tmp_path.iterdir()) == []


# Growing captures


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_flushed_outlives_a_killed_process(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"c.jsonl{suffix}"
    program = f"""
import os, signal
from pathlib import Path
from replay.cases import CaptureWriter
from replay.models import Case, Request
writer = CaptureWriter(Path({str(path)!r}), lambda case: case)
for number in range(20):
    writer.add(Case(f"c{{number}}", "traffic", "", Request()))
    if number % 5 == 4 and number < 15:
        writer.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
    assert ids(path) == [f"c{number}" for number in range(15)]


def test_a_new_capture_can_be_read_before_anything_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl.zst"
    with CaptureWriter(path, plain):
        assert ids(path) == []


def test_cases_are_written_when_they_are_many_large_or_old(tmp_path: Path) -> None:
    clock = Clock()
    with CaptureWriter(tmp_path / "c.jsonl", plain, clock=clock) as writer:
        for number in range(999):
            writer.add(case(f"c{number}"))
        assert (writer.account.kept, writer.account.waiting) == (0, 999)
        writer.add(case("many"))
        assert (writer.account.kept, writer.account.waiting) == (1_000, 0)
        writer.add(case("large", body=b"x" * (1 << 20)))
        assert writer.account.kept == 1_001
        writer.add(case("young"))
        clock.now = 2.0
        writer.add(case("old"))
        assert (writer.account.kept, writer.account.waiting) == (1_003, 0)


def test_full_files_are_followed_by_numbered_ones(tmp_path: Path) -> None:
    (tmp_path / "c-0002.jsonl.zst").write_text("mine")
    with CaptureWriter(tmp_path / "c.jsonl.zst", plain, limits=CaptureLimits(file_bytes=300)) as writer:
        for number in range(6):
            writer.add(case(f"c{number}", path="/" + "abcdefghij"[number] * 5))
            writer.flush()
    files = writer.account.files
    assert files[0].name == "c-0001.jsonl.zst"
    assert (tmp_path / "c-0002.jsonl.zst").read_text() == "mine"
    assert len(files) > 1
    assert [name for file in files for name in ids(file)] == [f"c{number}" for number in range(6)]
    assert all(file.stat().st_size <= 300 for file in files)
    assert writer.account.size == sum(file.stat().st_size for file in files)


def test_old_files_are_followed_by_others_and_none_is_without_a_case(tmp_path: Path) -> None:
    clock = Clock()
    with CaptureWriter(tmp_path / "c.jsonl", plain, limits=CaptureLimits(file_seconds=60), clock=clock) as writer:
        for number, clock.now in enumerate((0.0, 30.0, 60.0, 500.0)):
            writer.add(case(f"c{number}"))
            writer.flush()
    assert [ids(file) for file in writer.account.files] == [["c0", "c1"], ["c2"], ["c3"]]


def test_what_is_beyond_the_budget_is_not_kept_and_counted(tmp_path: Path) -> None:
    limits = CaptureLimits(file_bytes=400, budget=1_000)
    with CaptureWriter(tmp_path / "c.jsonl", plain, limits=limits) as writer:
        for number in range(20):
            writer.add(case(f"c{number}"))
            writer.flush()
    account = writer.account
    assert account.size == sum(file.stat().st_size for file in tmp_path.iterdir()) <= 1_000
    assert account.kept == sum(len(ids(file)) for file in account.files) > 0
    assert account.kept + account.lost["over the budget"] == 20


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_the_disk_does_not_take_is_counted_and_later_cases_are_kept(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"c.jsonl{suffix}"
    with CaptureWriter(path, plain) as writer:
        writer.add(case("before"))
        writer.flush()
        with files_up_to(path.stat().st_size + 10):
            writer.add(case("during"))
            writer.flush()
        writer.add(case("after"))
    account = writer.account
    assert (account.kept, account.lost) == (2, {"cannot be written: file too large": 1})
    assert isinstance(writer.fault, OSError)
    assert ids(path) == ["before", "after"]


def test_a_file_that_cannot_be_begun_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        CaptureWriter(tmp_path / "file" / "c.jsonl", plain)


def test_a_next_file_that_cannot_be_begun_costs_its_cases_alone(tmp_path: Path) -> None:
    folder = tmp_path / "captures"
    with CaptureWriter(folder / "c.jsonl", plain, limits=CaptureLimits(file_bytes=1)) as writer:
        writer.add(case("a"))
        writer.flush()
        folder.rename(tmp_path / "moved")
        writer.add(case("b"))
        writer.flush()
        (tmp_path / "moved").rename(folder)
        writer.add(case("c"))
    assert (writer.account.kept, sum(writer.account.lost.values())) == (2, 1)
    assert [name for file in writer.account.files for name in ids(file)] == ["a", "c"]
