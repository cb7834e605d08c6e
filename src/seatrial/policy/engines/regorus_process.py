"""regorus in a process of its own: asked from here, ended by its own timer, by its limit on memory, or by us.

    Question ─► pipe ─► regorus_worker ─► pipe ─► answer          SIGALRM, no memory, a crash ─► EndedError

The kernel's timer in that process is what stops a rule. The patience here is longer, and only for a process
that a stopped machine or a debugger keeps from being stopped by it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from seatrial.model.problems import BadInput, Unavailable
from seatrial.policy.engines.engine import not_done
from seatrial.policy.module import problem_of

MEMORY = 2 * 1024**3
"""Bytes that the process may use; the largest file that is read, 64 MB of JSON, takes 0.6 GB."""

_WORKER = Path(__file__).with_name("regorus_worker.py")
_LOADING_S = 60.0
_GRACE_S = 5.0
_PIECE = 65536
_OUT_OF_MEMORY = (b"memory allocation of", b"MemoryError")


class EndedError(Exception):
    """The process ended before it had answered. `why`: as something that a rule has done.

    slow: whether its timer has ended it.
    """

    def __init__(self, why: str, *, slow: bool = False) -> None:
        super().__init__(why)
        self.why, self.slow = why, slow


@dataclass(frozen=True, slots=True)
class Question:
    """The value of `rule`, a reference, for an input as JSON, within so long. `data`: more of it, as JSON."""

    rule: str
    document: str
    limit_s: float
    data: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there is no value, as regorus says it. `panic`: it gave up, which is no error of a policy."""

    why: str
    panic: bool


class RegorusProcess:
    """A process with policies in it, from its start until nobody refers to it any more."""

    def __init__(self, policies: Sequence[tuple[str, str]], data: str) -> None:
        """policies: name and text. Raises BadInput for one that cannot be loaded, Unavailable, EndedError."""
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_WORKER)],  # -P: its neighbour is called regorus as well
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                start_new_session=True,  # Ctrl-C is for whoever asks
            )
        except OSError as error:
            raise Unavailable(f"the process that evaluates policies cannot be started: {error}") from error
        weakref.finalize(self, _end, self._process, self._stderr)
        self._pending = b""
        opening = {"memory": MEMORY, "seconds": _LOADING_S, "policies": policies, "data": data}
        self._send(opening)
        kind, text = self._line(_LOADING_S)
        if kind != "ok":
            raise BadInput(problem_of(RuntimeError(text), policies[-1][0] if policies else "data"))

    def answers(self, questions: Sequence[Question]) -> Iterator[str | Failed]:
        """The value of each as JSON, in order, as soon as it is there. Raises EndedError."""
        self._send([[each.rule, each.document, each.data, each.limit_s] for each in questions])
        for question in questions:
            kind, text = self._line(question.limit_s)
            yield text if kind == "ok" else Failed(text, kind == "panic")

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def close(self) -> None:
        """End it, if it is not ended."""
        _end(self._process, self._stderr)

    def _send(self, value: Any) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        try:
            pipe.write(json.dumps(value).encode() + b"\n")
            pipe.flush()
        except BrokenPipeError as error:
            raise self._ended(_LOADING_S) from error

    def _line(self, limit_s: float) -> tuple[str, str]:
        """What it writes next. Raises EndedError."""
        pipe = self._process.stdout
        assert pipe is not None
        until = time.monotonic() + limit_s + _GRACE_S
        while b"\n" not in self._pending:
            ready, _, _ = select.select([pipe], [], [], max(until - time.monotonic(), 0))
            piece = os.read(pipe.fileno(), _PIECE) if ready else b""
            if not piece:
                raise self._ended(limit_s)
            self._pending += piece
        line, _, self._pending = self._pending.partition(b"\n")
        kind, text = json.loads(line)
        return kind, text

    def _ended(self, limit_s: float) -> EndedError:
        try:
            code = self._process.wait(_GRACE_S / 5)
        except subprocess.TimeoutExpired:
            code = -signal.SIGALRM  # its timer could not end it
        self._stderr.seek(0)
        told = self._stderr.read()
        self.close()
        if code == -signal.SIGALRM:
            return EndedError(not_done(limit_s), slow=True)
        if any(each in told for each in _OUT_OF_MEMORY):
            return EndedError(f"needed more than {MEMORY / 1024**3:g} GiB of memory and was stopped")
        if code == -signal.SIGKILL:
            return EndedError("was killed (SIGKILL), as a system does that has no memory left")
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return EndedError(f"ended the process that evaluates ({how})")


def loaded(policies: Sequence[tuple[str, str]], data: str) -> RegorusProcess:
    """A process with these policies (name and text) and data. Raises BadInput, Unavailable."""
    try:
        return RegorusProcess(policies, data)
    except EndedError as ended:
        files = ", ".join(name for name, _ in policies)
        raise BadInput(f"the policies cannot be loaded: {files} {ended.why}") from ended


def _end(process: subprocess.Popen[bytes], stderr: IO[bytes]) -> None:
    process.kill()  # of one that is ended already this does nothing
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.raw.close() if hasattr(pipe, "raw") else pipe.close()
    stderr.close()
