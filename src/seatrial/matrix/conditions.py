"""Whether a run was of what is written now, and of all of it.

    experiment.yaml   the experiment as it was written then must say what its file says now
    openslo.yaml      so must the file that it promised by, if there is one
    plan.json         what was offered must be what the experiment says, whatever `--rate` asked for; the
                      target must be the one that the row names, as its file says now; and each file that the
                      run was made of (its scenario, the rows of its data, a program of a step …) must have
                      the hash that it had

A name alone shows none of that: any file may call itself by the name of a target. In the experiment and the
target comments and layout do not count, nor do secrets, which stand in none of these files.

Evidence of before runs told what they were made of counts as it did, until it expires, and a note says what
nobody knows of it. It would be no less of a guess to call its scenario changed.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatrial.files import find
from seatrial.model.document import Document, build, parse
from seatrial.model.experiment import Experiment
from seatrial.model.load import Load
from seatrial.model.problems import BadInput
from seatrial.model.target import Target
from seatrial.provenance import Part, changes, standing_now

_EXPERIMENT, _PROMISE, _PLAN = "experiment.yaml", "openslo.yaml", "plan.json"
_NOT_TOLD = "not known whether its scenario and its other files are as they were, for it does not tell which"
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, BadInput)


@dataclass(frozen=True, slots=True)
class Written:
    """The files that evidence is about, as they are now. `promise`: an OpenSLO file. None: none is named."""

    experiment: Path
    target: Path | None = None
    promise: Path | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a run stands to what is written now.

    `otherwise`: that it was not offered what its experiment says. `changed`: what says something else than
    then. `note`: what nobody knows. Each is empty when there is nothing to say.
    """

    otherwise: str = ""
    changed: str = ""
    note: str = ""


def conditions_of(directory: Path, now: Written, files: Mapping[str, str] | None = None) -> Conditions:
    """Those of the run in `directory`. `files`: as `files_now` tells it, where the files are not at hand."""
    then = _Then.of(directory)
    return Conditions(then.offered_otherwise(), then.changed(now, files), then.note())


def files_now(directory: Path, experiment: Path) -> dict[str, str]:
    """The hashes, by name, of what a run was made of, as that is now; empty: its evidence does not tell."""
    return _Then.of(directory).files_now(experiment)


@dataclass(frozen=True, slots=True)
class _Then:
    """What evidence tells of the beginning of its run. None: it cannot be read, or is not there."""

    experiment: Any
    promise: Any
    plan: Mapping[str, Any] | None
    parts: tuple[Part, ...] | None  # None: it is of before that was recorded

    @classmethod
    def of(cls, directory: Path) -> _Then:
        experiment, promise = _readable(directory / _EXPERIMENT), _readable(directory / _PROMISE)
        try:
            plan = json.loads((directory / _PLAN).read_bytes())
            told = plan.get("made_of")
            parts = None if told is None else tuple(Part(**each) for each in told)
        except _UNREADABLE:
            return cls(experiment, promise, None, None)
        return cls(experiment, promise, plan, parts)

    def offered_otherwise(self) -> str:
        unknown = "does not tell what load it was run with"
        if self.plan is None:
            return unknown
        try:
            load = self.plan["experiment"]["load"]
            if "rate" not in load and "replay" not in load:  # a search, of which each trial has its own
                return ""
            same = _offer(load) == _offer(self.experiment["load"])
            return "" if same else "was run with --rate, and not as its experiment says"
        except _UNREADABLE:
            return unknown

    def changed(self, now: Written, files: Mapping[str, str] | None) -> str:
        written = _readable(now.experiment)
        if self.experiment is None or written is None:
            return "its experiment can no longer be read"
        if self.experiment != written:
            return "its experiment was changed since"
        if self.promise != (_readable(now.promise) if now.promise else None):
            return "what it promises by another file was changed since"
        if now.target is not None:
            then, target = self._target(), _target(_readable(now.target))
            if then is None or target is None:
                return "its target or its plan can no longer be read"
            if then != target:
                return "it ran on another target of this name, or the target was changed since"
        return self._files_changed(now, files)

    def _files_changed(self, now: Written, files: Mapping[str, str] | None) -> str:
        if self.parts is None:
            return ""
        told = self.files_now(now.experiment) if files is None else files
        # a target that the row names was compared by what it says, wherever its file was then
        besides = {part.file for part in self.parts if part.kind == "target"} if now.target else set()
        parts = [part for part in self.parts if part.file not in besides]
        return changes(parts, {name: digest for name, digest in told.items() if name not in besides})

    def files_now(self, experiment: Path) -> dict[str, str]:
        if self.parts is None:
            return {}
        try:
            now = standing_now(self.parts, experiment, build(Experiment, _document(experiment)))
        except _UNREADABLE:
            return {}
        for part in self.parts:
            path = find(part.file, experiment) if part.kind == "target" else None
            if path and self._target() == _target(_readable(path)):
                now[part.file] = part.sha256
        return now

    def note(self) -> str:
        return "" if self.parts is not None else _NOT_TOLD

    def _target(self) -> Target | None:
        return _target(self.plan.get("target")) if self.plan else None


def _document(path: Path) -> Document:
    return parse(path.read_text(encoding="utf-8-sig"), path.name)


def _readable(path: Path) -> Any:
    """What a file says; None when that cannot be read."""
    try:
        return _document(path).data
    except _UNREADABLE:
        return None


def _target(data: Any) -> Target | None:
    try:
        return build(Target, parse(json.dumps(data), _PLAN))
    except _UNREADABLE:
        return None


def _offer(data: Any) -> Hashable:
    """What a load offers over time, however its rates are written; of a replay, what the experiment says."""
    load = build(Load, parse(json.dumps(data), _PLAN))
    steps = tuple((step.at_s, step.rate.per_second, step.end_per_s) for step in load.steps)
    return load.counts, load.arrivals, steps, load.replay is None
