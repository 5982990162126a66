"""`replay record --mirror` behind a real nginx, configured as docs/recording.md says."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Desk, Serve
from tests.cli.test_recording import cases, recording, sums

NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else "")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "recording.md"
HOUSE = """
{user}
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/1;
  proxy_temp_path {folder}/2;
  fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4;
  scgi_temp_path {folder}/5;
  server {{
    listen 127.0.0.1:{port};
    {locations}
  }}
}}
"""
pytestmark = pytest.mark.skipif(not NGINX, reason="NOT TESTED: nginx is not installed (apt-get install nginx-light)")


def documented(upstream: str, mirror: str) -> str:
    """Return the locations that the page shows, with these addresses."""
    found = re.search(r"```nginx\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1].replace("http://127.0.0.1:8001", upstream).replace("http://127.0.0.1:8090", mirror)


@contextmanager
def nginx(folder: Path, locations: str) -> Iterator[str]:
    """Run nginx with these locations; yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = "user root;" if os.geteuid() == 0 else ""
    settings = folder / "nginx.conf"
    settings.write_text(HOUSE.format(user=user, folder=folder, port=port, locations=locations))
    with subprocess.Popen([NGINX, "-e", str(folder / "errors"), "-p", str(folder), "-c", str(settings)]) as process:
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=10)


def wait_for(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    pytest.fail("nginx did not start")


def test_copies_of_nginx_are_kept_and_answers_come_from_the_service(desk: Desk, serve: Serve, tmp_path: Path) -> None:
    body = b'{"n": 1, "filler": "' + b"x" * 50_000 + b'"}'
    with serve() as service, recording(desk, "--mirror") as recorded:
        with nginx(tmp_path, documented(service.url, recorded.url)) as gateway:
            for number in range(10):
                asked = urllib.request.Request(f"{gateway}/a%2Fb/{number}?x=%20{number}", data=body if number else None)  # noqa: S310 - our own
                with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310
                    assert answer.read() == f"/a%2Fb/{number}?x=%20{number}".encode()
        ended = recorded.end()
    kept = cases()
    assert (ended.code, sums(ended)) == (0, [10, 10, 0])
    assert sorted(case.request.path for case in kept) == [f"/a%2Fb/{number}?x=%20{number}" for number in range(10)]
    assert {(case.request.method, case.request.body) for case in kept} == {("GET", None), ("POST", body)}
    assert len({case.correlation_id for case in kept}) == 10
