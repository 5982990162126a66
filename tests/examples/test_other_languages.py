"""The middleware of docs/clock.md for other languages is what a service can really run."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from replay.models import Case, Observation, Request, TargetSpec
from replay.targets import build_target
from replay.targets.base import Moment, observed

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "clock.md"
SECRET: Final = "a secret that both of them know"
LEAP: Final = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
FUTURE: Final = datetime(2038, 1, 19, 3, 14, 8, 500000, tzinfo=UTC)

NODE: Final = """
const server = require("node:http").createServer(exports.frozen(async (request, response) => {
  const before = new Date().toISOString();
  await new Promise((wake) => setTimeout(wake, 5));
  response.end(JSON.stringify([before, new Date(Date.now()).toISOString(), new Date(0) instanceof Date]));
}));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""
JAVA: Final = """
import com.sun.net.httpserver.*;
import java.net.InetSocketAddress;

public class Main {
    public static void main(String[] arguments) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", exchange -> {
            String now = FrozenTime.CLOCK.instant().toString();
            byte[] body = ("[\\"" + now + "\\", \\"" + now + "\\", true]").getBytes();
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        }).getFilters().add(new FrozenTime());
        server.start();
        System.out.println(server.getAddress().getPort());
    }
}
"""


GO: Final = """
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, Frozen(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := Now(r.Context()).UTC().Format(time.RFC3339Nano)
		fmt.Fprintf(w, `["%s", "%s", true]`, now, now)
	})))
}

"""


def shown(language: str) -> str:
    """Return the program that the page shows for a language."""
    found = re.search(rf"<!-- run: {language} -->\n```\w+\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@contextmanager
def serving(command: Sequence[str], folder: Path) -> Iterator[str]:
    environment = {**os.environ, "REPLAY_DETERMINISM_SECRET": SECRET}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], 60)[0], "it never said where it listens"
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@contextmanager
def service(language: str, folder: Path) -> Iterator[str]:
    if shutil.which({"node": "node", "java": "javac", "go": "go"}[language]) is None:
        pytest.skip(f"{language} is not installed, so that what docs/clock.md shows for it was not run")
    if language == "node":
        (folder / "service.js").write_text(shown("node") + NODE, "utf-8")
        command = ["node", "service.js"]
    elif language == "go":
        (folder / "main.go").write_text(GO + shown("go"), "utf-8")
        caches = {"GOCACHE": str(folder / "cache"), "GOFLAGS": "-mod=mod", "GO111MODULE": "off"}
        build = ["go", "build", "-o", "service", "main.go"]
        subprocess.run(build, cwd=folder, check=True, timeout=240, env={**os.environ, **caches})
        command = ["./service"]
    else:
        (folder / "FrozenTime.java").write_text(shown("java"), "utf-8")
        (folder / "Main.java").write_text(JAVA, "utf-8")
        subprocess.run(["javac", "Main.java", "FrozenTime.java"], cwd=folder, check=True, timeout=120)
        command = ["java", "-cp", ".", "Main"]
    with serving(command, folder) as url:
        yield url


def asked(url: str, *moments: Moment, secret: str | None = SECRET) -> list[Observation]:
    """Ask all at once."""

    async def work() -> list[Observation]:
        target = build_target(TargetSpec(url=url, clock_secret=secret), concurrency=len(moments))
        try:
            return list(await asyncio.gather(*[observed(target, CASE, moment) for moment in moments]))
        finally:
            await target.close()

    return asyncio.run(work())


CASE: Final = Case("a/ü", "golden", "a/ü", Request("GET", "/"))


def instants(seen: Observation) -> list[datetime]:
    said: Any = json.loads(seen.body)
    assert said[2] is True
    return [datetime.fromisoformat(text) for text in said[:2]]


@pytest.mark.parametrize("language", ["node", "java", "go"])
def test_a_service_in_another_language_obeys_whoever_knows_the_secret(language: str, tmp_path: Path) -> None:
    with service(language, tmp_path) as url:
        seen = asked(url, *[Moment(LEAP, 7), Moment(FUTURE, 8, tick=True, also=("uuid4",))] * 3)
        refused = asked(url, Moment(LEAP, 7), secret=None) + asked(url, Moment(LEAP, 7), secret="b" * 16)
        unasked = asked(url, Moment(None, 7))
    assert [one.clock_frozen for one in seen] == [True] * 6
    assert [instants(one) for one in seen] == [[LEAP] * 2, [FUTURE] * 2] * 3
    assert [one.clock_frozen for one in refused] == [False, False]
    for one in refused + unasked:
        assert abs((instants(one)[0] - datetime.now(UTC)).total_seconds()) < 60
