"""Files that are read twice: the second time quicker, to the same cases, and only what was read the first time."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.cases import CaptureFile, HarFile
from replay.cases.blocks import BLOCK, Blocks
from replay.errors import DocumentError
from replay.models import Case
from replay.sampling import Portion

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

HEADER = b'{"replay_capture": 1}\n'
PACKERS: dict[str, Callable[[bytes], bytes]] = {"plain": bytes, "gz": gzip.compress, "zst": zstd.compress}
MANY = 3 * BLOCK // 100
"""Records of a hundred bytes and more: some blocks of them."""


def record(number: int) -> bytes:
    # The text does not compress to nothing, so that compressed files fall into several blocks too.
    text = "".join(f"{zlib.crc32(b'%d %d' % (number, part)):08x}" for part in range(10))
    return json.dumps({"id": f"c-{number}", "request": {"path": f"/{number}", "text": text}}).encode() + b"\n"


def checked(source: CaptureFile) -> int:
    """Read a file as it is read before anything is sent, without making a case of what is plain; count them."""
    return sum(1 for _ in source.to_check(lambda _request: True))


LINES = st.sampled_from(
    [
        b"", b" \t\r", b"\x0b", b'{"request": {}}', b'{"request": {"path": "/a", "headers": {"X-Request-ID": "r"}}}\r',
        b' {"request": {"json": {"a": [1.5, "\\u00e9"]}}, "session": "s"}', b'{"request": {"json": [-0, 1.50]}}',
        b'{"request": {"json": ' + b"[" * 300 + b"]" * 300 + b"}}", b'{"request": {"pth": "/"}}', b"no json", b"\0\0",
        b'{"request": {}, "response": {"status": 0}}', b'{"request": {}, "request": {}}', b"\xff", b"{", b"[1]",
        b'{"request": {"base64": "aGk="}, "response": {"status": 200, "headers": [["a", "1"], ["a", ""]]}}',
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(LINES, max_size=12), bom=st.booleans(), ended=st.booleans(), spared=st.booleans())
def test_whatever_a_file_holds_the_second_reading_comes_to_what_the_first_did(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], *, bom: bool, ended: bool, spared: bool
) -> None:
    path = tmp_path_factory.mktemp("c") / "c.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" * bom + HEADER + b"\n".join(lines) + b"\n" * ended)
    once, source = CaptureFile(path, skip_bad=True), CaptureFile(path, skip_bad=True)
    cases = list(once.without_identity())
    looked_at = list(source.to_check(lambda _request: spared))
    assert len(looked_at) == len(cases)
    assert all(one is None or repr(one) == repr(other) for one, other in zip(looked_at, cases, strict=True))
    assert source.intake == once.intake
    assert source.digest == once.digest
    assert [repr(case) for case in source] == [repr(case) for case in CaptureFile(path, skip_bad=True)]
    assert source.intake == once.intake
    parts = [case.id for index in range(2) for case in source.part(Portion(index, 2))]
    assert sorted(parts) == sorted(case.id for case in cases)


@pytest.mark.parametrize("packer", PACKERS)
def test_a_file_of_many_blocks_is_read_the_second_time_as_the_first(tmp_path: Path, packer: str) -> None:
    path = tmp_path / "c"
    data = b"".join(map(record, range(MANY)))
    path.write_bytes(PACKERS[packer](HEADER + data))
    source = CaptureFile(path)
    assert checked(source) == MANY
    assert [case.id for case in source] == [f"c-{number}" for number in range(MANY)]
    with path.open("rb") as raw:
        assert packer != "plain" or len(list(Blocks(raw, "c", None))) > 2


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "a letter": lambda data: data.replace(b"/7", b"/8", 1),
    "a record more": lambda data: data + record(MANY),
    "a record less": lambda data: data[: data.rindex(b"\n", 0, -1) + 1],
    "no end": lambda data: data[:-1],
    "nothing left": lambda data: data[:0],
    "others": lambda _data: HEADER + record(1),
    "two swapped": lambda data: HEADER + record(1) + record(0) + data[len(HEADER + record(0) + record(1)) :],
}  # fmt: skip


@pytest.mark.parametrize("count", [20, MANY])
@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_between_two_readings_is_an_error(
    tmp_path: Path, change: str, packer: str, count: int
) -> None:
    path = tmp_path / "c"
    data = HEADER + b"".join(map(record, range(count)))
    path.write_bytes(PACKERS[packer](data))
    source = CaptureFile(path)
    checked(source)
    path.write_bytes(PACKERS[packer](CHANGES[change](data)))
    with pytest.raises(DocumentError) as caught:
        list(source)
    assert "has changed since" in str(caught.value) or "no header" in str(caught.value)


def test_no_record_of_a_block_that_has_changed_is_handed_out(tmp_path: Path) -> None:
    path = tmp_path / "c"
    data = HEADER + b"".join(map(record, range(MANY)))
    path.write_bytes(data)
    source = CaptureFile(path)
    checked(source)
    # Twice the same key in the last record but one: whoever reads it unlooked would send one of the two.
    path.write_bytes(data.replace(b'{"id": "c-%d"' % (MANY - 2), b'{"id": "c-1", "id": "c-2"'))
    handed_out: list[Case] = []
    with pytest.raises(DocumentError, match="has changed since"):
        handed_out.extend(case for case in source)
    seen = [case.id for case in iter_until_error(source)]
    assert seen == [f"c-{number}" for number in range(len(seen))]
    assert 0 < len(seen) < MANY - 2


def iter_until_error(source: CaptureFile) -> list[Case]:
    """Return what is handed out before a file is found to have changed."""
    found: list[Case] = []
    try:
        for case in source:
            found.append(case)  # noqa: PERF402 - what came before the error counts
    except DocumentError:
        return found
    raise AssertionError("the file has changed")


def test_a_reading_that_was_left_half_way_is_no_reading(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_bytes(HEADER + record(0) + record(1))
    source = CaptureFile(path)
    assert next(iter(source.to_check(lambda _request: True))) is None
    path.write_bytes(HEADER + record(2))
    assert [case.id for case in source] == ["c-2"]


def test_of_other_formats_too_another_content_is_another_file(tmp_path: Path) -> None:
    def har(count: int) -> str:
        entry: Any = {
            "request": {"method": "GET", "url": "https://a.test/"},
            "response": {"status": 200, "content": {}},
        }
        return json.dumps({"log": {"entries": [entry] * count}})

    path = tmp_path / "t.har"
    path.write_text(har(2))
    source = HarFile(path)
    assert len(list(source)) == 2
    path.write_text(har(3))
    with pytest.raises(DocumentError, match="has changed since"):
        list(source)
