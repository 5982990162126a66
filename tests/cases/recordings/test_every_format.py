"""What holds for every format of recorded traffic."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replay.cases import TRAFFIC, Source, open_traffic
from replay.errors import DocumentError
from replay.models import Case
from replay.sampling import Portion
from tests.cases.recordings.samples import SAMPLES

Opened = Callable[..., Source]


def test_there_is_a_sample_of_every_format() -> None:
    assert SAMPLES.keys() == TRAFFIC.keys()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_record_becomes_a_case_without_its_host(name: str, opened: Opened) -> None:
    source = opened(SAMPLES[name])
    assert isinstance(source, TRAFFIC[name])  # type: ignore[arg-type]
    [case] = source
    assert (case.request.method, case.request.path, case.kind) == ("GET", "/a?b=1", "traffic")
    assert "shop.test" not in repr(case.request)
    assert (source.intake.loaded, source.intake.skipped) == (1, {})


@pytest.mark.parametrize("name", SAMPLES)
def test_a_packed_file_is_told_by_its_content_and_read_as_the_plain_one(name: str, opened: Opened) -> None:
    plain = opened(SAMPLES[name])
    [case], digest = list(plain), plain.digest
    packed = opened(gzip.compress(SAMPLES[name]))
    assert ([each.request for each in packed], packed.digest) == ([case.request], digest)


@pytest.mark.parametrize("name", SAMPLES)
def test_identities_rest_on_the_content_and_the_record_and_are_the_same_at_every_reading(
    name: str, opened: Opened
) -> None:
    source = opened(SAMPLES[name])
    first, second = list(source), list(source)
    assert [case.identity for case in first] == [case.identity for case in second] == [f"{source.digest[:16]}:1"]


@pytest.mark.parametrize("name", SAMPLES)
def test_each_record_is_in_one_part(name: str, opened: Opened) -> None:
    parts = [list(opened(SAMPLES[name]).part(Portion(index, 3))) for index in range(3)]
    assert sum(map(len, parts)) == 1


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_told_or_accounted_for_and_nothing_else(
    name: str, data: st.DataObject, tmp_path: Path
) -> None:
    sample = SAMPLES[name]
    at = data.draw(st.integers(0, len(sample)))
    junk = data.draw(st.binary(max_size=8) | st.sampled_from([b"\0" * 64, b"\xff\xfe", b"[" * 300, b"9" * 30, b"\n"]))
    gone = data.draw(st.integers(0, 40))
    path = tmp_path / "damaged"
    path.write_bytes(sample[:at] + junk + sample[at + gone :])
    source, cases = _read(path)
    assert source is None or source.intake.loaded == len(cases)
    for case in cases:
        assert case.request.path.startswith("/")
        assert "\n" not in case.request.path + case.request.method + "".join(map("".join, case.request.headers))


def _read(path: Path) -> tuple[Source | None, list[Case]]:
    """Return the source and its cases; neither where the file is refused."""
    try:
        source = open_traffic(path, skip_bad=True)
        return source, list(source)
    except DocumentError:
        return None, []


def test_what_is_in_no_known_format_is_told_with_all_that_are(opened: Opened) -> None:
    with pytest.raises(DocumentError) as caught:
        opened(b"GET / HTTP/1.1\r\n\r\n")
    assert caught.value.fact == "no known format of recorded traffic"
    assert caught.value.hint == (
        'can be read: a capture (first line {"replay_capture": 1}), GoReplay, mitmproxy flows, cassette, '
        "OpenTelemetry spans, HAR, curl commands, access log; plain, gzip or zstd"
    )
