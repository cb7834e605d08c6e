"""Files in, what is told of each out: read, parsed and evaluated, in this process or in several."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from seatrial.model.problems import Unavailable
from seatrial.policy.contents import QUIET_NS, Read, read
from seatrial.policy.convention import told_of
from seatrial.policy.engines import Document, Engine, Evaluator, NotEvaluated
from seatrial.policy.outcome import Broken, Told
from seatrial.policy.readers import NotReadable, Part, as_json, parts_of, reader_of
from seatrial.policy.ruleset import Ruleset

_CHUNK = 100  # files a process is given at once
_ALONE = 400  # fewer are judged sooner than another process is up


@dataclass(frozen=True, slots=True)
class Judged:
    """A file that was judged now. `sha256` and `stamp` are empty for one that could not be read."""

    path: str
    told: Told
    sha256: str = ""
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Judge:
    """An engine with policies in it."""

    evaluator: Evaluator
    quiet_ns: int = QUIET_NS

    def judged(self, paths: Sequence[str]) -> list[Judged]:
        """Each file, in order."""
        files: list[tuple[str, Read | None, list[Part] | Broken]] = []
        documents: list[Document] = []
        for path in paths:
            content: Read | None = None
            try:
                content = read(path, quiet_ns=self.quiet_ns)
                parts = parts_of(reader_of(path), content.data)
                documents += [document_of(path, part) for part in parts]
                files.append((path, content, parts))
            except NotReadable as error:
                files.append((path, content, Broken(error.why, error.line, error.column)))
        answers = iter(self.evaluator.answers(documents))
        return [self._one(path, content, parts, answers) for path, content, parts in files]

    def _one(
        self, path: str, content: Read | None, parts: list[Part] | Broken, answers: Iterator[object]
    ) -> Judged:
        if isinstance(parts, Broken):
            told = Told(broken=parts)
        else:
            told = _together([(next(answers), part.line) for part in parts])
        return Judged(path, told, content.sha256 if content else "", content.stamp if content else "")


def document_of(path: str, part: Part) -> Document:
    """A part of a file as an engine takes it. Raises NotReadable."""
    directory, name = os.path.split(os.path.abspath(path))
    return Document(as_json(part.data), name, directory)


def _together(answers: Sequence[tuple[object, int]]) -> Told:
    """What is told of a file by the answers to its documents, each with the line where it begins.

    Raises BadInput for a policy whose rules give no messages.
    """
    found: list[Told] = []
    for answer, line in answers:
        if isinstance(answer, NotEvaluated):
            why = f"a policy cannot judge it: {answer.why}"
            return Told(broken=Broken(why, line, lasting=answer.lasting))
        found.append(told_of(answer, line))
    return Told.of_all(found)


def judged_by_many(
    engine: Engine, ruleset: Ruleset, paths: Sequence[str], processes: int, quiet_ns: int = QUIET_NS
) -> Iterator[Judged]:
    """Each file, in order, by as many processes as are worth their start."""
    if not paths:
        return  # what is remembered was found by policies that could be loaded
    workers = min(processes, len(paths) // _ALONE)
    if workers < 2:
        yield from Judge(engine.load(ruleset), quiet_ns).judged(paths)
        return
    chunks = [list(paths[start : start + _CHUNK]) for start in range(0, len(paths), _CHUNK)]
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _begin, (engine, ruleset, quiet_ns)
    )
    try:
        for found in pool.map(_judge_chunk, chunks):
            yield from found
    except BrokenProcessPool as error:
        raise Unavailable(
            "a process that judged files was ended from outside; is there memory enough?"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


_OURS: list[Judge] = []  # of this process, when it is one of several


def _begin(engine: Engine, ruleset: Ruleset, quiet_ns: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    _OURS.append(Judge(engine.load(ruleset), quiet_ns))


def _judge_chunk(paths: list[str]) -> list[Judged]:
    return _OURS[0].judged(paths)
