"""What is there for each piece of evidence: the latest run, another tool's file, a person's word."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from seatrial.files import as_named, find, find_directory, missing, read
from seatrial.matrix.conditions import Written
from seatrial.matrix.finding import Finding, Kind
from seatrial.matrix.fromruns import RunFound, from_run, what_of
from seatrial.matrix.imported import from_file
from seatrial.matrix.policies import PolicyCheck, from_check, policies_hash
from seatrial.matrix.signing import Word
from seatrial.model.capacity import name_of, promise_in
from seatrial.model.document import Document, build
from seatrial.model.document import Path as KeyPath
from seatrial.model.problems import BadInput, Problems
from seatrial.model.readiness import Evidence, Readiness, Row
from seatrial.model.verdict import Verdict

_LARGEST_FILE = 64_000_000  # bytes of another tool's results


class History(Protocol):
    """Where recorded runs are found."""

    def latest(self, experiment: str, target: str, written: Written) -> RunFound | None:
        """The latest run of an experiment, on a target ("": any), that was not interrupted.

        `written`: both as they are now, to tell whether the run was of that.
        """

    def latest_check(self, policies: str) -> PolicyCheck | None:
        """The latest measured check by the policies that are named so."""


@dataclass(frozen=True, slots=True)
class ReadinessFile:
    """A readiness file, and what it names, by path as written.

    `experiments` and `targets`: the name that each file gives itself, and where it is. `files`: where another
    tool's results are; one that is not there is left out. `policies`: directories, likewise. `promises`: of
    an experiment that promises by an OpenSLO file, that file.
    """

    path: Path
    readiness: Readiness
    sha256: str
    experiments: Mapping[str, tuple[str, Path]]
    targets: Mapping[str, tuple[str, Path]]
    files: Mapping[str, Path]
    policies: Mapping[str, Path]
    promises: Mapping[str, Path]


def read_readiness(named: str) -> ReadinessFile:
    """Read it, and the names of what it names. Raises BadInput with every problem, each with its place."""
    source = read(named, "readiness")
    readiness = build(Readiness, source.document)
    names: dict[str, dict[str, tuple[str, Path]]] = {"experiment": {}, "target": {}}
    problems = Problems()
    for place, kind, file in _files_named(readiness):
        with problems.collected():
            names[kind][file] = _named(source.path, source.document, place, kind, file)
    problems.tell()
    of_tools = {spec.file for row in readiness.rows for spec in row.evidence if spec.file is not None}
    there = {file: path for file in of_tools if (path := find(file, source.path))}
    named_policies = {
        spec.policy for row in readiness.rows for spec in row.evidence if spec.policy is not None
    }
    policies = {name: path for name in named_policies if (path := find_directory(name, source.path))}
    digest = sha256(source.path.read_bytes()).hexdigest()
    experiments = names["experiment"]
    promises = {named: path for named, (_, file) in experiments.items() if (path := _promise_of(file))}
    return ReadinessFile(
        source.path, readiness, digest, experiments, names["target"], there, policies, promises
    )


def _promise_of(experiment: Path) -> Path | None:
    """The OpenSLO file that an experiment names, where there is one."""
    data = read(str(experiment), "experiment").document.data
    objectives = data.get("objectives")
    named = objectives.get("openslo") if isinstance(objectives, dict) else None
    return find(named, experiment) if isinstance(named, str) else None


def _files_named(readiness: Readiness) -> Iterator[tuple[KeyPath, str, str]]:
    """Where in the file each experiment and target is named: path of keys, kind, file."""
    if readiness.target:
        yield ("target",), "target", readiness.target
    for number, row in enumerate(readiness.rows):
        for index, spec in enumerate(row.evidence):
            place = ("rows", number, "evidence", index)
            if spec.experiment is not None:
                yield (*place, "experiment"), "experiment", spec.experiment
            if spec.target:
                yield (*place, "target"), "target", spec.target


def _named(by: Path, document: Document, place: KeyPath, kind: str, file: str) -> tuple[str, Path]:
    """The name that a file gives itself, and where the file is. Raises BadInput."""
    path = find(file, by)
    if path is None:
        raise BadInput(document.problem(place, missing(file, by)))
    found = read(file, kind, by).document
    name = found.data.get(kind) if isinstance(found.data, dict) else None
    if not isinstance(name, str):
        raise BadInput(found.problem((), f"it has no {kind}: NAME"))
    return name, path


def collect(file: ReadinessFile, history: History, words: Sequence[Word]) -> dict[str, tuple[Finding, ...]]:
    """The findings of each row, by its id, in the order of its evidence."""
    collector = _Collector(file, history, words)
    return {
        row.id: tuple(collector.finding(row, spec) for spec in row.evidence) for row in file.readiness.rows
    }


@dataclass(frozen=True, slots=True)
class _Collector:
    file: ReadinessFile
    history: History
    words: Sequence[Word]
    # looked up and verified once; of policies also their hash as they are now
    runs: dict[tuple[str, str, Written], RunFound | None] = field(default_factory=dict)
    checks: dict[str, tuple[PolicyCheck | None, str]] = field(default_factory=dict)

    def finding(self, row: Row, spec: Evidence) -> Finding:
        """What is there for a piece of evidence, and how long it counts."""
        if spec.experiment is not None:
            found = self._of_experiment(spec, spec.experiment)
        elif spec.policy is not None:
            found = self._of_policies(spec, spec.policy)
        elif spec.file is not None:
            found = self._of_file(spec, spec.file)
        else:
            found = self._of_a_person(row, spec.attestation or "")
        life = spec.shelf_life or row.shelf_life or self.file.readiness.shelf_life
        if found.at is None:
            return found
        dies_at = found.at + timedelta(seconds=life.seconds)
        return replace(found, expires_at=min(dies_at, found.expires_at or dies_at))

    def _of_experiment(self, spec: Evidence, named: str) -> Finding:
        experiment, path = self.file.experiments[named]
        target_file = spec.target or self.file.readiness.target
        target = self.file.targets[target_file][0] if target_file else ""
        what = what_of(spec, experiment)
        promise = promise_in(spec.objective)
        renew = f"seatrial {'capacity' if promise else 'run'} {shlex.quote(as_named(path))}"
        if target_file:
            renew += f" --target {shlex.quote(as_named(self.file.targets[target_file][1]))}"
        if promise:
            renew += f" --objective {shlex.quote(promise)} --from {spec.min or 'RATE'}"
            experiment = name_of(experiment)
        named_target = self.file.targets[target_file][1] if target_file else None
        wanted = (experiment, target, Written(path, named_target, self.file.promises.get(named)))
        if wanted not in self.runs:
            self.runs[wanted] = self.history.latest(*wanted)
        found = self.runs[wanted]
        if found is None:
            on = f" on {target}" if target else ""
            return Finding(what, Kind.MEASURED, Verdict.UNKNOWN, f"it was never run{on}", renew=renew)
        return replace(from_run(spec, found, what), renew=renew)

    def _of_policies(self, spec: Evidence, named: str) -> Finding:
        renew = f"seatrial policy check --policies {shlex.quote(named)} --evidence"
        what = f"{named}, {spec.figure}" if spec.figure else named
        path = self.file.policies.get(named)
        if path is None:
            reason = "there is no such directory of policies"
            return Finding(what, Kind.MEASURED, Verdict.UNKNOWN, reason, renew=renew)
        if named not in self.checks:
            self.checks[named] = self.history.latest_check(named), policies_hash(path)
        found, now_sha256 = self.checks[named]
        if found is None:
            return Finding(what, Kind.MEASURED, Verdict.UNKNOWN, "it was never measured", renew=renew)
        return replace(from_check(spec, found, now_sha256), renew=renew)

    def _of_file(self, spec: Evidence, named: str) -> Finding:
        path = self.file.files.get(named)
        if path is None:
            reason = missing(named, self.file.path)
            return Finding(named, Kind.IMPORTED, Verdict.UNKNOWN, reason)
        try:
            if path.stat().st_size > _LARGEST_FILE:
                return Finding(named, Kind.IMPORTED, Verdict.UNKNOWN, f"larger than {_LARGEST_FILE:,} bytes")
            return from_file(spec, path.read_bytes())
        except OSError as error:
            return Finding(named, Kind.IMPORTED, Verdict.UNKNOWN, f"cannot be read: {error.strerror}")

    def _of_a_person(self, row: Row, text: str) -> Finding:
        said = [
            word
            for word in self.words
            if word.kind == "attestation"
            and (word.readiness, word.row, word.about) == (self.file.readiness.readiness, row.id, text)
        ]
        renew = f"seatrial matrix attest {row.id} --role ROLE --name NAME --until DAY"
        what = text.rstrip(".")
        if not said:
            return Finding(what, Kind.ATTESTED, Verdict.UNKNOWN, "nobody has attested to it", renew=renew)
        latest = said[-1]
        wrong = latest.wrong() or self._not_the_key_of_its_role(latest)
        return Finding(
            what,
            Kind.ATTESTED,
            Verdict.UNKNOWN if wrong else Verdict.PASS,
            wrong,
            by=f"{latest.name} ({latest.role}{'' if latest.key else ', without a key'})",
            sha256=sha256(latest.text).hexdigest(),
            at=latest.instant,
            expires_at=datetime.fromisoformat(latest.until).astimezone(UTC) if latest.until else None,
            renew=renew,
        )

    def _not_the_key_of_its_role(self, word: Word) -> str:
        pinned = self.file.readiness.keys.get(word.role, "")
        return "it was not signed with the key of that role" if pinned and word.key != pinned else ""
