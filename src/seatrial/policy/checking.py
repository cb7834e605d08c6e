"""A check from end to end: what is judged, what of it is known, the rest evaluated, and all of it told."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from seatrial.policy.combined import judged_together
from seatrial.policy.contents import QUIET_NS, blob_of, read, stamp_of
from seatrial.policy.engines import LIMIT_S, Engine, engine_named
from seatrial.policy.git import Repository, commit_of
from seatrial.policy.judging import judged_by_many
from seatrial.policy.listing import inputs
from seatrial.policy.memory import Known, Memory, News, hash_of, input_key
from seatrial.policy.outcome import Report, Told
from seatrial.policy.readers import NotReadable, reader_of
from seatrial.policy.ruleset import Ruleset, load

_NOTHING = json.dumps(Told().plain(), separators=(",", ":"))  # of most files, and not parsed each time


@dataclass(frozen=True, slots=True)
class Request:
    """What to check. `memory`: where results are remembered; None: nowhere.

    changed_since: a revision; files that it holds unchanged need not be read. anew: whether to evaluate
    everything, whatever is remembered. combine: whether the rules see all files at once, as conftest's do
    with `--combine`. limit_s: how long the rules may take over one document. processes: at the most.
    quiet_ns: how long a file must have been left alone for its times to be believed.
    """

    paths: tuple[str, ...]
    policies: tuple[Path, ...]
    data: tuple[Path, ...] = ()
    namespaces: tuple[str, ...] = ("main",)
    changed_since: str = ""
    anew: bool = False
    combine: bool = False
    ignored: bool = False
    leaving_out: str = ""
    engine: str = "auto"
    limit_s: float = LIMIT_S
    memory: Path | None = None
    processes: int = 1
    quiet_ns: int = QUIET_NS


def check(request: Request) -> Report:
    """Check. Raises BadInput, Unavailable, CannotStore."""
    started, began = datetime.now(UTC), time.monotonic()
    engine = engine_named(request.engine, request.limit_s)
    ruleset = load(request.policies, request.data, request.namespaces)
    paths = inputs(request.paths, ignored=request.ignored, leaving_out=request.leaving_out)
    found = _Check(request, engine, ruleset).told(paths)
    return Report(
        told={_shown(path): told for path, told in found.told.items() if told != Told()},
        inputs=len(paths),
        evaluated=found.evaluated,
        read=found.read,
        rules=ruleset.names,
        policies=ruleset.identity(engine.identity),
        engine=engine.identity,
        started_at=started.isoformat(timespec="milliseconds"),
        elapsed_s=time.monotonic() - began,
        notes=found.notes,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    told: Mapping[str, Told]
    evaluated: int
    read: int
    notes: tuple[str, ...]


class _Check:
    """One check on its way."""

    def __init__(self, request: Request, engine: Engine, ruleset: Ruleset) -> None:
        self.request, self.engine, self.ruleset = request, engine, ruleset
        self.identity = ruleset.identity(engine.identity)
        self.memory = Memory(request.memory) if request.memory else None
        self.news, self.known = News(), Known()
        self.notes: list[str] = []
        self.read: set[str] = set()

    def told(self, paths: Sequence[str]) -> _Found:
        if self.memory and not self.request.anew:
            self.known = self.memory.recall(self.identity, blobs=bool(self.request.changed_since))
        hashes = self._hashes(paths)
        if self.request.combine:
            told, evaluated = self._combined(paths, hashes)
        else:
            told, evaluated = self._one_by_one(paths, hashes)
        if self.memory:
            self.memory.keep(self.identity, self.news, int(time.time()))
        return _Found(told, evaluated, len(self.read), tuple(self.notes))

    # what the bytes are

    def _hashes(self, paths: Sequence[str]) -> dict[str, str]:
        """The hash of each file's bytes; of one that cannot be read, none."""
        if self.request.anew or not self.memory:
            return {}
        unchanged = self._unchanged()
        hashes: dict[str, str] = {}
        for path in paths:
            absolute = os.path.abspath(path)
            stamp, sha256 = self.known.files.get(absolute, ("", ""))
            if not (stamp and stamp == _stamp(path)):
                sha256 = self.known.blobs.get(unchanged.get(absolute, ""), "")
            if sha256 or (sha256 := self._read(path)):
                hashes[path] = sha256
        return hashes

    def _read(self, path: str) -> str:
        try:
            content = read(path, quiet_ns=self.request.quiet_ns)
        except NotReadable:
            return ""  # whoever judges it says why
        self.read.add(path)
        self._keep_stamp(path, content.stamp, content.sha256)
        self.news.blobs[blob_of(content.data, 40)] = content.sha256
        return content.sha256

    def _keep_stamp(self, path: str, stamp: str, sha256: str) -> None:
        """Remember by which stamp these bytes are known, where the file's name can be written down."""
        if stamp and _shown(path) == path:
            self.news.files[os.path.abspath(path)] = (stamp, sha256)

    def _unchanged(self) -> dict[str, str]:
        """By absolute path, the id of the blob that a file is, where the revision to compare with tells."""
        if not self.request.changed_since:
            return {}
        found: dict[str, str] = {}
        for repository in _repositories(self.request.paths):
            commit, note = commit_of(repository, self.request.changed_since)
            self.notes += [note] if note else []
            if commit:
                unchanged = repository.unchanged_since(commit)
                found |= {os.path.join(repository.top, path): blob for path, blob in unchanged.items()}
        return found

    # what the policies say

    def _one_by_one(self, paths: Sequence[str], hashes: Mapping[str, str]) -> tuple[dict[str, Told], int]:
        told: dict[str, Told] = {}
        results = self.known.results if self.ruleset.steady else {}
        for path in paths:
            text = results.get(self._key(path, hashes[path])) if path in hashes else None
            if text is not None and (found := _parsed(text)) is not None:
                told[path] = found
        open_paths = [path for path in paths if path not in told]
        for judged in judged_by_many(
            self.engine, self.ruleset, open_paths, self.request.processes, self.request.quiet_ns
        ):
            told[judged.path] = judged.told
            self.read.add(judged.path)
            if judged.sha256 and judged.told.lasting:
                self.news.results[self._key(judged.path, judged.sha256)] = _text(judged.told)
                self._keep_stamp(judged.path, judged.stamp, judged.sha256)
        return told, len(open_paths)

    def _combined(self, paths: Sequence[str], hashes: Mapping[str, str]) -> tuple[dict[str, Told], int]:
        """All files as one input: a result holds as long as every one of them is what it was."""
        key = hash_of(["combined", [[path, reader_of(path), hashes.get(path, "")] for path in paths]])
        if len(hashes) == len(paths) and self.ruleset.steady and key in self.known.results:
            remembered = json.loads(self.known.results[key])
            return {path: Told.of_plain(each) for path, each in remembered.items()}, 0
        told, read_now = judged_together(self.engine, self.ruleset, paths)
        self.read |= set(paths)
        if read_now == hashes and all(each.lasting for each in told.values()):
            self.news.results[key] = json.dumps({path: each.plain() for path, each in told.items()})
        return told, len(paths)

    def _key(self, path: str, sha256: str) -> str:
        return input_key(path, sha256, by_name=self.ruleset.asks_for_the_file)


def _repositories(paths: Sequence[str]) -> Iterator[Repository]:
    """The work trees that the paths are in, each once."""
    seen: set[Repository] = set()
    for named in paths:
        path = Path(named)
        repository = Repository.around(path if path.is_dir() else path.parent)
        if repository and repository not in seen:
            seen.add(repository)
            yield repository


def _shown(path: str) -> str:
    """A path as text, where its bytes may be none."""
    return os.fsencode(path).decode(errors="replace")


def _stamp(path: str) -> str:
    try:
        return stamp_of(os.stat(path))
    except OSError:
        return ""


def _text(told: Told) -> str:
    return _NOTHING if told == Told() else json.dumps(told.plain(), separators=(",", ":"))


def _parsed(text: str) -> Told | None:
    """A remembered result; None for one that is none."""
    if text == _NOTHING:
        return Told()
    try:
        return Told.of_plain(json.loads(text))
    except (ValueError, KeyError, TypeError):
        return None
