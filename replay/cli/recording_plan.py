"""From flags and settings to a recording: everything that makes no sense is told before anybody connects."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from replay import __version__
from replay.cases.masked import masked_by
from replay.cases.writing import CaptureLimits, CaptureWriter
from replay.cli.flags import read_flag, seconds_of
from replay.cli.masking import redactor_for
from replay.config import Project
from replay.errors import InputError, SettingsError
from replay.live.choosing import Choice, Pick, parse_pick, parse_share, parse_sticky
from replay.live.recording import Recording
from replay.live.scribing import Manner
from replay.live.ushering import ANY, Doorkeeper, is_local
from replay.models import parse_size
from replay.privacy import MaskKey
from replay.wire import Origin, tls_context
from replay.wire.tee import Limits
from replay.wire.tls import default_tls

T = TypeVar("T")

_LISTEN: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]/@\s]+)):(\d{1,5})")
_HIGHEST_PORT: Final = 65535
_FILE_SECONDS: Final = 3600.0
_BACKLOG: Final = 1024
_LARGEST_BODY: Final = 10**6


@dataclass(frozen=True, slots=True)
class Asked:
    """The flags as they were typed; None means that nothing was said."""

    out: str
    file_size: str
    upstream: str | None = None
    mirror: bool = False
    sample: str | None = None
    sticky: str | None = None
    exclude: tuple[str, ...] = ()
    session: str | None = None
    max_body: str | None = None
    duration: str | None = None
    budget: str | None = None
    hosts: tuple[str, ...] = ()


def bound(text: str) -> socket.socket:
    """Take HOST:PORT, where nobody is let in yet. Raise SettingsError for what is none, InputError where that fails."""
    found = _LISTEN.fullmatch(text)
    if found is None or int(found[3]) > _HIGHEST_PORT:
        raise SettingsError(f"--listen {text}: this is no HOST:PORT", hint="--listen 127.0.0.1:8090")
    host, port = found[1] or found[2], int(found[3])
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # or a port is taken for a minute after its last use
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # [::1] is not 127.0.0.1 as well
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise _no_listener(text, error) from None
    return sock


def listen_at(sock: socket.socket, text: str) -> None:
    """Have clients wait at what was taken. Raise InputError where another program was quicker."""
    try:
        sock.listen(_BACKLOG)
    except OSError as error:
        raise _no_listener(text, error) from None


def _no_listener(text: str, error: OSError) -> InputError:
    reason = os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)
    hint = "another program listens there, or it is no address of this machine; port 0 takes any port"
    return InputError(f"cannot listen at {text}: {reason}", hint=hint)


def prepared(asked: Asked, project: Project, sock: socket.socket) -> tuple[Recording, list[str]]:
    """Decide everything, and make the first file; return what else is to be said.

    Raise InputError, with its place, for whatever makes no sense.
    """
    spec = project.settings.record
    to, tls = _upstream(asked, project)
    choice = _choice(asked, project)
    session = _read("--session", parse_sticky, asked.session or spec.session)
    redactor = redactor_for(project)
    max_body = _read("--max-body", parse_size, asked.max_body) or spec.max_body or _LARGEST_BODY
    seconds = None if asked.duration is None else seconds_of("--for", asked.duration)
    sizes = CaptureLimits(
        file_bytes=_read("--file-size", parse_size, asked.file_size),
        file_seconds=_FILE_SECONDS,
        budget=_read("--budget", parse_size, asked.budget) or spec.budget,
    )
    host, port = sock.getsockname()[:2]
    hosts = frozenset((*spec.hosts, *asked.hosts))
    facts = {"made_by": f"replay record {__version__}", **masked_by(redactor.key.fingerprint)}
    recording = Recording(
        sock=sock,
        upstream=to,
        tls=tls,
        usher=Doorkeeper(to, port, hosts or frozenset(() if is_local(host) else (ANY,)), choice),
        manner=Manner(choice, redactor, session, f"{datetime.now(UTC):%Y%m%d-%H%M%S}"),
        limits=Limits(kept_body=max_body),
        seconds=seconds,
        writer=CaptureWriter(_files(asked.out), redactor.case, facts=facts, limits=sizes),
    )
    return recording, [*_open_to(host, hosts), *_told_sticky(choice), *_told_key(redactor.key)]


def shown(recording: Recording) -> str:
    """Return in a sentence what is recorded."""
    host, port = recording.sock.getsockname()[:2]
    at = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    what = "takes copies" if recording.upstream is None else f"passes on to {recording.upstream}"
    (file,) = recording.writer.account.files
    return f"{at} {what} and keeps them in {file}; Ctrl-C ends it."


def _upstream(asked: Asked, project: Project) -> tuple[Origin | None, ssl.SSLContext | None]:
    if asked.mirror:
        if asked.upstream is not None:
            raise SettingsError("--mirror passes nothing on to an --upstream", hint="give one of them")
        return None, None
    old = project.settings.old
    url = asked.upstream or (None if old is None else old.url)
    if url is None:
        raise SettingsError(
            "where is traffic to be passed on to?", hint="--upstream http://localhost:8001, or --mirror"
        )
    origin = Origin.parse(url)
    if origin.base:
        raise SettingsError("paths are passed on as they come", place=url, hint="leave the path of the upstream out")
    if origin.scheme == "http":
        return origin, None
    trusted = old.tls if old is not None and old.tls is not None and old.url == url else None
    return origin, default_tls() if trusted is None else tls_context(trusted)


def _files(out: str) -> Path:
    if Path(out).is_dir():
        raise InputError("this is a folder", place=out, hint="name the files: --out captures/recorded.jsonl.zst")
    return Path(out)


def _choice(asked: Asked, project: Project) -> Choice:
    spec = project.settings.record
    picks = _picks("--exclude", asked.exclude, project)
    share = _read("--sample", parse_share, asked.sample or spec.sample)
    sticky = _read("--sticky", parse_sticky, asked.sticky or spec.sticky)
    if asked.sticky is not None and share is None:
        hint = "--sample 5%, or leave --sticky out: all is kept then; --session PLACE tells users apart"
        raise SettingsError("--sticky says who stays together in a sample, and there is no --sample", hint=hint)
    return Choice(
        share=1.0 if share is None else share,
        sticky=sticky,
        scope=_picks("scope", spec.scope, project),
        exclude=(*_picks("exclude", spec.exclude, project), *picks),
    )


def _picks(flag: str, texts: tuple[str, ...], project: Project) -> tuple[Pick, ...]:
    groups = project.settings.groups
    return tuple(filter(None, (_read(flag, lambda each: parse_pick(each, groups), text) for text in texts)))


def _read(flag: str, parse: Callable[[str], T], text: str | None) -> T | None:
    return None if text is None else read_flag(flag, parse, text)


def _open_to(host: str, hosts: frozenset[str]) -> list[str]:
    if is_local(host):
        return []
    checked = "" if hosts else ", under any host: --allow-host names those that are meant"
    return [f"{host} can be reached from other machines{checked}."]


def _told_sticky(choice: Choice) -> list[str]:
    if choice.sticky is None or choice.share < 1:
        return []
    return [f"All is kept, so that sticky: {choice.sticky.text} has no say; --sample 5% takes a share of users."]


def _told_key(key: MaskKey) -> list[str]:
    if not key.made:
        return []
    return ["Tokens are of a key that is forgotten at the end: set REPLAY_MASK_KEY to have the same ones again."]
