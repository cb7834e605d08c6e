"""What came of a suite: the record behind `suite.json`, `suite --json`, its summary and its occurrence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seatrial.model.problems import Interrupted
from seatrial.model.result import RunResult
from seatrial.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """The results of a suite's runs, in their order, and what befell the suite as a whole.

    `not_run`: experiments that an interrupt, or what a run left behind, kept out. `directory`: where the
    evidence of all of them is. `reasons`: of the suite itself, such as an account that could not be written.
    """

    suite: str
    title: str
    runs: tuple[RunResult, ...]
    not_run: tuple[str, ...]
    directory: Path
    reasons: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """That of the worst run. What was not run, and what befell the whole, makes it unknown."""
        doubts = [Verdict.UNKNOWN for _ in (*self.not_run, *self.reasons)]
        return Verdict.merge([*(result.verdict for result in self.runs), *doubts])

    @property
    def interrupted(self) -> bool:
        """Whether a person or a supervisor ended it early."""
        left = any(result.left_behind for result in self.runs)
        return any(result.interrupted for result in self.runs) or bool(self.not_run and not left)

    @property
    def exit_code(self) -> int:
        """Of a command that runs it."""
        return Interrupted.exit_code if self.interrupted else self.verdict.exit_code
