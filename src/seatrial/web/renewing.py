"""The experiments of a row, run because somebody asked for it on a page: by the command, as its own session.

    $SEATRIAL_HOME/renewals/INSTANT.log      what the command said; kept as its runs are

The dashboard conducts nothing itself. It may be killed at any time, and a run that it has started goes on,
and undoes its faults as one does that was started at a terminal. What is run stands in the readiness file:
a page names one of its rows, and nothing else that it sends becomes part of the command but the name of a
target of which the command asks for confirmation.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from seatrial.home import private
from seatrial.model.problems import BadInput
from seatrial.model.verdict import Verdict
from seatrial.run.openruns import unfinished
from seatrial.trials.renewallogs import new_log
from seatrial.waiting import wait_until
from seatrial.web.sources import Sources

_BEGINS_WITHIN_S = 10.0  # to be told of what the command refuses; a testbed may take longer to come up
_ENDED = {verdict.exit_code for verdict in Verdict}
_LONGEST_TOLD = 600  # characters


@dataclass(frozen=True, slots=True)
class Renewal:
    """A command that was started."""

    row: str
    experiments: tuple[str, ...]
    process: subprocess.Popen[bytes]
    log: Path
    home: Path

    @property
    def is_over(self) -> bool:
        """Whether the command has ended."""
        return self.process.poll() is not None

    def outcome(self, within_s: float = _BEGINS_WITHIN_S) -> str:
        """What became of it so far, in a sentence. Raises BadInput for what the command has refused."""
        wait_until(lambda: self.is_over or self._conducts(), within_s)
        asked = f"{self.row} is renewed by {', '.join(self.experiments)}"
        code = self.process.poll()
        if code is None:
            return f"{asked}; what the command says: {self.log}"
        said = self._last_words() or f"exit code {code}"
        if code in _ENDED:
            return f"{asked}, and that has ended: {said}"
        raise BadInput(f"{self.row} is not renewed: {said}")

    def _conducts(self) -> bool:
        return any(run.pid == self.process.pid for run, _ in unfinished(self.home))

    def _last_words(self) -> str:
        text = " ".join(self.log.read_text(encoding="utf-8", errors="replace").split())
        return text if len(text) <= _LONGEST_TOLD else f"… {text[-_LONGEST_TOLD:]}"


class Renewals:
    """Starts them, one at a time."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._last: Renewal | None = None

    def start(self, row: str, confirm: str) -> Renewal:
        """Start the command for a row; `confirm`: the name of a production target, or "".

        Raises BadInput when nothing of the row needs to run, or something runs already.
        """
        found = self._sources.matrix.get(fresh=True)
        wanted = [experiment for experiment, _ in found.outdated((row,))]
        if not wanted:
            raise BadInput(f"{row}: no experiment needs to run for it")
        self._refuse_a_second()
        home = self._sources.home
        log = new_log(home, self._sources.now())
        options = [f"--file={self._sources.readiness}", f"--row={row}"]
        options += [f"--confirm={confirm}"] if confirm else []
        command = [sys.executable, "-P", "-m", "seatrial", "matrix", "renew", *options]
        with open(log, "xb", opener=private) as words:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, start_new_session=True
            )
        threading.Thread(target=process.wait, daemon=True).start()  # or it would stay as a zombie
        self._last = Renewal(row, tuple(wanted), process, log, home)
        return self._last

    def _refuse_a_second(self) -> None:
        if self._last is not None and not self._last.is_over:
            raise BadInput(f"{self._last.row} is being renewed; one after the other")
        for run, lives in unfinished(self._sources.home):
            if lives:
                raise BadInput(f"{run.run} is under way; one after the other")
