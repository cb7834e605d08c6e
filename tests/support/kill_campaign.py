"""Kills conductors and guardians at every step of a fault's life, and looks at what is left."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support import crash_points
from tests.support.hsm import Hsm
from tests.support.victims import Cache, Files, Router, Service, Tree, Victim
from tests.support.waiting import wait_until

from seatrial.processes import await_gone, send
from seatrial.undo import recover
from seatrial.undo.journal import EntryState, Journal, SessionEnding, What
from seatrial.undo.session import journal_path

CONDUCTOR_STEPS = (
    "journal.open_session:after", "journal.guarded_by:before", "journal.prepare:before",
    "journal.prepare:after", "inject:before", "inject:middle", "inject:after", "journal.activate:before",
    "journal.activate:after", "idle", "journal.claim:before", "journal.claim:after", "undo:before",
    "undo:middle", "undo:after", "journal.undone:before", "journal.undone:after", "journal.verified:after",
    "leave:before", "leave:after", "journal.end_session:after",
)  # fmt: skip
GUARDIAN_STEPS = (
    "journal.claim:before", "journal.claim:after", "undo:before", "undo:middle", "undo:after",
    "journal.undone:before", "journal.undone:after", "journal.verified:after", "journal.end_session:before",
)  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """Who dies, and when: at a step, or `after_s` the session was opened."""

    faults: tuple[str, ...] = ("process.pause", "process.kill")
    conductor_step: str = ""
    guardian_step: str = ""
    kill_conductor_after_s: float | None = None
    kill_guardian_after_s: float | None = None
    freeze_after_s: float | None = None  # SIGSTOP the conductor; SIGCONT once all is undone
    lease_s: float = 3.0

    @property
    def kills(self) -> int:
        """How many processes die."""
        deaths = (
            self.conductor_step,
            self.guardian_step,
            self.kill_conductor_after_s,
            self.kill_guardian_after_s,
        )
        return sum(death not in ("", None) for death in deaths)

    @property
    def guardian_survives(self) -> bool:
        return not self.guardian_step and self.kill_guardian_after_s is None


@dataclass(frozen=True)
class Result:
    """What was left, by whom it was cleared, and how fast."""

    trial: Trial
    left_by_guardian: tuple[str, ...]  # victims not intact once conductor and guardian are gone
    left_by_recover: tuple[str, ...]
    recovered: int
    undo_s: float | None  # last UNDONE of the guardian after the conductor's death
    interrupted: bool  # the journal says so
    complaints: tuple[str, ...] = ()

    @property
    def bad(self) -> bool:
        """Something is left, was undone twice, or is not told."""
        if self.left_by_recover or self.complaints:
            return True
        if self.trial.guardian_survives and (self.left_by_guardian or self.recovered):
            return True
        return self.trial.conductor_step in CONDUCTOR_STEPS[:-1] and not self.interrupted


def singly(fault: str) -> list[Trial]:
    """Every step of one fault's life: the conductor dies, or both do, the guardian at each of its steps."""
    trials = [Trial((fault,), conductor_step=step) for step in CONDUCTOR_STEPS]
    return trials + [Trial((fault,), conductor_step="idle", guardian_step=step) for step in GUARDIAN_STEPS]


def in_pairs(faults: tuple[str, ...]) -> list[Trial]:
    """Both die, at every combination of a step of the injection or the undo with one of the guardian's."""
    return [
        Trial(faults, conductor_step=conductor, guardian_step=guardian)
        for conductor in (
            "journal.prepare:after",
            "inject:middle",
            "inject:after",
            "undo:middle",
            "undo:after",
        )
        for guardian in GUARDIAN_STEPS
    ]


def at_random(faults: tuple[str, ...], count: int, seed: int, lifetime_s: float = 0.3) -> list[Trial]:
    """Conductor, guardian or both die at any instant of a life of about `lifetime_s`."""
    dice = random.Random(seed)
    trials = []
    for _ in range(count):
        first, second = dice.uniform(0, lifetime_s), dice.uniform(0, lifetime_s)
        who = dice.choice(("conductor", "guardian", "both"))
        trials.append(
            Trial(
                faults,
                kill_conductor_after_s=None if who == "guardian" else first,
                kill_guardian_after_s=None if who == "conductor" else second,
            )
        )
    return trials


VICTIMS: Mapping[str, Callable[[Path], Victim]] = {
    "process.pause": Tree,
    "process.kill": Service,
    "process.slow": lambda place: Tree(place, "process.slow"),
    "command.run": Files,
    "redis.evict": Cache,
    "network.partition": Router,
    "network.delay": lambda place: Router(
        place, "network.delay", {"between": ["east", "west"], "delay": "20ms"}
    ),
    "hsm.unavailable": Hsm,
    "hsm.hang": lambda place: Hsm(place, "hsm.hang"),
}


def run_campaign(directory: Path, trials: Sequence[Trial], side_by_side: int = 3) -> list[Result]:
    """All trials, some at a time."""
    with ThreadPoolExecutor(side_by_side) as pool:
        return list(pool.map(lambda item: run_trial(directory / str(item[0]), item[1]), enumerate(trials)))


def run_trial(directory: Path, trial: Trial) -> Result:
    """One life and its deaths."""
    directory.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        victims = []
        for fault in trial.faults:
            victims.append(VICTIMS[fault](directory / fault))
            stack.callback(victims[-1].close)
        return _run(directory / "home", trial, victims)


def _run(home: Path, trial: Trial, victims: Sequence[Victim]) -> Result:
    home.mkdir()
    order = {
        "home": str(home),
        "run": "a-run",
        "step": trial.conductor_step,
        "guardian_step": trial.guardian_step,
        "lease_s": trial.lease_s,
        "hold_s": 0.05,
        "faults": [
            {"name": victim.fault, "with": dict(victim.parameters), "role": asdict(victim.role)}
            for victim in victims
        ],
    }
    conductor = subprocess.Popen(
        [sys.executable, crash_points.__file__, "conductor", json.dumps(order)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    died_ns = _strike(conductor, home, trial, victims)
    _, complaint = conductor.communicate(timeout=60)
    journal = Journal(journal_path(home))
    try:
        _await_guardian(journal)
        left_by_guardian = tuple(str(victim) for victim in victims if not _soon_intact(victim))
        undo_s = _undo_s(journal, home, died_ns) if trial.guardian_survives else None
        recovered = recover(home)
        complaints = [str(each.outcome) for each in recovered if not each.undone]
        complaints += [str(each) for each in recover(home)]  # the second time there is nothing to do
        if "Traceback" in complaint and not trial.kill_guardian_after_s:
            complaints.append(complaint)
        return Result(
            trial,
            left_by_guardian,
            tuple(str(victim) for victim in victims if not _soon_intact(victim)),
            len(recovered),
            undo_s,
            all(session.ending is SessionEnding.INTERRUPTED for session in journal.sessions()),
            tuple(complaints + _open_faults(journal)),
        )
    finally:
        journal.close()


def _strike(
    conductor: subprocess.Popen[str], home: Path, trial: Trial, victims: Sequence[Victim]
) -> int | None:
    """Kill or freeze from outside, where the trial says so; the conductor's last instant if it was killed."""
    at = {
        name: seconds
        for name in ("kill_conductor", "kill_guardian", "freeze")
        if (seconds := getattr(trial, f"{name}_after_s")) is not None
    }
    if not at:
        return None
    assert conductor.stdout is not None
    conductor.stdout.readline()
    opened = time.monotonic()
    journal = Journal(journal_path(home))
    died_ns = None
    try:
        (session,) = journal.sessions()
        for name, seconds in sorted(at.items(), key=lambda item: item[1]):
            time.sleep(max(0.0, opened + seconds - time.monotonic()))
            if name == "kill_conductor":
                died_ns = time.monotonic_ns()
                send(session.conductor, signal.SIGKILL)
            elif name == "kill_guardian":
                assert session.guardian is not None
                send(session.guardian, signal.SIGKILL)
            else:
                _freeze(journal, session.id, conductor, victims)
    finally:
        journal.close()
    return died_ns


def _freeze(
    journal: Journal, session: str, conductor: subprocess.Popen[str], victims: Sequence[Victim]
) -> None:
    """Stop it until the guardian has undone everything, and let it go on.

    A conductor that is stopped while it writes keeps the journal locked. What the guardian has done is then
    seen by its effect, and by its log.
    """
    conductor.send_signal(signal.SIGSTOP)
    over = {EntryState.UNDONE, EntryState.UNDOING}
    log = journal.path.with_name("guardian.log")

    def undone() -> bool:
        if all(entry.state in over for entry in journal.entries(session)):
            return True
        unclaimed = "is undone unclaimed" in log.read_text()
        return unclaimed and all(victim.intact() for victim in victims)

    try:
        wait_until(undone, what="undone by lease")
    finally:
        conductor.send_signal(signal.SIGCONT)


def _await_guardian(journal: Journal) -> None:
    for session in journal.sessions():
        if session.guardian is not None:
            left = await_gone([session.guardian], 40.0)
            assert not left, "the guardian does not end"


def _soon_intact(victim: Victim) -> bool:
    """A service that has been started again needs a moment."""
    try:
        wait_until(victim.intact, 2.0)
    except AssertionError:
        return False
    return True


def _undo_s(journal: Journal, home: Path, died_ns: int | None) -> float | None:
    obituary = home / "conductor.died"
    died = died_ns if died_ns is not None else int(obituary.read_text()) if obituary.exists() else None
    if died is None:
        return None
    undone = [
        instants[What.UNDONE].monotonic_ns
        for session in journal.sessions()
        for entry in journal.entries(session.id)
        if What.UNDONE in (instants := journal.instants(entry.id))
    ]
    after = [instant - died for instant in undone if instant > died]
    return max(after) / 1e9 if after else None


def _open_faults(journal: Journal) -> list[str]:
    return [
        f"{entry.label} is {entry.state}: {entry.error}"
        for session in journal.sessions()
        for entry in journal.open_entries(session.id)
    ]


def living(results: Sequence[Result]) -> Iterator[float]:
    """The undo times of the trials in which a guardian lived to undo."""
    return (result.undo_s for result in results if result.undo_s is not None)
