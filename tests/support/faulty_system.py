"""Small runs of the whole product while the machine fails under it, and what must hold after each of them.

* `full`: a disk (evidence, state or both) fills up at some instant until so many bytes are left;
* `call`: the kernel refuses a system call on files of the evidence or the state, once or from then on;
* `death`: conductor, guardian or load generator is killed, or stopped for a while, at some instant.

After each: every fault undone (after at most one `recover` where the conductor died or the disk was full), a
verdict or a finished record, no traceback on the terminal, an exit code of the contract that is right.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow.parquet as pq
from tests.support import faulty_trial

from seatrial.ledger import read_verifier_keys, verify_sealed
from seatrial.model.problems import SeatrialError

EVENTS = ("start", "run.started", "target.ready", "load.started", "load.zero", "step.prepared", "step.fired",
          "step.undone", "load.ended", "undone", "run.ended")  # fmt: skip
CALLS = ("openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "ftruncate", "fallocate", "read",
         "pread64", "mkdir", "unlink", "flock", "newfstatat")  # fmt: skip
ERRORS = ("ENOSPC", "EROFS", "EACCES", "EMFILE", "ENOMEM", "EIO", "EDQUOT")
_CODES = {"pass": 0, "fail": 1, "unknown": 2}
_ARRIVALS = 55  # 50/s for 1.1 s


@dataclass(frozen=True)
class Full:
    """A disk that fills up `delay_s` after an event of the run's journal."""

    disk: str  # evidence, home or both
    event: str
    delay_s: float
    leave: int  # bytes
    again: bool  # whatever is given free is taken again
    kind: str = "full"


@dataclass(frozen=True)
class Call:
    """A system call that fails the `when`-th time a process makes it, and perhaps from then on."""

    call: str
    error: str
    place: str  # evidence or home
    when: int
    from_then_on: bool
    kind: str = "call"


@dataclass(frozen=True)
class Death:
    """A process that dies, or stands still for a while."""

    who: str
    signal: str
    event: str
    delay_s: float
    stopped_s: float = 4.0
    kind: str = "death"


Trial = Full | Call | Death


@dataclass(frozen=True)
class Result:
    """A trial, what was seen, and what of it must not be."""

    trial: Trial
    seen: dict[str, Any]
    wrong: tuple[str, ...]


def full(count: int, seed: int) -> list[Trial]:
    """So many points at which a disk fills up: between all events, with nothing or a little left."""
    dice = random.Random(seed)
    return [
        Full(
            dice.choice(("evidence", "home", "both")),
            EVENTS[number % len(EVENTS)],
            dice.choice((0.0, dice.uniform(0, 0.4))),
            dice.choice((0, 0, 4096, dice.randrange(0, 65536), dice.randrange(0, 1 << 20))),
            dice.random() < 0.5,
        )
        for number in range(count)
    ]


def calls(count: int, seed: int) -> list[Trial]:
    """Each error at each kind of call, in turn; which of its calls is left to chance."""
    dice = random.Random(seed)
    kinds = [(call, error, place) for call in CALLS for error in ERRORS for place in ("evidence", "home")]
    dice.shuffle(kinds)
    chosen = [kinds[number % len(kinds)] for number in range(count)]
    return [
        Call(*kind, when=1 + int(dice.expovariate(1 / 4)), from_then_on=dice.random() < 0.5)
        for kind in chosen
    ]


def deaths(count: int, seed: int) -> list[Trial]:
    """Every companion, at all events."""
    dice = random.Random(seed)
    return [
        Death(
            ("conductor", "conductor", "guardian", "load")[number % 4],
            dice.choice(("SIGKILL", "SIGKILL", "SIGKILL", "SIGSTOP")),
            dice.choice(EVENTS),
            dice.choice((0.0, dice.uniform(0, 0.6))),
        )
        for number in range(count)
    ]


def lacking(kind: str) -> str:
    """What this machine lacks for trials of a kind; empty when nothing."""
    if kind == "full":
        probe = subprocess.run(
            ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /mnt"], capture_output=True, check=False
        )
        return "" if probe.returncode == 0 else "may not mount a disk of its own: run as root on Linux"
    if kind == "call":
        return "" if shutil.which("strace") else "no strace: apt-get install strace"
    return ""


def run_campaign(directory: Path, trials: Sequence[Trial], side_by_side: int = 2) -> Iterator[Result]:
    """All trials, a few at a time, in order."""
    with _service() as port, ThreadPoolExecutor(side_by_side) as pool:
        yield from pool.map(
            lambda item: run_trial(directory / f"{item[0]:04d}", item[1], port), enumerate(trials)
        )


def run_trial(directory: Path, trial: Trial, port: int) -> Result:
    """One small run, and its judgement. What went well leaves no files."""
    order = json.dumps({"directory": str(directory), "port": port, "trial": asdict(trial)})
    apart = ["unshare", "--mount", "--propagation", "private"] if isinstance(trial, Full) else []
    done = subprocess.run(
        [*apart, sys.executable, faulty_trial.__file__, order], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        return Result(trial, {"said": done.stderr}, (f"the trial itself failed: {done.stderr[-500:]}",))
    seen = json.loads(done.stdout)
    result = Result(trial, seen, tuple(_wrong(trial, seen, directory)))
    if not result.wrong:
        shutil.rmtree(directory)
    return result


def _wrong(trial: Trial, seen: dict[str, Any], directory: Path) -> Iterator[str]:
    said = seen["said"] + seen["recover_said"]
    if not seen["in_time"]:
        yield "the run did not end"
    if "Traceback" in said or "defect of seatrial" in said:
        yield "a traceback, or a defect, on the terminal"
    died = seen["code"] < 0
    if died and not (isinstance(trial, Death) and trial.who == "conductor"):
        yield f"the conductor died of signal {-seen['code']}"
    if not died and seen["code"] not in (0, 1, 2, 130):  # 64 would blame the user for the machine
        yield f"exit code {seen['code']}"
    if not seen["undone_by_itself"] and not died and seen["code"] != 1:
        yield "something was not undone, and it was no fail"
    if seen["left"]:
        yield f"left after recover: {seen['left']}"
    if seen["recover_code"] not in (None, 0):
        yield f"recover ended with {seen['recover_code']}"
    if seen["open_runs"]:
        yield f"{seen['open_runs']} runs have no end"
    yield from _unfinished(seen, directory)


def _unfinished(seen: dict[str, Any], directory: Path) -> Iterator[str]:
    evidence, home = directory / "kept-evidence", directory / "kept-home"
    if not evidence.is_dir() or not any(evidence.iterdir()):
        if seen["code"] != 2 and seen["code"] >= 0:
            yield f"exit code {seen['code']} without evidence"
        return
    try:
        verdict = json.loads((evidence / "verdict.json").read_text())
    except (OSError, ValueError) as error:
        yield f"no verdict: {error}"
        return
    codes = {_CODES[verdict["verdict"]]} | ({130} if verdict["interrupted"] else set())
    if seen["code"] >= 0 and seen["code"] not in codes:
        yield f"exit code {seen['code']} with the verdict {verdict['verdict']}"
    if verdict["verdict"] != "pass" and not verdict["reasons"]:
        yield "no reason is given"
    if verdict["verdict"] == "fail":
        yield f"a fail: {verdict['reasons']}"
    if verdict["verdict"] == "pass":
        yield from _incomplete(evidence)
    if (evidence / "defect.txt").exists():
        yield "a defect of our own"
    yield from _unsealed(evidence, home, verdict)
    if "will not be recorded" not in seen["said"] and not _recorded(home, verdict["run"]):
        yield "the run database does not know the run"


def _incomplete(evidence: Path) -> Iterator[str]:
    """A pass is only given on all there is."""
    for name in (
        "experiment.yaml",
        "plan.json",
        "journal.jsonl",
        "requests.parquet",
        "report.html",
        "junit.xml",
    ):
        if not (evidence / name).exists():
            yield f"a pass without {name}"
    rows = pq.read_metadata(evidence / "requests.parquet").num_rows
    if rows != _ARRIVALS:
        yield f"a pass on {rows} of {_ARRIVALS} arrivals"


def _unsealed(evidence: Path, home: Path, verdict: dict[str, Any]) -> Iterator[str]:
    if any(reason.startswith("missing: the seal") for reason in verdict["reasons"]):
        return
    try:
        report = verify_sealed(evidence, read_verifier_keys(home / "keys" / "ledger.pub"))
    except SeatrialError as error:
        yield f"not sealed: {error}"
        return
    if report.verdict != "pass":
        yield f"the seal: {report}"


def _recorded(home: Path, run: str) -> bool:
    try:
        with closing(sqlite3.connect(home / "seatrial.sqlite")) as database:
            return database.execute("SELECT 1 FROM runs WHERE run = ?", (run,)).fetchone() is not None
    except sqlite3.Error:
        return False


class _Shop(BaseHTTPRequestHandler):
    """A service that answers at once."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed says no goodbye."""


@contextmanager
def _service() -> Iterator[int]:
    server = _Server(("127.0.0.1", 0), _Shop)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
