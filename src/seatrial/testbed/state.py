"""What a testbed says about itself: `state.json`, written by its supervisor, read by everybody."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from seatrial.processes import ProcessId, is_running
from seatrial.testbed.places import Places
from seatrial.testbed.topology import Endpoint, Topology

Phase = Literal["starting", "ready", "broken"]
Condition = Literal["waiting", "starting", "running", "paused", "stopped", "exited"]


@dataclass(frozen=True, slots=True)
class PartState:
    """One part. `exited`: it ended although nobody asked it to."""

    name: str
    condition: Condition
    process: ProcessId | None
    endpoint: Endpoint | Path  # a path: of a Unix socket


@dataclass(frozen=True, slots=True)
class TestbedState:
    """A testbed as its supervisor saw it last. `broken`: the supervisor is gone, `up` or `down` cleans up."""

    __test__ = False  # pytest takes every Test… for tests

    phase: Phase
    supervisor: ProcessId
    root: Path
    topology: Topology
    parts: tuple[PartState, ...]

    @property
    def base_url(self) -> str:
        """Where load goes."""
        return self.topology.base_url

    @property
    def target(self) -> Path:
        """The target file of this testbed."""
        return Places(self.root).target

    def part(self, name: str) -> PartState:
        """One part by its full name."""
        return next(part for part in self.parts if part.name == name)


def write(state: TestbedState, path: Path) -> None:
    """Replace the file at once, so that no reader sees half of it."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(state), indent=1, default=os.fspath))
    draft.replace(path)


def read(path: Path) -> TestbedState | None:
    """The state with its phase as it is now; None when there is no testbed."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    state = from_json(text)
    return state if is_running(state.supervisor) else replace(state, phase="broken")


def from_json(text: str) -> TestbedState:
    """The state that `write` wrote."""
    data = json.loads(text)
    return TestbedState(
        phase=data["phase"],
        supervisor=ProcessId(**data["supervisor"]),
        root=Path(data["root"]),
        topology=Topology.from_plain(data["topology"]),
        parts=tuple(
            PartState(
                name=part["name"],
                condition=part["condition"],
                process=ProcessId(**part["process"]) if part["process"] else None,
                endpoint=_endpoint(part["endpoint"]),
            )
            for part in data["parts"]
        ),
    )


def _endpoint(written: str | list[Any]) -> Endpoint | Path:
    return Path(written) if isinstance(written, str) else Endpoint(*written)
