"""A matrix with everything under it, to be verified anywhere, without a run database.

    bundle/readiness.yaml      as it was judged by
          /matrix.json         the matrix when it was exported (`at` is the instant it is judged for again)
          /inputs.json         which file below inputs/ stands for each path in the readiness file
          /inputs/…            experiments, targets, results of other tools
                               (and in inputs.json the hash, as it was then, of every file that a run was made
                               of: the files themselves may be full of secrets)
          /evidence/<run>/…    the whole evidence of every run that counts, each with its own seal
          /words/…             the ledger of sign-offs and attestations
          /keys/…              public keys that signed; whether to trust them is for the verifier to know
          /seal/…              a seal over all of it

Verifying judges anew: the readiness file is read, every sealed verdict, every file of another tool and every
attestation is taken up again, and what comes out must be what was signed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from seatrial import disk
from seatrial.files import Source, read_text
from seatrial.home import private_directory
from seatrial.ledger import Signer, VerifierKey, seal, verify, verify_sealed
from seatrial.ledger.seal import SEAL
from seatrial.matrix.collecting import ReadinessFile, collect
from seatrial.matrix.conditions import files_now
from seatrial.matrix.document import matrix_document
from seatrial.matrix.evidence import EvidenceDirectories
from seatrial.matrix.judging import Matrix, judge
from seatrial.matrix.signing import SignOff, Word, recorded, sign_offs
from seatrial.matrix.statement import Statement, differences, statement_of
from seatrial.model.document import build, parse
from seatrial.model.problems import BadInput, SeatrialError
from seatrial.model.readiness import Readiness
from seatrial.model.verdict import Verdict

_OF_ITS_PLACE = ("renew", "trend")
_READINESS, _MATRIX, _INPUTS, _WORDS = "readiness.yaml", "matrix.json", "inputs.json", "words"
_MADE_OF = "made_of"


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What `verify_bundle` found. `altered`: what is not as it was; `doubts`: what cannot be told."""

    matrix: Matrix | None
    signed: tuple[SignOff, ...]
    altered: tuple[str, ...]
    doubts: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """Pass: all is as it was signed, by keys that are trusted, for every role."""
        void = any(each.word and each.voided for each in self.signed)
        if self.altered or void:
            return Verdict.FAIL
        return (
            Verdict.UNKNOWN if self.doubts or not all(each.stands for each in self.signed) else Verdict.PASS
        )


def export(
    file: ReadinessFile,
    matrix: Matrix,
    signed: Sequence[SignOff],
    evidence: Iterable[Path],
    words: Path,
    keys: Iterable[VerifierKey],
    machine: Signer,
    bundle: Path,
) -> None:
    """Write a bundle. Raises BadInput when something is there already, CannotStore, Damaged.

    `evidence`: directories of the runs and checks that count, or what is left of them. `words`: the
    ledger of sign-offs.
    """
    if bundle.exists():
        raise BadInput(f"{bundle}: is there already; name a new directory")
    with disk.storing("the bundle", bundle):
        private_directory(bundle / "inputs")
        shutil.copyfile(file.path, bundle / _READINESS)
        document = {**matrix_document(matrix, signed), "statement": dict(statement_of(matrix).data)}
        document["exactly_at"] = matrix.at.isoformat()
        _write(bundle / _MATRIX, document)
        copies = _copied(file, bundle / "inputs")
        evidence = [place for place in evidence if place.exists()]
        _write(bundle / _INPUTS, {**copies, _MADE_OF: _made_of(file, copies["experiments"], evidence)})
        for directory in evidence:
            copied = bundle / "evidence" / directory.name
            if directory.is_dir():
                shutil.copytree(directory, copied, symlinks=True)
            else:  # what is left of a policy check
                shutil.copyfile(directory, private_directory(copied.parent) / copied.name)
        if words.is_dir():
            shutil.copytree(words, bundle / _WORDS)
        private_directory(bundle / "keys")
        for number, key in enumerate(dict.fromkeys(map(str, keys))):
            (bundle / "keys" / f"{number}.pub").write_text(f"{key}\n")
    seal(bundle, machine)
    (bundle / SEAL / "lock").unlink(
        missing_ok=True
    )  # nobody writes to it any more, and its bytes mean nothing


def _copied(file: ReadinessFile, place: Path) -> dict[str, dict[str, str]]:
    """Copy what the readiness file names; for each kind, the copy that stands for each path."""
    named: Mapping[str, Mapping[str, Path]] = {
        "experiments": {written: path for written, (_, path) in file.experiments.items()},
        "targets": {written: path for written, (_, path) in file.targets.items()},
        "files": file.files,
        "policies": file.policies,
        "promises": file.promises,
    }
    copies: dict[str, dict[str, str]] = {}
    for kind, paths in named.items():
        copies[kind] = {}
        for number, (written, path) in enumerate(sorted(paths.items())):
            copy = place / f"{kind}-{number}{path.suffix}"
            (shutil.copytree if path.is_dir() else shutil.copyfile)(path, copy)
            copies[kind][written] = copy.name
    return copies


def _made_of(
    file: ReadinessFile, copies: Mapping[str, str], evidence: Iterable[Path]
) -> dict[str, dict[str, dict[str, str]]]:
    """By the copy of each experiment and by run: the hashes of what the run was made of, as it is now."""
    return {
        copies[written]: {
            directory.name: files_now(directory, path)
            for directory in evidence
            if (directory / "experiment.yaml").is_file()
        }
        for written, (_, path) in file.experiments.items()
    }


def _write(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def verify_bundle(bundle: Path, trusted: Sequence[VerifierKey]) -> BundleReport:
    """Check a bundle, and judge it anew. Raises BadInput when `bundle` is none."""
    if not (bundle / _MATRIX).is_file():
        raise BadInput(
            f"{bundle}: not a bundle (there is no {_MATRIX} in it); to write one: seatrial matrix export"
        )
    altered: list[str] = []
    doubts: list[str] = []
    for verdict, told in _seals(bundle, trusted):
        if verdict is not Verdict.PASS:
            (altered if verdict is Verdict.FAIL else doubts).append(told)
    try:
        matrix, signed, differs = _judged_anew(bundle, trusted)
    except (SeatrialError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        told = f"what it holds cannot be judged anew: {error}"
        return BundleReport(None, (), (*altered, told), tuple(doubts))
    doubts += [
        f"{each.role}: the key {each.word.key.split('+')[0]} is not one that was named to be trusted"
        for each in signed
        if each.word and each.word.key and each.word.key not in set(map(str, trusted))
    ]
    return BundleReport(matrix, signed, (*altered, *differs), tuple(doubts))


def _seals(bundle: Path, keys: Sequence[VerifierKey]) -> Iterator[tuple[Verdict, str]]:
    """Of the bundle, of each run in it, and of the ledger of words."""
    for directory in (bundle, *sorted((bundle / "evidence").glob("*/"))):
        try:
            report = verify_sealed(directory, keys)
        except (SeatrialError, OSError) as error:
            yield Verdict.FAIL, str(error)
            continue
        yield report.verdict, f"{directory.name}: {report}"
    if (bundle / _WORDS).exists():
        try:
            words = verify(bundle / _WORDS, keys)
        except (SeatrialError, OSError) as error:
            yield Verdict.FAIL, str(error)
        else:
            yield words.verdict, f"{_WORDS}: {words}"


def _judged_anew(
    bundle: Path, trusted: Sequence[VerifierKey]
) -> tuple[Matrix, tuple[SignOff, ...], tuple[str, ...]]:
    """The matrix as its parts say, the sign-offs held against it, and how it differs from the exported."""
    told = json.loads((bundle / _MATRIX).read_bytes())
    file = _readiness_in(bundle)
    words: tuple[Word, ...] = tuple(recorded(bundle / _WORDS))
    # a bundle of before that was told has only runs that do not tell it either
    made_of = json.loads((bundle / _INPUTS).read_bytes()).get(_MADE_OF, {})
    history = EvidenceDirectories(sorted((bundle / "evidence").glob("*")), trusted, made_of)
    now = datetime.fromisoformat(told["exactly_at"]).astimezone(UTC)
    matrix = judge(file.readiness, file.sha256, collect(file, history, words), now)
    current = statement_of(matrix)
    signed = sign_offs(file.readiness.sign_off, file.readiness.keys, words, current, file.readiness.readiness)
    differs = list(differences(Statement(told["statement"]), current))
    said = {
        **matrix_document(matrix, signed),
        "statement": told["statement"],
        "exactly_at": told["exactly_at"],
    }
    if not differs and _on_its_own(_of_what(said, told)) != _on_its_own(told):
        differs.append(f"{_MATRIX} does not tell what the evidence says")
    return matrix, signed, tuple(differs)


def _of_what(said: Any, told: Any) -> Any:
    """Of a document what another tells as well: one that was exported before tells less of the same."""
    if isinstance(said, dict) and isinstance(told, dict):
        return {key: _of_what(value, told[key]) for key, value in said.items() if key in told}
    if isinstance(said, list) and isinstance(told, list) and len(said) == len(told):
        return [_of_what(*both) for both in zip(said, told, strict=True)]
    return said


def _on_its_own(document: Any) -> Any:
    """A document without what only the place where it was made tells: what to run there, and other runs."""
    if isinstance(document, dict):
        return {key: _on_its_own(value) for key, value in document.items() if key not in _OF_ITS_PLACE}
    return [_on_its_own(value) for value in document] if isinstance(document, list) else document


def _readiness_in(bundle: Path) -> ReadinessFile:
    path = bundle / _READINESS
    readiness = build(Readiness, Source(path, parse(read_text(path, _READINESS), _READINESS)).document)
    inputs: Mapping[str, Any] = json.loads((bundle / _INPUTS).read_bytes())
    places = {
        kind: {written: bundle / "inputs" / Path(name).name for written, name in inputs.get(kind, {}).items()}
        for kind in ("experiments", "targets", "files", "policies", "promises")
    }
    return ReadinessFile(
        path,
        readiness,
        sha256(path.read_bytes()).hexdigest(),
        {written: (_name(place, "experiment"), place) for written, place in places["experiments"].items()},
        {written: (_name(place, "target"), place) for written, place in places["targets"].items()},
        places["files"],
        places["policies"],
        places["promises"],
    )


def _name(path: Path, kind: str) -> str:
    data = parse(read_text(path, path.name), path.name).data
    return str(data[kind])
