"""`plan.json`: a plan as resolved, which files it is made of, and what it was carried out by."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seatrial.disk import file_digest
from seatrial.files import as_named
from seatrial.home import seatrial_home
from seatrial.model.result import plain
from seatrial.model.secrets import shown_in
from seatrial.provenance import Part, programs, running, written_parts
from seatrial.run.origin import revision_of
from seatrial.run.plan import Plan

_PARTS = ("seatrial", "locust", "gevent", "httptools", "numpy", "arro3-core", "httpx")


def description_of(plan: Plan) -> dict[str, Any]:
    """The plan as JSON-ready data. Secrets stay references: the target is recorded as it was written.

    A command may have been given what a reference stands for; it is shown without.
    """
    described = {
        "experiment": plan.experiment.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "target": plan.target.model_dump(mode="json"),
        "scenario": ", ".join(plan.experiment.load.scenario),
        "made_of": [plain(part) for part in {part.file: part for part in parts_of(plan)}.values()],
        "data": _data_of(plan),
        "replay": _replay_of(plan),
        "openslo": {"file": plan.slo.file, "sha256": plan.slo.sha256} if plan.slo else None,
        "allowance": plain(plan.allowance),
        "steps": [
            {
                "name": step.name,
                "kind": step.fault.kind,
                "does": step.fault.name,
                "role": step.role.name,
                "planned_s": step.at_s,
            }
            for step in plan.steps
        ],
        "revision": revision_of(plan.experiment_file.resolve().parent),
        "spikes": plan.arrival_changes,
        "versions": {part: _version(part) for part in _PARTS} | {"python": platform.python_version()},
        "machine": {
            "system": f"{platform.system()} {platform.release()}",
            "processors": str(os.cpu_count()),
            "architecture": platform.machine(),
            "root": "yes" if hasattr(os, "geteuid") and os.geteuid() == 0 else "no",
            "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        },
    }
    return shown_in(described)


def parts_of(plan: Plan) -> Iterator[Part]:
    """All of its files but the experiment, which is kept whole."""
    yield from written_parts(plan.experiment, plan.experiment_file)
    yield from programs(_running_something(plan), plan.target_file.resolve().parent)
    target = plan.target_file.resolve()
    # That of the testbed is made anew at each start, and the plan holds it whole.
    if target.is_file() and not target.is_relative_to(seatrial_home().resolve()):
        yield Part("target", as_named(target), file_digest(target))


def _running_something(plan: Plan) -> Iterator[Any]:
    """Where programs may be written: in steps, probes and checks, and in what is needed of the target."""
    experiment, target = plan.experiment, plan.target
    yield from running(experiment)
    yield from (target.roles[name].parameters for name in plan.roles() if name in target.roles)
    if target.version is not None:
        yield target.version.command
    if target.cost is not None:
        yield from (source.command for _, source in target.cost.sources())


def _data_of(plan: Plan) -> dict[str, Any] | None:
    """What was fed to arrivals, told apart from every other file: not what it says."""
    data, named = plan.data, plan.experiment.load.data
    if data is None or named is None:
        return None
    return {
        "file": named.file,
        "sha256": data.sha256,
        "rows": data.rows,
        "columns": data.columns,
        "order": data.order,
        "secret": data.secret,
    }


def _replay_of(plan: Plan) -> dict[str, Any] | None:
    """Which log was offered again, and what of it was not."""
    replay = plan.replay
    if replay is None:
        return None
    return {
        "log": replay.log,
        "sha256": replay.sha256,
        "format": replay.format,
        "arrivals": len(replay.instants),
        "left_out": dict(replay.left_out),
        "said": replay.said,
    }


def _version(part: str) -> str:
    try:
        return importlib.metadata.version(part)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
