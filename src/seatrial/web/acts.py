"""What can be done from a page, each in the ledger before it is done, and again with what came of it.

    $SEATRIAL_HOME/web     a ledger, like that of an audit log: `seatrial ledger inspect` shows it

Nothing is done that the ledger did not take. The acts themselves are those of commands, and as safe as those
are: a run that is stopped undoes everything, a message that is told twice is one incident, and a run that is
started is conducted by a process of its own.
"""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass
from pathlib import Path

from seatrial import processes
from seatrial.incidents import retry
from seatrial.ledger import Ledger
from seatrial.matrix.statement import statement_of
from seatrial.model.problems import BadInput, SeatrialError
from seatrial.run.sealing import signer
from seatrial.trials.readiness import sign, sign_carried
from seatrial.web.renewing import Renewals
from seatrial.web.runs import Missing
from seatrial.web.sources import Sources
from seatrial.web.underway import open_run, underway

LEDGER = "web"
"""The ledger's directory inside the state directory."""


class Changed(BadInput):
    """What was to be acted upon is not any more what was shown."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks for something, as the ledger names them."""

    who: str
    address: str


class Acts:
    """The acts, one at a time. Each returns what came of it, in a sentence; raises SeatrialError."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._renewals = Renewals(sources)
        self._lock = threading.Lock()

    def stop(self, actor: Actor, run_id: str) -> str:
        """Ask the conductor of a run to end it, as Ctrl-C does: all is undone and recorded."""
        with self._lock, _Entry(self._sources, actor, "stop", run_id) as entry:
            return entry.came(self._stop(run_id))

    def retry(self, actor: Actor, number: int | None) -> str:
        """Try a message of the outbox again now, or all that wait or have failed."""
        about = "all" if number is None else str(number)
        with self._lock, _Entry(self._sources, actor, "retry", about) as entry:
            numbers = None if number is None else [number]
            tried = retry(self._sources.store, self._sources.incidents, numbers)
            if number is not None and not tried:
                raise Missing(f"message {number} does not wait to be told, or its receiver is off")
            return entry.came(f"{tried} tried")

    def sign(self, actor: Actor, role: str, name: str, statement: str) -> str:
        """Sign the matrix for a role, without a key. Raises Changed when it is not what was shown."""
        with self._lock, _Entry(self._sources, actor, "sign", f"{statement} for {role} by {name}") as entry:
            found = self._sources.matrix.get(fresh=True)
            if statement_of(found.matrix).sha256 != statement:
                raise Changed("the matrix has changed since this page was made; look at it again, then sign")
            word = sign(found, role, name, "", self._sources.now())
            self._sources.matrix.get(fresh=True)
            return entry.came(f"{word.name} has signed for {role}")

    def sign_carried(self, actor: Actor, line: str) -> str:
        """Record a sign-off that was signed elsewhere, with a key that this server never sees."""
        with self._lock, _Entry(self._sources, actor, "sign", "with a key from elsewhere") as entry:
            word = sign_carried(self._sources.matrix.get(fresh=True), line, self._sources.now())
            self._sources.matrix.get(fresh=True)
            return entry.came(f"{word.name} has signed for {word.role} with {word.key.partition('+')[0]}")

    def renew(self, actor: Actor, row: str, confirm: str) -> str:
        """Run the experiments of a row, which load and break its target; `confirm`: a production target."""
        with self._lock, _Entry(self._sources, actor, "renew", row) as entry:
            begun = self._renewals.start(row, confirm)
            entry.came(f"started: process {begun.process.pid}, which says {begun.log}")
        return begun.outcome()  # whoever wants to stop it meanwhile does not wait for that

    def _stop(self, run_id: str) -> str:
        for each in underway(self._sources):
            if each.run == run_id and each.keeper:
                raise BadInput(f"{run_id} is not stopped: {each.keeper}")
        run, lives = open_run(self._sources, run_id)
        conductor = processes.identify(run.pid)
        # Its number is its own for as long as the conductor holds the lock: so the identity that was taken
        # before the lock is seen held is that of the conductor, and the signal can reach nobody else.
        if not lives or conductor is None or not open_run(self._sources, run_id)[1]:
            raise Missing(f"the conductor of '{run_id}' is gone; to end the run: seatrial recover")
        if not processes.send(conductor, signal.SIGTERM):
            raise Missing(f"the conductor of '{run_id}' has just ended")
        return "its conductor was asked to end the run, and undoes everything first"


class _Entry:
    """An act in the ledger: that it is asked for, and what came of it."""

    def __init__(self, sources: Sources, actor: Actor, act: str, about: str) -> None:
        self._sources, self._told = (
            sources,
            {"act": act, "about": about, "by": actor.who, "from": actor.address},
        )
        self._came = ""

    def came(self, text: str) -> str:
        """Note what came of it; gives `text`."""
        self._came = text
        return text

    def __enter__(self) -> _Entry:
        self._write("asked")
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            self._write(f"done: {self._came}")
        else:
            told = str(error) if isinstance(error, SeatrialError) else type(error).__name__
            self._write(f"not done: {told}")

    def _write(self, state: str) -> None:
        home: Path = self._sources.home
        with Ledger(home / LEDGER, signer(home)) as ledger:
            ledger.append(
                {**self._told, "at": self._sources.now().isoformat(timespec="seconds"), "state": state}
            )
