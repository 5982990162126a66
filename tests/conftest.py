"""Settings of Hypothesis, and certificates for the tests of every room that speaks TLS, made by the openssl command."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

# Other processes may be at work on the same machine: how long an example takes says nothing of the code.
UNHURRIED: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples in every run: a change is never refused for a flaw elsewhere that a draw happens to find just then.
settings.register_profile("same", UNHURRIED, derandomize=True)
# Others in every run, and more of them where a test does not say how many: `nox -s explore` looks for such flaws.
settings.register_profile("explore", UNHURRIED, derandomize=False, print_blob=True, max_examples=500)
settings.load_profile("same")

# Who asks for colours everywhere gets none in what tests expect. Some of it is read once, when a library is imported.
for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "GITHUB_ACTIONS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
    os.environ.pop(name, None)

AUTHORITY: Final = """
[ca]
default_ca = here
[here]
new_certs_dir = .
database = index.txt
rand_serial = yes
default_md = sha256
policy = names
x509_extensions = extensions
[names]
commonName = supplied
[extensions]
subjectAltName = DNS:localhost
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[req]
distinguished_name = name
[name]
"""
KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost")


def pytest_configure(config: pytest.Config) -> None:
    """Draw the same whichever modules were imported before: Hypothesis draws what stands in ours as well, if loaded."""
    # There is no setting for it. Versions that know no such thing, or another name for it, are left as they are.
    if config.getoption("hypothesis_profile") in {None, "same"} and hasattr(providers, "_get_local_constants"):
        providers._get_local_constants = Constants


def make_certificate(folder: Path, until: str) -> Path:
    """Write a self-signed certificate for localhost; return the file that also holds its key."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not here: nothing can make a certificate")
    (folder / "ca.cnf").write_text(AUTHORITY)
    (folder / "index.txt").touch()
    request = ["openssl", "req", "-new", *KEY, "-config", "ca.cnf", "-keyout", "key.pem", "-out", "request.pem"]
    sign = ["openssl", "ca", "-batch", "-notext", "-config", "ca.cnf", "-selfsign", "-keyfile", "key.pem"]
    sign += ["-in", "request.pem", "-startdate", "20200101000000Z", "-enddate", until, "-out", "certificate.pem"]
    for command in (request, sign):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "certificate.pem").read_bytes())
    return both


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a certificate for localhost and its key; `certificate.pem` and `key.pem` lie beside it."""
    return make_certificate(tmp_path_factory.mktemp("tls"), "20991231000000Z")


@pytest.fixture(scope="session")
def expired_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return such a file whose certificate has expired."""
    return make_certificate(tmp_path_factory.mktemp("expired"), "20200102000000Z")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name bytes that nobody reads by their length: packed ones hold the time, and all processes need one name."""
    if isinstance(val, bytes) and not (val.isascii() and val.decode("ascii").isprintable()):
        return f"{len(val)} bytes"
    return None
