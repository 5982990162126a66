"""Where cases come from: goldens and captured traffic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from replay.cases.base import Source, Traffic
from replay.cases.capture import CaptureFile, is_capture
from replay.cases.content import CUT, ByteStream, opened, unreadable
from replay.cases.golden import GoldenFolder, load_goldens, place_where, read_golden, read_goldens, rule_place
from replay.cases.record import record_of
from replay.cases.recordings import LOG, RECORDINGS, AccessLog, HarFile
from replay.cases.schema import schemas
from replay.cases.writing import CaptureLimits, CaptureWriter, write_capture
from replay.errors import DocumentError, SettingsError

__all__ = [
    "TRAFFIC",
    "CaptureFile",
    "CaptureLimits",
    "CaptureWriter",
    "GoldenFolder",
    "HarFile",
    "Source",
    "Traffic",
    "load_goldens",
    "open_traffic",
    "place_where",
    "read_golden",
    "read_goldens",
    "record_of",
    "rule_place",
    "schemas",
    "write_capture",
]

TRAFFIC: Final[Mapping[str, Callable[..., Traffic]]] = {"capture": CaptureFile, **RECORDINGS}
"""Formats of recorded traffic: each takes a path and `skip_bad`."""

_HEAD: Final = 1 << 16
_HINT: Final = 'a capture (first line {{"replay_capture": 1}}), {}; plain, gzip or zstd'


def open_traffic(
    path: str | Path, *, skip_bad: bool = False, form: str | None = None, log_format: str | None = None
) -> Traffic:
    """Return the reader for a file of recorded traffic, told by its content, whatever its suffix says.

    `form` names another one of TRAFFIC, `log_format` says how lines of a log are written. Raise DocumentError for what
    is no readable file, or in no known format; SettingsError for what is no format. `skip_bad` counts bad records, not
    raises.
    """
    form = LOG if form is None and log_format is not None else form
    if form is not None and form not in TRAFFIC:
        raise SettingsError(f"there is no format '{form}'", hint=f"there are {', '.join(TRAFFIC)}")
    if log_format is not None and form != LOG:
        raise SettingsError(f"only a {LOG} has a log format", hint=f"leave --format {form} out")
    with opened(Path(path), str(path)) as stream:
        form = form or _format(stream, Path(path))
    if log_format is not None:
        return AccessLog(path, skip_bad=skip_bad, log_format=log_format)
    return TRAFFIC[form](path, skip_bad=skip_bad)


def _format(stream: ByteStream, path: Path) -> str:
    try:
        # The first line alone, at first: what follows may be cut, and that is for the reader to judge.
        head = stream.readline(_HEAD)
        if is_capture(head):
            return "capture"
        head += stream.read(_HEAD)
        if is_capture(head):  # behind blank lines
            return "capture"
    except CUT as error:
        raise DocumentError(f"the compressed stream is cut or corrupt: {error}", place=str(path)) from None
    except OSError as error:
        raise unreadable(error, str(path)) from None
    found = next((name for name, reader in RECORDINGS.items() if reader.recognises(head)), None)
    if found is not None:
        return found
    if ".har" in path.suffixes:
        return "har"
    fact = "no known format of recorded traffic" if head.strip() else "the file is empty"
    forms = ", ".join(reader.form for reader in RECORDINGS.values())
    raise DocumentError(fact, place=str(path), hint=f"can be read: {_HINT.format(forms)}")
