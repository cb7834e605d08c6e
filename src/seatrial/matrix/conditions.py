"""Whether a run was of what is written now, and of all of it.

    experiment.yaml   the experiment as it was written then must say what its file says now
    openslo.yaml      so must the file that it promised by, if there is one
    plan.json         what was offered must be what the experiment says, whatever `--rate` asked for; and the
                      target must be the one that the row names, as its file says now

A name alone shows none of that: any file may call itself by the name of a target. Comments and layout do not
count, nor do secrets, which stand in none of these files.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seatrial.model.document import build, parse
from seatrial.model.load import Load
from seatrial.model.problems import BadInput
from seatrial.model.target import Target

_EXPERIMENT, _PROMISE, _PLAN = "experiment.yaml", "openslo.yaml", "plan.json"
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, BadInput)


@dataclass(frozen=True, slots=True)
class Written:
    """The files that evidence is about, as they are now. `promise`: an OpenSLO file. None: none is named."""

    experiment: Path
    target: Path | None = None
    promise: Path | None = None


def changed_since(directory: Path, now: Written) -> str:
    """What says something else than when the run in `directory` was made; empty when nothing does."""
    try:
        if _data(directory / _EXPERIMENT) != _data(now.experiment):
            return "its experiment was changed since"
    except _UNREADABLE:
        return "its experiment can no longer be read"
    try:
        if _promised(directory / _PROMISE) != _promised(now.promise):
            return "what it promises by another file was changed since"
        if now.target is not None and _target(_plan(directory)["target"]) != _target(_data(now.target)):
            return "it ran on another target of this name, or the target was changed since"
    except _UNREADABLE:
        return "its target or its plan can no longer be read"
    return ""


def offered_otherwise(directory: Path) -> str:
    """That the run in `directory` was not offered what its experiment says; empty when it was."""
    try:
        load = _plan(directory)["experiment"]["load"]
        if "rate" not in load and "replay" not in load:  # a search, of which each trial has its own
            return ""
        written = _data(directory / _EXPERIMENT)["load"]
        return (
            "" if _offer(load) == _offer(written) else "was run with --rate, and not as its experiment says"
        )
    except _UNREADABLE:
        return "does not tell what load it was run with"


def _data(path: Path) -> Any:
    return parse(path.read_text(encoding="utf-8-sig"), path.name).data


def _promised(path: Path | None) -> Any:
    return _data(path) if path is not None and path.exists() else None


def _plan(directory: Path) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads((directory / _PLAN).read_bytes())
    return plan


def _target(data: Any) -> Target:
    return build(Target, parse(json.dumps(data), _PLAN))


def _offer(data: Any) -> Hashable:
    """What a load offers over time, however its rates are written; of a replay, what the experiment says."""
    load = build(Load, parse(json.dumps(data), _PLAN))
    steps = tuple((step.at_s, step.rate.per_second, step.end_per_s) for step in load.steps)
    return load.counts, load.arrivals, steps, load.replay is None
