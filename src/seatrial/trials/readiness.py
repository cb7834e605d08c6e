"""The readiness matrix as this machine has it: readiness file, run database, evidence, and who signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from seatrial.files import as_named
from seatrial.home import seatrial_home
from seatrial.ledger import VerifierKey, read_verifier_keys
from seatrial.ledger.keys import Keys
from seatrial.matrix.bundle import export
from seatrial.matrix.collecting import ReadinessFile, collect, read_readiness
from seatrial.matrix.conditions import Written
from seatrial.matrix.document import matrix_document
from seatrial.matrix.evidence import found_in
from seatrial.matrix.finding import Kind
from seatrial.matrix.fromruns import RunFound
from seatrial.matrix.judging import Matrix, RowVerdict, judge
from seatrial.matrix.policies import CHECKS, DELETED, PolicyCheck, checks_in, latest_check
from seatrial.matrix.signing import (
    LEDGER,
    SignOff,
    Word,
    of_line,
    record,
    sign_offs,
    signed_by,
    vouched_for,
)
from seatrial.matrix.statement import statement_of
from seatrial.model.capacity import promise_in
from seatrial.model.problems import BadInput, Unavailable, nearest
from seatrial.report.comparison import AgainstBaseline
from seatrial.report.verdictfile import read_verdict
from seatrial.run.sealing import own_keys, signer
from seatrial.store import RecordedRun, RunQuery, Store
from seatrial.trials.baseline import against_earlier
from seatrial.trials.lookup import evidence_gone, of_record

READINESS = "chaos/readiness.yaml"
"""Where the readiness file is, unless another is named."""
_CARRIED_WITHIN = timedelta(days=1)  # from a signature to its record
_AHEAD = timedelta(minutes=5)  # clocks differ
_BY_HAND = ("seatrial capacity ", "seatrial policy ")


@dataclass(frozen=True, slots=True)
class StoredRuns:
    """The run database as the matrix asks it. `keys`: who may have sealed evidence."""

    store: Store
    keys: tuple[VerifierKey, ...]

    def latest(self, experiment: str, target: str, written: Written) -> RunFound | None:
        """As `seatrial.matrix.collecting.History.latest`."""
        run = self.store.history.latest(RunQuery(experiment=experiment, target=target, finished=True))
        if run is None:
            return None
        result = read_verdict(json.dumps(run.result), run.run)
        gone, place = evidence_gone(run), run.origin.place
        if gone or place is None:
            return RunFound(result, gone=gone)
        found = found_in(place, result, self.keys, written, run.origin.verdict_sha256)
        return replace(found, trends=self._trends_of(run))

    def latest_check(self, policies: str) -> PolicyCheck | None:
        """As `seatrial.matrix.collecting.History.latest_check`."""
        return latest_check(checks_in(seatrial_home() / CHECKS), policies, self.keys)

    def _trends_of(self, run: RecordedRun) -> dict[str, str]:
        """How each objective went over the runs on record; nothing where they are too few to say."""
        try:
            beside = against_earlier(self.store, of_record(run)).found
        except Unavailable:  # none like it, or no statistics installed
            return {}
        if not isinstance(beside, AgainstBaseline):
            return {}
        return {course.name: course.change.value for course in (*beside.courses, *beside.unpromised)}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a service stands: its matrix, who has signed for it, and what was said so far."""

    file: ReadinessFile
    matrix: Matrix
    signed: tuple[SignOff, ...]

    @property
    def document(self) -> dict[str, Any]:
        """What `seatrial matrix --json` prints."""
        return matrix_document(self.matrix, self.signed)

    def outdated(self, rows: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
        """Experiment and target file ("": the testbed) of each that must run again; of `rows` alone if named.

        A search for capacity is not among them: it takes long, and a person says from where. Raises BadInput
        for a row that is none.
        """
        known = {row.id: row for row in self.file.readiness.rows}
        for unknown in (each for each in rows if each not in known):
            raise BadInput(f"there is no row '{unknown}'{nearest(unknown, known)}")
        seen = set()
        for judged in self.matrix.rows:
            if judged.verdict is RowVerdict.PASS or (rows and judged.id not in rows):
                continue
            for spec in known[judged.id].evidence:
                wanted = (spec.experiment or "", spec.target or self.file.readiness.target)
                if spec.experiment and not promise_in(spec.objective) and wanted not in seen:
                    seen.add(wanted)
                    target = self.file.targets[wanted[1]][1] if wanted[1] else None
                    path = self.file.experiments[wanted[0]][1]
                    yield as_named(path), as_named(target) if target else ""

    def by_hand(self, rows: tuple[str, ...] = ()) -> list[str]:
        """The commands that renew what does not pass where no run does; of `rows` if named."""
        judged = (each for each in self.matrix.rows if each.verdict is not RowVerdict.PASS)
        findings = (found for row in judged if not rows or row.id in rows for found in row.findings)
        commands = (found.renew for found in findings if found.renew.startswith(_BY_HAND))
        return list(dict.fromkeys(commands))


def standing(named: str, store: Store, now: datetime) -> Standing:
    """Where the service of a readiness file stands now. Raises BadInput, Unavailable, Damaged."""
    file = read_readiness(named)
    home = seatrial_home()
    words = vouched_for(home / LEDGER, own_keys(home))
    matrix = judge(file.readiness, file.sha256, collect(file, StoredRuns(store, own_keys(home)), words), now)
    readiness = file.readiness
    held = sign_offs(readiness.sign_off, readiness.keys, words, statement_of(matrix), readiness.readiness)
    return Standing(file, matrix, held)


def sign(found: Standing, role: str, name: str, key: str, now: datetime) -> Word:
    """Sign the matrix for a role, with a key ("": none). Raises BadInput, SignerUnavailable, Unavailable."""
    roles = found.file.readiness.sign_off
    if role not in roles:
        raise BadInput(f"'{role}' does not sign {as_named(found.file.path)}{nearest(role, roles)}")
    statement = statement_of(found.matrix)
    word = Word(
        "sign-off", found.matrix.readiness, role, _somebody(name), _text(now), statement.sha256,
        statement=statement,
    )  # fmt: skip
    return _recorded(word, key, found.file.readiness.keys.get(role, ""))


def sign_carried(found: Standing, line: str, now: datetime) -> Word:
    """Record what somebody signed elsewhere, by `seatrial keys sign`, with a key that never was here.

    Raises BadInput when it is not about this matrix, not signed, or not by the key that its role must use.
    """
    statement, readiness = statement_of(found.matrix), found.file.readiness
    word = replace(of_line(line), statement=statement)
    if (
        word.kind != "sign-off"
        or word.readiness != readiness.readiness
        or word.role not in readiness.sign_off
    ):
        raise BadInput(f"what was signed is no sign-off of {readiness.readiness} for a role that signs it")
    if word.about != statement.sha256:
        raise BadInput("what was signed is not the matrix as it is; look at it again, then sign")
    if not word.key or word.wrong():
        raise BadInput(f"it is not signed: {word.wrong() or 'there is no key'}")
    if readiness.keys.get(word.role, word.key) != word.key:
        raise BadInput(f"the readiness file names another key for {word.role}")
    if not _is_of_now(word, now):
        raise BadInput(f"it was signed at {word.at}: sign it again, with a clock that is right")
    home = seatrial_home()
    record(word, home, signer(home))
    return replace(word, statement=None)


def _is_of_now(word: Word, now: datetime) -> bool:
    try:
        return -_AHEAD <= now - word.instant <= _CARRIED_WITHIN
    except ValueError:  # no instant at all, which its signer has signed as well
        return False


def attest(file: ReadinessFile, row: str, role: str, name: str, until: date, key: str, now: datetime) -> Word:
    """Record somebody's word for a row's attestation, until the end of a day (UTC). Raises as `sign`."""
    rows = {each.id: each for each in file.readiness.rows}
    if row not in rows:
        raise BadInput(f"there is no row '{row}'{nearest(row, rows)}")
    texts = [spec.attestation for spec in rows[row].evidence if spec.attestation is not None]
    if not texts:
        raise BadInput(f"{row}: nothing about it is attested; it rests on what is measured")
    end = datetime.combine(until, time.max, UTC).replace(microsecond=0)
    if end <= now:
        raise BadInput(f"--until {until}: that is over")
    of, who, at = file.readiness.readiness, _somebody(name), _text(now)
    words = [Word("attestation", of, role, who, at, text, row=row, until=_text(end)) for text in texts]
    return [_recorded(word, key, file.readiness.keys.get(role, "")) for word in words][-1]


def export_bundle(found: Standing, store: Store, bundle: Path) -> None:
    """Write everything under the matrix to a new directory. Raises BadInput, CannotStore, Damaged."""
    home = seatrial_home()
    runs = {each.run for row in found.matrix.rows for each in row.findings if each.kind is Kind.MEASURED}
    known = (store.history.find(run) for run in sorted(runs) if run)
    evidence = [run.origin.place for run in known if run and run.origin.place]
    evidence += [place for place in checks_in(home / CHECKS) if place.name.removesuffix(DELETED) in runs]
    signers = [each.word.verifier_key() for each in found.signed if each.word]
    keys = [*own_keys(home), *(key for key in signers if key)]
    export(found.file, found.matrix, found.signed, evidence, home / LEDGER, keys, signer(home), bundle)


def trusted_keys(files: list[Path]) -> list[VerifierKey]:
    """The keys in `files`; without any, those that this machine signs with itself. Raises BadInput."""
    if files:
        return [key for file in files for key in read_verifier_keys(file)]
    home = seatrial_home()
    return [*own_keys(home), *(key.public for key in Keys(home).all())]


def _recorded(word: Word, key: str, pinned: str) -> Word:
    home = seatrial_home()
    if key:
        keys = Keys(home)
        found = keys.get(key)
        if pinned and str(found.public) != pinned:
            raise BadInput(f"the readiness file names another key for {word.role} than '{key}'")
        word = signed_by(word, keys.signer(found))
    elif pinned:
        raise BadInput(f"the readiness file names a key for {word.role}: sign with --key")
    record(word, home, signer(home))
    return replace(word, statement=None)


def _somebody(name: str) -> str:
    if not name.strip():
        raise BadInput("--name: who signs is not said")
    return " ".join(name.split())


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")
