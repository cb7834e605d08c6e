"""regorus, Microsoft's engine in Rust, in a process that can be stopped.

Chosen over regopy (rego-cpp), which was tried first: on strings with escapes regopy 1.5.2 compares, counts
and matches another text than OPA does, it wraps integers beyond 64 bits, and `with` in a bundle aborts the
process. regorus answered as OPA 1.20.2 does, but for the spelling of extreme numbers in messages, `count` of
text beyond the basic plane, and what OPA takes for undefined: iterating over text, say, is an error here. An
error is told and never a pass.

What takes too long or too much memory is stopped, the document is told as one that nobody judged, and the
rules are asked once more one by one, to name the one that it was. After a few of those nothing more is tried:
a rule that never ends would cost its time on every file of the project.
"""

from __future__ import annotations

import importlib.metadata
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seatrial.policy.convention import GATE, gate_module, namespace_of
from seatrial.policy.engines.engine import LIMIT_S, MOST_STOPPED, Document, NotEvaluated, files_of, not_tried
from seatrial.policy.engines.regorus_process import EndedError, Failed, Question, RegorusProcess, loaded
from seatrial.policy.module import problem_of
from seatrial.policy.ruleset import Ruleset

_PACKAGE = "gordon-to-regorus"  # how regorus is published for Python


@dataclass(frozen=True, slots=True)
class Regorus:
    """The library. limit_s: how long the rules may take over one document."""

    limit_s: float = LIMIT_S

    @property
    def identity(self) -> str:
        """Its name and version."""
        return f"regorus {importlib.metadata.version(_PACKAGE)}"

    def load(self, ruleset: Ruleset) -> RegorusEvaluator:
        """Load policies and data. Raises BadInput, Unavailable."""
        return RegorusEvaluator(ruleset, self.limit_s)


class RegorusEvaluator:
    """An engine with everything in it but the input; a new process where a document has ended the last."""

    def __init__(self, ruleset: Ruleset, limit_s: float) -> None:
        self._ruleset, self._limit_s = ruleset, limit_s
        self._gate = f"data.{GATE}.found"
        self._stopped: list[str] = []
        self._process = self._started()

    @property
    def pid(self) -> int:
        """The number of the process that evaluates now."""
        return self._process.pid

    def answers(self, documents: Sequence[Document]) -> list[Any]:
        """As `Evaluator.answers`."""
        found: list[Any] = []
        while left := documents[len(found) :]:
            if len(self._stopped) >= MOST_STOPPED:
                return found + [not_tried(self._stopped[-1])] * len(left)
            try:
                for answer in self._process.answers([self._question(each) for each in left]):
                    found.append(_value(answer))  # noqa: PERF401  # what was answered before one ends is kept
            except EndedError as ended:
                found.append(self._not_evaluated(documents[len(found)], ended))
        return found

    def _question(self, document: Document) -> Question:
        file = {"name": document.name, "dir": document.directory}
        asked = self._ruleset.asks_for_the_file
        data = json.dumps({"conftest": {"file": file}}) if asked else ""
        return Question(self._gate, document.text, self._limit_s, data)

    def _not_evaluated(self, document: Document, ended: EndedError) -> NotEvaluated:
        self._process = self._started()
        more_time = "; to allow more: --limit" if ended.slow else ""
        why = f"{self._culprit(document)} {ended.why}{more_time}"
        self._stopped.append(why)
        return NotEvaluated(why, lasting=False)

    def _culprit(self, document: Document) -> str:
        """The rule during which it happens again, when they are asked one by one, for as long once more."""
        question, until = self._question(document), time.monotonic() + self._limit_s
        for package, rules in sorted(self._ruleset.rules.items()):
            for rule in rules:
                left_s = max(until - time.monotonic(), 0.001)
                one = Question(f"{package}.{rule}", question.document, left_s, question.data)
                try:
                    list(self._process.answers([one]))
                except EndedError:
                    self._process = self._started()
                    return f"{namespace_of(package)}.{rule} ({files_of(self._ruleset, package, rule)})"
        return "all rules together"

    def _started(self) -> RegorusProcess:
        policies = [(each.name, each.text) for each in self._ruleset.sources]
        gate = (f"{GATE}.rego", gate_module(self._ruleset.rules))
        return loaded([*policies, gate], json.dumps(self._ruleset.data))


def _value(answer: str | Failed) -> Any:
    if not isinstance(answer, Failed):
        return json.loads(answer)
    if answer.panic:
        return NotEvaluated(f"regorus gave up: {answer.why}")
    return NotEvaluated(str(problem_of(RuntimeError(answer.why), "policy")))
