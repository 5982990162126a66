"""Native captures: streamed, exact, and each record loaded or counted."""

from __future__ import annotations

import gzip
import json
import os
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from replay.cases import CaptureFile, open_traffic
from replay.cases.chosen import Choice, Chosen
from replay.errors import DocumentError
from replay.models import Case, Observation, Request, Timing

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HEADER = b'{"replay_capture": 1}\n'
GOOD = b'{"id": "a", "request": {"path": "/a"}}\n'


def capture(folder: Path, *lines: bytes, name: str = "c.jsonl") -> Path:
    path = folder / name
    path.write_bytes(HEADER + b"".join(lines))
    return path


def one(folder: Path, record: dict[str, Any] | bytes) -> Case:
    line = record if isinstance(record, bytes) else json.dumps(record).encode()
    [case] = open_traffic(capture(folder, line))
    return case


def error_of(read: Callable[[], Any]) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        read()
    assert caught.value.exit_code == 2
    return caught.value


def test_a_record_is_read_in_full(tmp_path: Path) -> None:
    case = one(
        tmp_path,
        {
            "id": "order-7",
            "request": {"method": "POST", "path": "/orders?x=%20", "headers": {"Host": "shop.test"}, "json": {"n": 1}},
            "response": {"status": 201, "headers": [["Set-Cookie", "a"], ["set-cookie", "b"]], "text": "é"},
            "at": "2024-02-29T23:59:59+01:00",
            "session": "s-1",
            "correlation_id": "c-1",
            "latency_ms": 12.5,
        },
    )
    assert (case.id, case.kind, case.session, case.correlation_id) == ("order-7", "traffic", "s-1", "c-1")
    assert case.request == Request(
        "POST", "/orders?x=%20", (("Host", "shop.test"), ("Content-Type", "application/json")), b'{"n":1}'
    )
    headers = (("Set-Cookie", "a"), ("set-cookie", "b"))
    assert case.recorded == Observation(201, headers, "é".encode(), timing=Timing(12.5))
    assert case.freeze == datetime(2024, 2, 29, 22, 59, 59, tzinfo=UTC)


def test_a_record_without_id_is_called_by_file_and_line(tmp_path: Path) -> None:
    path = capture(tmp_path, b"\n", b'{"request": {}}\n', b"  \r\n", b'{"request": {}}')
    source = open_traffic(path)
    cases = list(source)
    assert [case.id for case in cases] == [f"{path}:3", f"{path}:5"]
    assert [case.place for case in cases] == [f"{path}:3", f"{path}:5"]
    assert [case.identity for case in cases] == [f"{source.digest[:16]}:1", f"{source.digest[:16]}:2"]
    assert source.intake.read == source.intake.loaded == 2


def test_equal_ids_are_retries_and_told_apart_by_identity(tmp_path: Path) -> None:
    cases = list(open_traffic(capture(tmp_path, GOOD, GOOD)))
    assert [case.id for case in cases] == ["a", "a"]
    assert len({case.identity for case in cases}) == 2


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Request-ID": "r-1", "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}, "r-1"),
        ({"Traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}, "a" * 32),
        ({"traceparent": "00-" + "0" * 32 + "-" + "b" * 16 + "-01"}, "x"),
        ({"traceparent": "nonsense"}, "x"),
    ],
)
def test_the_correlation_id_is_the_services_own(tmp_path: Path, headers: dict[str, str], expected: str) -> None:
    assert one(tmp_path, {"id": "x", "request": {"headers": headers}}).correlation_id == expected


def test_numbers_in_a_json_body_are_sent_as_they_are_written(tmp_path: Path) -> None:
    digits = b"9" * 5000
    case = one(tmp_path, b'{"request": {"json": [9.90, 1e5, -0, 1.0, ' + digits + b', "1e999"]}}')
    assert case.request.body == b"[9.90,1e5,-0,1.0," + digits + b',"1e999"]'


def test_a_line_separator_within_a_string_ends_no_line(tmp_path: Path) -> None:
    case = one(tmp_path, '{"request": {"text": "a\u2028b\u2029\x85c"}}'.encode())
    assert case.request.body == "a\u2028b\u2029\x85c".encode()


def test_a_byte_order_mark_and_a_missing_last_line_feed_are_read(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + HEADER.replace(b"\n", b"\r\n") + GOOD.rstrip())
    assert [case.id for case in open_traffic(path)] == ["a"]


def test_a_line_of_8_mb_is_read(tmp_path: Path) -> None:
    case = one(tmp_path, {"request": {"text": "x" * 8_000_000}})
    assert len(case.request.body or b"") == 8_000_000


def test_a_capture_without_records_yields_none(tmp_path: Path) -> None:
    source = open_traffic(capture(tmp_path))
    assert list(source) == []
    assert source.intake.read == 0


BAD = [
    ("truncated", b'{"request": {"path": "/'),
    ("truncated", b'{"request": {"path": "/a"}, "at"'),
    ("invalid", b"\0" * 300),
    ("invalid", b'\0\0\0{"request": {}}'),
    ("invalid", b'{"request": {}}\0\0\0'),
    ("invalid", b"not json"),
    ("invalid", b'{"request": {}} {"request": {}}'),
    ("lone_surrogates", b'{"request": {"text": "\\ud800"}}'),
    ("duplicate_keys", b'{"request": {"path": "/a", "path": "/b"}}'),
    ("nan", b'{"request": {"json": NaN}}'),
    ("overflow", b'{"request": {"json": [1, {"a": -1e999}]}}'),
    ("overflow", b'{"request": {}, "latency_ms": 1E+0400}'),
    ("too_deep", b'{"request": {"json": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"),
    ("not_utf8", b'{"request": {"text": "caf\xe9"}}'),
    ("invalid_record", b"[]"),
    ("invalid_record", b"null"),
    ("invalid_record", b"{}"),
    ("invalid_record", b'{"request": {"pth": "/"}}'),
    ("invalid_record", b'{"request": {"path": "http://other.test/"}}'),
    ("invalid_record", b'{"request": {"headers": {"a": "b\\r\\nc: d"}}}'),
    ("invalid_record", b'{"request": {"file": "/etc/passwd"}}'),
    ("invalid_record", b'{"request": {"base64": "*"}}'),
    ("invalid_record", b'{"request": {}, "at": "yesterday"}'),
    ("invalid_record", b'{"request": {}, "response": {"status": "ok"}}'),
    ("invalid_record", b'{"request": {}, "latency_ms": -1}'),
]


@pytest.mark.parametrize(("reason", "line"), BAD, ids=range(len(BAD)))
def test_a_bad_record_is_an_error_with_file_and_line_or_counted(tmp_path: Path, reason: str, line: bytes) -> None:
    path = capture(tmp_path, GOOD, line + b"\n", GOOD)
    error = str(error_of(lambda: list(open_traffic(path))))
    assert error.startswith(f"{path}:3: ")
    assert error.replace("\n", "").isprintable()
    source = open_traffic(path, skip_bad=True)
    assert [case.place for case in source] == [f"{path}:2", f"{path}:4"]
    assert (source.intake.loaded, dict(source.intake.skipped), source.intake.read) == (2, {reason: 1}, 3)


def test_records_keep_their_identity_when_bad_ones_before_them_are_skipped(tmp_path: Path) -> None:
    source = open_traffic(capture(tmp_path, b"{}\n", GOOD), skip_bad=True)
    assert [case.identity.partition(":")[2] for case in source] == ["2"]


def test_a_torn_file_is_named_so(tmp_path: Path) -> None:
    path = capture(tmp_path, GOOD, b"\0" * 300)
    assert "the file was torn" in str(error_of(lambda: list(open_traffic(path))))


def test_a_reading_without_identities_is_one_that_gives_digest_and_intake_too(tmp_path: Path) -> None:
    path = capture(tmp_path, GOOD, b"\n", GOOD)
    source, expected = CaptureFile(path), CaptureFile(path)
    cases = list(source.without_identity())
    assert cases == [replace(case, identity="") for case in expected]
    assert (source.intake, source.intake.loaded) == (expected.intake, 2)
    path.unlink()
    assert source.digest == expected.digest


def test_a_reading_without_identities_fails_as_any_other(tmp_path: Path) -> None:
    path = capture(tmp_path, GOOD, b"{}")
    usual = str(error_of(lambda: list(CaptureFile(path))))
    assert str(error_of(lambda: list(CaptureFile(path).without_identity()))) == usual


def test_counting_the_chosen_cases_reads_the_file_once(tmp_path: Path) -> None:
    path, seen = capture(tmp_path, GOOD, GOOD), list[Case]()
    chosen = Chosen([CaptureFile(path)], Choice())
    expected = Chosen([CaptureFile(path)], Choice()).digest
    assert chosen.count(seen.append) == len(seen) == 2
    path.unlink()
    assert chosen.digest == expected


@pytest.mark.parametrize("version", ["2", '"1"', "true", "null", "1.5"])
def test_another_version_is_refused_by_name(tmp_path: Path, version: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(f'{{"replay_capture": {version}}}\n')
    assert "this program reads 1" in str(error_of(lambda: list(open_traffic(path))))


# Compression

PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "zst": zstd.compress}


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst", ".txt"])
def test_compression_is_told_by_content_whatever_the_suffix(tmp_path: Path, kind: str, suffix: str) -> None:
    path = tmp_path / f"c.jsonl{suffix}"
    path.write_bytes(PACKERS[kind](HEADER + GOOD * 3))
    source = open_traffic(path)
    assert len(list(source)) == 3
    assert source.digest == open_traffic(capture(tmp_path, GOOD * 3, name="plain")).digest


@pytest.mark.parametrize("kind", PACKERS)
def test_several_members_in_one_file_are_all_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "c"
    path.write_bytes(PACKERS[kind](HEADER + GOOD) + PACKERS[kind](GOOD))
    assert len(list(open_traffic(path))) == 2


def records(count: int) -> bytes:
    return b"".join(
        b'{"id": "%d", "request": {"text": "%s"}}\n' % (n, os.urandom(200).hex().encode()) for n in range(count)
    )


@pytest.mark.parametrize("kind", PACKERS)
def test_a_cut_stream_is_an_error_that_says_after_which_record(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "c"
    whole = PACKERS[kind](HEADER + records(3000))
    path.write_bytes(whole[: len(whole) * 2 // 3])
    error = str(error_of(lambda: list(open_traffic(path))))
    assert "cut or corrupt after record" in error
    source = open_traffic(path, skip_bad=True)
    loaded = len(list(source))
    assert 0 < loaded < 3000
    assert (source.intake.loaded, dict(source.intake.skipped)) == (loaded, {"cut": 1})
    assert error.startswith(f"{path}:{loaded + 2}: ")


@pytest.mark.parametrize("kind", PACKERS)
def test_a_stream_corrupt_from_the_start_is_an_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "c"
    path.write_bytes(PACKERS[kind](HEADER)[:6] + b"\xff" * 40)
    for skip_bad in (False, True):
        error_of(lambda skip_bad=skip_bad: list(open_traffic(path, skip_bad=skip_bad)))  # type: ignore[misc]


# What is no capture


@pytest.mark.parametrize(
    "data", [b"", b" \n", b"hello", b"\x89PNG\r\n", b"[1]", b'{"a": 1}\n', GOOD, b"\xff\xfe{", b"\0" * 99]
)
def test_an_unknown_format_is_an_error_that_says_what_can_be_read(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(data)
    assert "can be read: a capture" in str(error_of(lambda: open_traffic(path)))


def test_a_folder_a_pipe_a_device_a_loop_and_a_missing_file_are_errors_and_never_block(tmp_path: Path) -> None:
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    assert "is a folder" in str(error_of(lambda: open_traffic(tmp_path)))
    assert "is a pipe" in str(error_of(lambda: open_traffic(pipe)))
    assert "is a device" in str(error_of(lambda: open_traffic("/dev/zero")))
    assert "symbolic link" in str(error_of(lambda: open_traffic(loop)))
    assert "no such file" in str(error_of(lambda: open_traffic(tmp_path / "missing")))
    assert "cannot be read" in str(error_of(lambda: open_traffic("a\0b")))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    path = capture(tmp_path)
    path.chmod(0)
    assert "permission denied" in str(error_of(lambda: open_traffic(path)))


# Streaming


def test_memory_does_not_grow_with_the_number_of_records(tmp_path: Path) -> None:
    small, large = capture(tmp_path, GOOD * 20, name="s"), capture(tmp_path, GOOD * 1000, name="l")
    peaks = []
    for path in (small, small, large):
        tracemalloc.start()
        assert sum(1 for _ in open_traffic(path))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] + 50_000


def test_an_iteration_that_is_left_closes_its_file(tmp_path: Path) -> None:
    source = open_traffic(capture(tmp_path, GOOD * 3))
    assert next(iter(source)).id == "a"  # an open file would be a ResourceWarning, and warnings are errors
    assert source.intake.loaded == 0


def test_what_the_header_tells_beside_the_format_is_there_for_those_who_know_it(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_bytes(b'\n{"replay_capture": 1, "made_by": "a proxy"}\n' + GOOD)
    source = CaptureFile(path)
    assert (source.facts, len(list(source))) == ({"made_by": "a proxy"}, 1)
    path.write_bytes(b"")
    assert "no header" in str(error_of(lambda: source.facts))


def test_a_line_without_end_is_told_in_bounded_memory_however_small_it_is_packed(tmp_path: Path) -> None:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    path = tmp_path / "bomb"
    with path.open("wb") as file:
        for piece in (HEADER, GOOD, *[b"x" * (1 << 20)] * 150, b"\n", GOOD):
            file.write(packer.compress(piece))
        file.write(packer.flush())
    tracemalloc.start()
    assert "a line of more than 100 MB" in str(error_of(lambda: list(open_traffic(path))))
    source = open_traffic(path, skip_bad=True)
    assert len(list(source.without_identity())) == 2
    assert tracemalloc.get_traced_memory()[1] < 250 << 20
    tracemalloc.stop()
    assert source.intake.skipped == {"too_long": 1}


def test_blank_lines_may_stand_before_the_header(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_bytes(b"\xef\xbb\xbf\r\n \n" + HEADER + GOOD)
    assert [case.id for case in open_traffic(path)] == ["a"]


@pytest.mark.parametrize("skip_bad", [False, True])
def test_blank_lines_without_end_are_refused_where_there_are_too_many(tmp_path: Path, *, skip_bad: bool) -> None:
    path = capture(tmp_path, GOOD, b"\n" * 300_000, GOOD, name="c.jsonl")
    error = error_of(lambda: list(open_traffic(path, skip_bad=skip_bad)))
    assert "c.jsonl:100003: more than 100,000 blank lines one after another" in str(error)


def test_many_blank_lines_are_read_where_records_stand_between_them(tmp_path: Path) -> None:
    path = capture(tmp_path, b"\n" * 60_000, GOOD, b"\r\n" * 60_000, GOOD)
    assert [case.id for case in open_traffic(path)] == ["a", "a"]
