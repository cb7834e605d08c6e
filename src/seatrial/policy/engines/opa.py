"""The program `opa`, where it is on PATH: the reference, asked for many documents at once.

    opa eval --format json --strict-builtin-errors --data DIR --stdin-input QUERY

One error ends a whole question, so a batch that fails, or takes too long, is asked again one by one.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seatrial.model.problems import BadInput, Location, Problem, Unavailable
from seatrial.policy.convention import GATE, gate_module, namespace_of
from seatrial.policy.engines.engine import (
    LIMIT_S,
    MOST_STOPPED,
    Document,
    NotEvaluated,
    files_of,
    not_done,
    not_tried,
)
from seatrial.policy.ruleset import Ruleset

_BATCH = 500
_PATIENCE_S = 60.0  # with what asks for no rule: its version, and the policies as they are loaded
_VERSION = re.compile(r"^Version:\s*(\S+)", re.MULTILINE)
_INSIDE = " with input as input.contents with data.conftest.file as input.file"
_QUERY = f"[found | some each in input; found := data.{GATE}.found with input as each]"


@dataclass(frozen=True, slots=True)
class Opa:
    """The program, at `program`."""

    program: str
    version: str
    limit_s: float = LIMIT_S

    @classmethod
    def found(cls, program: str) -> Opa:
        """Ask it for its version. Raises Unavailable."""
        try:
            told = _run([program, "version"], "", _PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"{program} version {not_done(_PATIENCE_S)}") from error
        version = _VERSION.search(told.stdout)
        if told.returncode or version is None:
            raise Unavailable(f"{program} version: it does not tell: {_last(told.stderr or told.stdout)}")
        if version[1].startswith("0."):
            raise Unavailable(f"{program} is opa {version[1]}, which reads Rego v0; 1.0 or newer is needed")
        return cls(program, version[1])

    @property
    def identity(self) -> str:
        """Its name and version."""
        return f"opa {self.version}"

    def load(self, ruleset: Ruleset) -> OpaEvaluator:
        """Have it compile the policies. Raises BadInput, Unavailable."""
        evaluator = OpaEvaluator(self, ruleset)
        try:
            found = evaluator.ask([], _PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"{self.program}: loading the policies {not_done(_PATIENCE_S)}") from error
        if isinstance(found, NotEvaluated):
            raise BadInput(found.why)
        return evaluator


@dataclass(frozen=True, slots=True)
class OpaEvaluator:
    """Policies that are written to a directory for each question: nothing stays behind."""

    opa: Opa
    ruleset: Ruleset
    stopped: list[str] = field(default_factory=list)

    def answers(self, documents: Sequence[Document]) -> list[Any]:
        """As `Evaluator.answers`."""
        found: list[Any] = []
        for start in range(0, len(documents), _BATCH):
            batch = documents[start : start + _BATCH]
            try:
                answer = self.ask(batch, self.opa.limit_s)
            except subprocess.TimeoutExpired:
                answer = NotEvaluated("")  # of which document it was, that has to be found
            if isinstance(answer, NotEvaluated):
                answer = [self._alone(each) for each in batch]
            found += answer
        return found

    def _alone(self, document: Document) -> Any:
        if len(self.stopped) >= MOST_STOPPED:
            return not_tried(self.stopped[-1])
        try:
            answer = self.ask([document], self.opa.limit_s)
        except subprocess.TimeoutExpired:
            why = f"{self._culprit(document)} {not_done(self.opa.limit_s)}; to allow more: --limit"
            self.stopped.append(why)
            return NotEvaluated(why, lasting=False)
        return answer if isinstance(answer, NotEvaluated) else answer[0]

    def _culprit(self, document: Document) -> str:
        """The rule during which it happens again, when they are asked one by one, for as long once more."""
        until = time.monotonic() + self.opa.limit_s
        for package, rules in sorted(self.ruleset.rules.items()):
            for rule in rules:
                one = OpaEvaluator(self.opa, replace(self.ruleset, rules={package: (rule,)}))
                try:
                    one.ask([document], max(until - time.monotonic(), 0))
                except subprocess.TimeoutExpired:
                    return f"{namespace_of(package)}.{rule} ({files_of(self.ruleset, package, rule)})"
        return "all rules together"

    def ask(self, documents: Sequence[Document], limit_s: float) -> list[Any] | NotEvaluated:
        """One question for all of them. Raises TimeoutExpired, and Unavailable when opa itself fails."""
        with tempfile.TemporaryDirectory(prefix="seatrial-opa-") as place:
            names = self._written(Path(place))
            command = [self.opa.program, "eval", "--format", "json", "--strict-builtin-errors"]
            told = _run([*command, "--data", place, "--stdin-input", _QUERY], _inputs(documents), limit_s)
        try:
            answer = json.loads(told.stdout)
        except ValueError as error:
            raise Unavailable(f"{self.opa.program} eval: {_last(told.stderr or told.stdout)}") from error
        if answer.get("errors"):
            return NotEvaluated("\n".join(str(_problem(each, names)) for each in answer["errors"]))
        return list(answer["result"][0]["expressions"][0]["value"])

    def _written(self, place: Path) -> dict[str, str]:
        """Write everything; the name that people know of each file."""
        names: dict[str, str] = {}
        for number, source in enumerate(self.ruleset.sources):
            file = place / f"{number}.rego"
            file.write_text(source.text, encoding="utf-8")
            names[str(file)] = source.name
        gate = gate_module(self.ruleset.rules, inside=_INSIDE)
        (place / f"{GATE}.rego").write_text(gate, encoding="utf-8")
        (place / "data.json").write_text(json.dumps(self.ruleset.data), encoding="utf-8")
        return names


def _inputs(documents: Sequence[Document]) -> str:
    each = [
        f'{{"contents":{document.text},'
        f'"file":{json.dumps({"name": document.name, "dir": document.directory})}}}'
        for document in documents
    ]
    return f"[{','.join(each)}]"


def _problem(error: dict[str, Any], names: dict[str, str]) -> Problem:
    place = error.get("location") or {}
    file = str(place.get("file", ""))
    where = Location(names.get(file, file), place.get("row"), place.get("col")) if file else None
    return Problem(str(error.get("message", error)), where)


def _run(command: list[str], text: str, limit_s: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(f"{command[0]}: {error}") from error


def _last(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "it says nothing")
