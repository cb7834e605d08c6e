"""One small run of the whole product while something of the machine fails. Run as a program, by `faulty_system`.

It stands apart because a disk of its own needs a mount namespace of its own (`unshare --mount`). What was seen
is printed as JSON; evidence and state are copied out for whoever looks at them closer.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

EXPERIMENT = """\
experiment: small
load: {scenario: visitor.py, rate: 50/s}
warmup: 100ms
duration: 1s
settle: 100ms
timeline:
  - {at: 100ms, fault: command.run, on: worker, for: 600ms, name: mark,
     with: {inject: [touch, mark], undo: [rm, -f, mark]}}
  - {at: 300ms, fault: process.pause, on: worker, for: 300ms, name: pause}
objectives: {errors: {max: 100%}}
"""
SCENARIO = """\
from locust import task
from seatrial.load import OpenLoopUser
class Visitor(OpenLoopUser):
    @task
    def home(self): self.client.get("/")
"""
ROOM = "64m"  # of the disks, before they are full and when there is room again
_RUN_WITHIN_S = 120.0
_SOON_S = 15.0
_LOOK_EVERY_S = 0.005
COMPANIONS = {"guardian": "seatrial.undo.guardian", "load": "seatrial.load"}


class World:
    """A working directory, a target with a worker that can be paused, and a state directory."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.home, self.evidence = directory / "home", directory / "evidence" / "run"
        for each in (self.home, self.evidence.parent):
            each.mkdir(parents=True)
        self.worker = subprocess.Popen(["sleep", "600"])
        (directory / "worker.pid").write_text(f"{self.worker.pid}\n")
        (directory / "visitor.py").write_text(SCENARIO)
        (directory / "small.yaml").write_text(EXPERIMENT)
        (directory / "target.yaml").write_text(
            f"target: shop\nbase_url: http://127.0.0.1:{port}\n"
            "roles: {worker: {driver: process, pidfile: worker.pid}}\n"
        )

    @property
    def effects(self) -> list[str]:
        """What of the faults is there."""
        found = ["mark"] if (self.directory / "mark").exists() else []
        stopped = psutil.Process(self.worker.pid).status() == psutil.STATUS_STOPPED
        return found + (["pause"] if stopped else [])

    def start(self, *arguments: str, wrapped_by: list[str] | None = None) -> subprocess.Popen[str]:
        environment = {**os.environ, "SEATRIAL_HOME": str(self.home), "COLUMNS": "300"}
        return subprocess.Popen(
            [*(wrapped_by or []), sys.executable, "-m", "seatrial", *arguments],
            cwd=self.directory, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, wrapped_by: list[str] | None = None) -> subprocess.Popen[str]:
        out = ("--out", str(self.evidence))
        return self.start("run", "small.yaml", "--target", "target.yaml", *out, wrapped_by=wrapped_by)

    def happened(self, event: str) -> bool:
        """Whether the run's journal tells of it; `start` always has."""
        if event == "start":
            return True
        try:
            return f'"event": "{event}"' in (self.evidence / "journal.jsonl").read_text()
        except OSError:
            return False

    def close(self) -> None:
        self.worker.kill()
        self.worker.wait()


def mount(place: Path) -> None:
    """A disk of its own for a directory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "none", str(place)], check=True)


class Balloon:
    """Fills a disk until so many bytes are left, once or as long as it is there."""

    def __init__(self, disk: Path, leave: int, again: bool) -> None:
        self._path, self._leave, self._again = disk / ".balloon", leave, again
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._blow)
        self._thread.start()

    def _blow(self) -> None:
        while True:
            free = os.statvfs(self._path.parent)
            size = free.f_bavail * free.f_frsize - self._leave
            if size > 0:
                with self._path.open("ab") as file:
                    try:
                        os.posix_fallocate(file.fileno(), file.tell(), size)
                    except OSError:
                        file.truncate()
            if not self._again or self._over.wait(0.02):
                return

    def burst(self) -> None:
        self._over.set()
        self._thread.join()
        self._path.unlink()


def companion(conductor: int, who: str) -> psutil.Process | None:
    """The conductor itself, or a child of it."""
    try:
        process = psutil.Process(conductor)
        if who == "conductor":
            return process
        return next((each for each in process.children() if COMPANIONS[who] in each.cmdline()), None)
    except psutil.NoSuchProcess:
        return None


def strike(trial: Mapping[str, Any], conductor: int) -> None:
    """Kill or stop one of the run's processes; one that was stopped goes on later."""
    victim = companion(conductor, trial["who"])
    if victim is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        victim.send_signal(signal.Signals[trial["signal"]])
        if trial["signal"] == "SIGSTOP":
            threading.Timer(trial["stopped_s"], _go_on, (victim,)).start()


def _go_on(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.resume()


def tracer(trial: Mapping[str, Any], world: World) -> list[str]:
    """strace, which makes the kernel refuse one kind of call on the files of a place."""
    when = f"{trial['when']}+" if trial["from_then_on"] else str(trial["when"])
    paths = [part for path in files_of(world, trial["place"]) for part in ("-P", str(path))]
    call = trial["call"]
    return [
        *("strace", "-f", "--seccomp-bpf", "-qqq", "-o", str(world.directory / "strace.log")),
        *("-e", f"trace={call}", "-e", f"inject={call}:error={trial['error']}:when={when}", *paths, "--"),
    ]


def files_of(world: World, place: str) -> list[Path]:
    """Every file whose name is known beforehand."""
    sqlite = [f"{name}.sqlite{end}" for name in ("faults", "seatrial") for end in ("", "-wal", "-shm")]
    if place == "home":
        names = [*sqlite, "guardian.log", "keys", "keys/ledger", "keys/ledger.pub", "locks", "open-runs", "."]
        return [world.home / name for name in names]
    written = ("experiment.yaml", "plan.json", "verdict.json", "report.html", "junit.xml")
    names = [
        *(f".{name}.partial" for name in written), *written,
        ".room", "journal.jsonl", "locust.log", "requests.parquet", "requests.parquet.part",
        "spool", "spool/worker-0.spool", "seal", "seal/segments", "seal/checkpoints.txt", "seal/lock",
        "seal/segments/00000000000000000000.jsonl", ".",
    ]  # fmt: skip
    return [world.evidence / name for name in names]


def wait(condition: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


def conduct(trial: Mapping[str, Any], world: World) -> dict[str, Any]:
    """The run with its mishap, then at most one `recover` in a healthy world; what was seen."""
    kind = trial["kind"]
    disks = [place for name, place in (("evidence", world.evidence.parent), ("home", world.home))
             if kind == "full" and trial["disk"] in (name, "both")]  # fmt: skip
    for each in disks:
        mount(each)
    run = world.run(tracer(trial, world) if kind == "call" else None)
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.append(run.stdout.read() if run.stdout else ""))
    reader.start()
    balloons: list[Balloon] = []
    if kind != "call":
        wait(lambda: world.happened(trial["event"]) or run.poll() is not None, _RUN_WITHIN_S)
        wait(lambda: run.poll() is not None, trial["delay_s"])
        if kind == "full":
            balloons = [Balloon(each, trial["leave"], trial["again"]) for each in disks]
        else:
            strike(trial, run.pid)
    in_time = wait(lambda: run.poll() is not None, _RUN_WITHIN_S)
    if not in_time:
        run.kill()
    run.wait()
    reader.join()
    died = run.returncode < 0
    left = [] if not died else world.effects
    undone_by_itself = wait(lambda: not world.effects, _SOON_S if died else 0.0)
    for balloon in balloons:
        balloon.burst()
    seen: dict[str, Any] = {
        "in_time": in_time, "code": run.returncode, "said": said[0], "left_at_death": left,
        "undone_by_itself": undone_by_itself, "injected": _injections(world),
        "evidence_before": sorted(path.name for path in world.evidence.glob("*")),
        "recover_code": None, "recover_said": "",
    }  # fmt: skip
    if died or not undone_by_itself or any((world.home / "open-runs").glob("*.json")):
        recover = world.start("recover")
        seen["recover_said"], _ = recover.communicate(timeout=_RUN_WITHIN_S)
        seen["recover_code"] = recover.returncode
    seen["left"] = world.effects
    seen["open_runs"] = len(list((world.home / "open-runs").glob("*.json")))
    for name, place in (("evidence", world.evidence), ("home", world.home)):
        if place.is_dir():
            shutil.copytree(place, world.directory / f"kept-{name}")
    return seen


def _injections(world: World) -> int:
    log = world.directory / "strace.log"
    return log.read_text(errors="replace").count("(INJECTED)") if log.exists() else 0


def main() -> None:
    """`faulty_trial.py ORDER`, where ORDER is `{"directory": …, "port": …, "trial": {…}}`."""
    order = json.loads(sys.argv[1])
    world = World(Path(order["directory"]), order["port"])
    try:
        json.dump(conduct(order["trial"], world), sys.stdout)
    finally:
        world.close()


if __name__ == "__main__":
    main()
