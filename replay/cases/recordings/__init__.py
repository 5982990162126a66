"""Recorded traffic as other tools keep it. A new format is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from replay.cases.recordings.access_log import AccessLog
from replay.cases.recordings.base import RecordedFile
from replay.cases.recordings.cassette import CassetteFile
from replay.cases.recordings.curl import CurlFile
from replay.cases.recordings.gor import GorFile
from replay.cases.recordings.har import HarFile
from replay.cases.recordings.mitmproxy import FlowFile
from replay.cases.recordings.spans import SpanFile

__all__ = ["LOG", "RECORDINGS", "AccessLog", "HarFile", "RecordedFile"]

LOG: Final = "log"
"""The format whose lines can be told by a `log_format`."""

RECORDINGS: Final[Mapping[str, type[RecordedFile[Any]]]] = {
    "gor": GorFile,
    "mitmproxy": FlowFile,
    "cassette": CassetteFile,
    "spans": SpanFile,
    "har": HarFile,
    "curl": CurlFile,
    LOG: AccessLog,
}
"""Formats by name. A file is held against them in this order: the first that recognises its beginning reads it."""
