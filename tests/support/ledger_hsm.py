"""A real HSM in software: SoftHSM2 behind `p11-kit server`, as a network HSM stands behind its socket."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil
from tests.support.waiting import wait_until

from seatrial.ledger.pkcs11 import Pkcs11Configuration

_LIBRARIES = Path("/usr/lib"), Path("/usr/lib64"), Path("/usr/local/lib")
TOKEN, KEY, PIN = "seatrial", "ledger", "4711"


def missing() -> str:
    """What keeps SoftHSM from being used here; empty when nothing does."""
    wanted = {
        "softhsm2": shutil.which("softhsm2-util") and _library("libsofthsm2.so"),
        "p11-kit": shutil.which("p11-kit"),
        "p11-kit-modules": _library("p11-kit-client.so"),
        "openssl": shutil.which("openssl"),
        "python-pkcs11": find_spec("pkcs11"),
    }
    return ", ".join(name for name, found in wanted.items() if not found)


def _library(name: str) -> Path | None:
    return next((path for root in _LIBRARIES for path in root.rglob(name)), None)


class Hsm:
    """A token with one P-256 key pair, and the server in front of it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._socket = directory / "socket"
        (directory / "tokens").mkdir()
        configuration = directory / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {directory / 'tokens'}\nlog.level = ERROR\n")
        self._environment = {**os.environ, "SOFTHSM2_CONF": str(configuration)}
        self._server: subprocess.Popen[bytes] | None = None
        self._run("softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--so-pin", PIN, "--pin", PIN)
        self.import_key(KEY)

    @property
    def address(self) -> str:
        """What P11_KIT_SERVER_ADDRESS must be."""
        return f"unix:path={self._socket}"

    @property
    def configuration(self) -> Pkcs11Configuration:
        """How the ledger reaches it."""
        module = _library("p11-kit-client.so")
        assert module is not None
        return Pkcs11Configuration(module, TOKEN, KEY, PIN, deadline_s=1.0)

    def import_key(self, label: str) -> None:
        """A new key pair."""
        pem = self._directory / "key.pem"
        self._run(
            "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(pem)
        )
        identity = label.encode().hex()
        self._run("softhsm2-util", "--import", str(pem), "--token", TOKEN, "--label", label, "--id", identity,
                  "--pin", PIN)  # fmt: skip

    def start(self) -> None:
        """Returns when the socket is there."""
        self._socket.unlink(missing_ok=True)
        provider = _library("libsofthsm2.so")
        self._server = subprocess.Popen(
            [
                "p11-kit",
                "server",
                "-f",
                "-n",
                str(self._socket),
                "-p",
                str(provider),
                f"pkcs11:token={TOKEN}",
            ],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_until(self._started, what="p11-kit server starts")

    def _started(self) -> bool:
        assert self._server is not None
        assert self._server.poll() is None, "p11-kit server has ended"
        return self._socket.is_socket()

    def signal(self, number: signal.Signals) -> None:
        """To the server and to the processes that it has for its connections."""
        for process in self._processes():
            process.send_signal(number)

    def stop(self) -> None:
        """Kill the server and the processes of its connections."""
        if self._server is None:
            return
        self.signal(signal.SIGKILL)
        self._server.wait()
        self._server = None

    def _processes(self) -> Iterator[psutil.Process]:
        assert self._server is not None
        server = psutil.Process(self._server.pid)
        yield from [*server.children(recursive=True), server]

    def _run(self, *command: str) -> None:
        subprocess.run(command, env=self._environment, check=True, capture_output=True, timeout=30)
