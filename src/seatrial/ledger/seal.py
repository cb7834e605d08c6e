"""Sealing a directory of evidence, so that whoever reads a report later can tell that nothing was altered.

The seal is a ledger inside the directory. It holds the hash of every file, and of every line of files that
are journals (`*.jsonl`), so that a doctored journal is shown at its line; the segments of a recorded ledger
show that themselves. A run may be sealed again, as when its report is drawn anew: what was sealed before
stays in the ledger, and a file that changed meanwhile without being named as replaced refuses the new seal,
for a second signature must not launder an alteration.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seatrial.ledger.canonical import Event, InvalidEvent
from seatrial.ledger.copies import CheckpointCopy
from seatrial.ledger.inspection import read_entries
from seatrial.ledger.layout import Damaged, Layout
from seatrial.ledger.note import VerifierKey
from seatrial.ledger.signer import Signer, SignerUnavailable
from seatrial.ledger.verifier import VerifyReport, verify
from seatrial.ledger.writer import Ledger
from seatrial.model.problems import BadInput
from seatrial.model.verdict import Verdict

SEAL = "seal"
"""The ledger's directory inside the sealed one."""


@dataclass(frozen=True, slots=True)
class Alteration:
    """A difference between what was sealed and what is there."""

    path: str  # relative to the sealed directory
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


@dataclass(frozen=True, slots=True)
class SealReport:
    """What `verify_sealed` found."""

    files: int  # sealed ones
    ledger: VerifyReport
    alterations: tuple[Alteration, ...]

    @property
    def verdict(self) -> Verdict:
        """Fail with an alteration; else the verdict on the seal itself."""
        return Verdict.FAIL if self.alterations else self.ledger.verdict

    def __str__(self) -> str:
        if self.ledger.findings:
            return f"the seal is not to be believed: {self.ledger}"
        if self.alterations:
            return "\n".join(map(str, self.alterations))
        return f"{self.files} files as sealed; {self.ledger}"


@dataclass(frozen=True, slots=True)
class _Evidence:
    """One file: its hash, and the hash of each line if it is a journal."""

    size: int
    sha256: str
    lines: tuple[str, ...]


def seal(
    directory: Path,
    signer: Signer,
    *,
    replaced: Collection[str] = (),
    copies: Sequence[CheckpointCopy] = (),
) -> SealReport:
    """Seal all files below `directory`, or what was added to and `replaced` in a sealed one (relative paths).

    Raises Damaged when something sealed was altered meanwhile, SignerUnavailable when nobody signed.
    """
    sealed: dict[str, _Evidence] = {}
    keys = [signer.verifier_key()]
    if (directory / SEAL).exists():
        report = verify_sealed(directory, keys)
        allowed = {each.path for each in report.alterations if each.problem == _ADDED} | set(replaced)
        if report.ledger.findings or any(each.path not in allowed for each in report.alterations):
            raise Damaged(f"{directory}: not sealed again: {report}")
        sealed = _sealed(directory)
    present = {name: _read(directory / name) for name in _files(directory)}
    changed = {name: evidence for name, evidence in present.items() if sealed.get(name) != evidence}
    with Ledger(directory / SEAL, signer, copies=copies) as ledger:
        try:
            ledger.append_all(_events(changed, gone=sorted(sealed.keys() - present.keys())))
        except InvalidEvent as error:
            raise BadInput(f"{directory}: cannot be sealed: {error}") from error
        complete = ledger.close()
    if not complete:
        raise SignerUnavailable(f"{directory}: sealed, but not signed: {ledger.status().failure}")
    return verify_sealed(directory, keys)


def verify_sealed(
    directory: Path,
    keys: Sequence[VerifierKey],
    *,
    witnessed: Sequence[bytes] = (),
    progress: Callable[[int, int], None] = lambda _bytes, _of: None,
) -> SealReport:
    """Compare a directory with its seal. `progress`: told the bytes so far, and all.

    Raises BadInput when it has none.
    """
    if not (directory / SEAL).is_dir():
        raise BadInput(f"{directory}: not sealed (there is no {SEAL}/ in it)")
    report = verify(directory / SEAL, keys, witnessed=witnessed)
    if report.findings:
        return SealReport(0, report, ())
    sealed = _sealed(directory)
    present = set(_files(directory))
    alterations = [Alteration(name, _ADDED) for name in present - sealed.keys()]
    done, of = 0, sum(evidence.size for evidence in sealed.values())
    for name, evidence in sealed.items():
        problem = _difference(evidence, _read(directory / name)) if name in present else "sealed, and missing"
        if problem:
            alterations.append(Alteration(name, problem))
        done += evidence.size
        progress(done, of)
    return SealReport(len(sealed), report, tuple(sorted(alterations, key=lambda each: each.path)))


_ADDED = "was not there when the directory was sealed"


def _files(directory: Path) -> Iterator[str]:
    """Relative paths of all files and links but the seal's own, in order."""
    for root, directories, names in os.walk(directory):
        here = Path(root)
        if here == directory and SEAL in directories:
            directories.remove(SEAL)
        directories.sort()
        links = [name for name in directories if (here / name).is_symlink()]
        for name in sorted([*names, *links]):
            yield str((here / name).relative_to(directory))


def _read(path: Path) -> _Evidence:
    """Hash a file. A link counts as the text of its target: it is not followed."""
    if path.is_symlink():
        target = os.fsencode(path.readlink())
        return _Evidence(len(target), hashlib.sha256(b"link:" + target).hexdigest(), ())
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        of_ledger = path.parent == Layout(path.parent.parent).segments
        journal = path.suffix == ".jsonl" and not of_ledger
        lines = tuple(hashlib.sha256(line).hexdigest() for line in file) if journal else ()
        return _Evidence(os.fstat(file.fileno()).st_size, digest, lines)


def _events(changed: dict[str, _Evidence], gone: Collection[str]) -> Iterator[Event]:
    """What a seal writes. The last event makes the ones before it count, so a seal is whole or not there."""
    for name, evidence in changed.items():
        for number, digest in enumerate(evidence.lines, 1):
            yield {"kind": "line", "path": name, "line": number, "sha256": digest}
        yield {"kind": "file", "path": name, "bytes": evidence.size, "sha256": evidence.sha256}
    for name in gone:
        yield {"kind": "gone", "path": name}
    yield {"kind": "sealed"}


def _sealed(directory: Path) -> dict[str, _Evidence]:
    """What the seal says is there: the newest word on each file."""
    sealed: dict[str, _Evidence] = {}
    pending: dict[str, _Evidence | None] = {}
    lines: list[str] = []
    for entry in read_entries(directory / SEAL):
        match entry.event:
            case {"kind": "line", "sha256": str(digest)}:
                lines.append(digest)
            case {"kind": "file", "path": str(name), "bytes": int(size), "sha256": str(digest)}:
                pending[name] = _Evidence(size, digest, tuple(lines))
                lines = []
            case {"kind": "gone", "path": str(name)}:
                pending[name] = None
            case {"kind": "sealed"}:
                sealed = {name: each for name, each in {**sealed, **pending}.items() if each is not None}
                pending = {}
            case _:
                raise Damaged(f"{directory / SEAL}: entry {entry.seq} is not of a seal")
    return sealed


def _difference(sealed: _Evidence, present: _Evidence) -> str:
    """How a file differs from what was sealed, at its first line if that is known; empty when it does not."""
    if sealed == present:
        return ""
    for number, (before, now) in enumerate(zip(sealed.lines, present.lines, strict=False), 1):
        if before != now:
            return f"altered at line {number}"
    if sealed.lines and len(sealed.lines) != len(present.lines):
        return f"altered: {len(sealed.lines)} lines were sealed, {len(present.lines)} are there"
    return f"altered: {sealed.size:,} bytes with SHA-256 {sealed.sha256} were sealed"
