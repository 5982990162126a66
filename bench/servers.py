"""The far sides of the bench: nginx with prepared answers, and a server that is slow on purpose."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.answers import SIDES, prepare, unlike

_START_S: Final = 5.0
_SERVER: Final = """
server {{
  listen 127.0.0.1:{port};
  default_type application/json;
  root {root};
  location /distinct/ {{ add_header X-Request-Id $request_id; }}
  location /unlike/ {{ return 200 '{unlike}'; }}
  location /unlike-ignored/ {{ return 200 '{ignored}'; }}
}}"""
_SETTINGS: Final = """
{user}
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/1;
  proxy_temp_path {folder}/2;
  fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4;
  scgi_temp_path {folder}/5;
  {servers}
}}
"""


class CannotStartError(Exception):
    """A server of the bench does not run here; the text says why."""


@contextmanager
def nginx(folder: Path) -> Iterator[tuple[str, str]]:
    """Run nginx with one worker; yield the URLs of old and new. Raise CannotStartError where that is impossible."""
    program = shutil.which("nginx")
    if program is None:
        raise CannotStartError("nginx is not installed (apt-get install nginx-light)")
    prepare(folder)
    ports = _free_ports(len(SIDES))
    _configure(folder, ports)
    command = [program, "-e", str(folder / "errors"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with running(command):
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        for url in urls:
            _wait_for(f"{url}/equal/1.json")
        yield urls[0], urls[1]


def _configure(folder: Path, ports: list[int]) -> None:
    # A worker of another user could not read a temporary folder of root's.
    user = "user root;" if os.geteuid() == 0 else ""
    hosts = zip(ports, SIDES, strict=True)
    servers = "".join(
        _SERVER.format(
            port=port,
            root=folder / side,
            unlike=unlike(side, "equal", "$arg_n"),
            ignored=unlike(side, "ignored", "$arg_n"),
        )
        for port, side in hosts
    )
    settings = _SETTINGS.format(user=user, folder=folder, servers=servers)
    (folder / "nginx.conf").write_text(settings, encoding="utf-8")


@contextmanager
def slow_server(delay_ms: float) -> Iterator[str]:
    """Run a server that answers each request after so many milliseconds; yield its URL."""
    command = [sys.executable, "-m", "bench.slow_server", str(delay_ms)]
    with running(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 (it was asked for)
        port = process.stdout.readline().decode().strip()
        if not port:
            raise CannotStartError("the slow server did not start")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running(
    command: list[str], stdout: int = subprocess.DEVNULL, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process for as long as the block lasts; it is asked to end, and killed if it does not."""
    with subprocess.Popen(command, stdout=stdout, stderr=subprocess.DEVNULL, env=env) as process:  # noqa: S603 (ours)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(url: str) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):  # noqa: S310 (our own server)
            return
        time.sleep(0.02)
    raise CannotStartError("nginx did not start")


def _free_ports(count: int) -> list[int]:
    """Return ports that the system gave out a moment ago: nginx cannot be told to pick one."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in sockets]
