"""Signing in an HSM: an ECDSA P-256 key behind any PKCS#11 module, with a deadline on every signature.

The calls are made by a worker process (`pkcs11_worker`). One that is late is killed, one that reports an
error has ended itself; the next signature starts a new one. Whether the HSM was restarted, unplugged or
stopped, it is back as soon as it answers again. Software mode never loads the PKCS#11 library.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from seatrial.ledger.note import Algorithm, NoteError, VerifierKey
from seatrial.ledger.signer import SignerUnavailable

_WORKER = "seatrial.ledger.pkcs11_worker"
_ADDRESS = "P11_KIT_SERVER_ADDRESS"


@dataclass(frozen=True, slots=True)
class Pkcs11Configuration:
    """Where the key is. What else a module reads from the environment, it finds there."""

    module: Path  # the vendor's library, libsofthsm2.so, p11-kit-client.so …
    token: str  # label
    key: str  # label of both halves of the key pair
    pin: str = field(repr=False)
    deadline_s: float = 2.0  # for one signature
    start_deadline_s: float = 10.0  # for starting the worker and logging in
    address: str = ""  # of a server that p11-kit-client.so is to use: its P11_KIT_SERVER_ADDRESS


class Pkcs11Signer:
    """Implements `Signer`. Not for use from several threads at a time."""

    def __init__(
        self,
        name: str,
        configuration: Pkcs11Configuration,
        *,
        public: VerifierKey | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`public`: the key as known from before; else it is learned from the HSM, which must then be there.

        Given, it is also a pin: an HSM that holds another key under this label is not used.
        """
        self.name = name
        self._configuration = configuration
        self._public = public
        self._clock = clock
        self._worker: _Worker | None = None

    def verifier_key(self) -> VerifierKey:
        """The public key. Raises SignerUnavailable when it is not known yet and the HSM does not answer."""
        if self._public is None:
            self._connect()
        assert self._public is not None
        return self._public

    def sign(self, text: bytes) -> bytes:
        """An ECDSA signature in DER over SHA-256, within the deadline. Raises SignerUnavailable."""
        worker = self._worker or self._connect()
        try:
            return worker.ask(sha256(text).hexdigest(), self._configuration.deadline_s)
        except SignerUnavailable:
            self.close()
            raise

    def close(self) -> None:
        """End the worker; a later `sign` starts another."""
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connect(self) -> _Worker:
        """Start a worker and learn, or check, the public key."""
        configuration = self._configuration
        hello = {"module": str(configuration.module), "token": configuration.token,
                 "key": configuration.key, "pin": configuration.pin}  # fmt: skip
        worker = _Worker(self._clock, {_ADDRESS: configuration.address} if configuration.address else {})
        try:
            public = worker.ask(json.dumps(hello), configuration.start_deadline_s)
            found = VerifierKey(self.name, Algorithm.ECDSA_SHA256, public)
            if self._public not in (None, found):
                raise SignerUnavailable(f"the key '{configuration.key}' is not {self._public}")
        except (SignerUnavailable, NoteError) as error:
            worker.end()
            raise SignerUnavailable(f"{configuration.module.name}: {error}") from error
        self._public, self._worker = found, worker
        return worker


class _Worker:
    """One worker process: a question a line, an answer a line."""

    def __init__(self, clock: Callable[[], float], variables: Mapping[str, str]) -> None:
        self._clock = clock
        self._process = subprocess.Popen(
            [sys.executable, "-m", _WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **variables},
            start_new_session=True,
        )

    def ask(self, question: str, deadline_s: float) -> bytes:
        """The answer. Raises SignerUnavailable; the worker is then of no more use."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(question.encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise SignerUnavailable("the signing process has ended") from error
        kind, _, text = self._read_line(deadline_s).partition(" ")
        if kind != "ok":
            raise SignerUnavailable(text or "the signing process has ended")
        return base64.b64decode(text)

    def _read_line(self, deadline_s: float) -> str:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = self._clock() + deadline_s
        data = b""
        while not data.endswith(b"\n"):
            remaining = deadline - self._clock()
            if remaining <= 0 or not select.select([descriptor], [], [], remaining)[0]:
                raise SignerUnavailable(f"no answer within {deadline_s:g} s")
            piece = os.read(descriptor, 4096)
            if not piece:
                return ""
            data += piece
        return data.decode().rstrip("\n")

    def end(self) -> None:
        """Kill it, even in the middle of a call, and take leave of it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue  # a question it will never read
