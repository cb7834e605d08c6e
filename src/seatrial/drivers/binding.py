"""What every binding has: whatever its driver, a role can say where its processes are.

    worker: {driver: process, pidfile: run/worker.pid, start: [systemctl, start, worker]}

A driver's record names every key that any fault, action, probe or look-up reads of such a role, so that one
place knows what may stand there. It demands only what nobody could do without; what a single fault needs
besides is for that fault to demand (see `undo.protocol.Fitting`).

Unknown keys are refused when a plan is made, and let pass afterwards: an undo must not fail because of one.

To add a driver: a file of this room called as the driver is, with underscores, or a class in a package of
your own under the entry-point group `seatrial.drivers`, and its test. It is a record with a `driver` name
whose fields are the keys that may stand in a target, each with its text below it; `addresses`, if anybody
connects to them, for they are judged when a plan is made; and the abilities it has (see `drivers.ability`:
`processes` in `abilities`, `service` in `services`, `releases` in `releases`). Whoever connects asks by
`httpclient`, or connects to what `reach.admitted` returns, and to no name: that is where the allow list is
held. A whole one is `tests/support/example_package/seatrial_example/flag.py`.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from seatrial.extras import Extra
from seatrial.model.problems import Path
from seatrial.model.strict import as_tuple


def _as_files(value: object) -> object:
    return (value,) if isinstance(value, str) else as_tuple(value)


def _as_arguments(value: object) -> object:
    return as_tuple(shlex.split(value) if isinstance(value, str) else value)


Files = Annotated[tuple[str, ...], BeforeValidator(_as_files, json_schema_input_type=str | list[str])]
Arguments = Annotated[tuple[str, ...], BeforeValidator(_as_arguments, json_schema_input_type=str | list[str])]
Program = Annotated[Arguments, Field(min_length=1)]


def beginning_with(*schemes: str) -> AfterValidator:
    """An address of one of these kinds, or a reference to one, which nobody knows yet."""

    def check(url: str) -> str:
        if not url.startswith((*(f"{scheme}://" for scheme in schemes), "${")):
            raise ValueError(f"is not an address that begins with {' or '.join(f'{s}://' for s in schemes)}")
        return url

    return AfterValidator(check)


WebAddress = Annotated[str, beginning_with("http", "https")]


class Binding(BaseModel):
    """The base of every driver's record, and what concerns a role's processes."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    driver: ClassVar[str]  # as target files call it
    extra: ClassVar[Extra | None] = None  # without which such a role cannot be reached

    pidfile: Files = Field(default=(), examples=["run/worker.pid"])
    """The file with the number of its process, or a list of them; a path from the target's file."""
    start: Arguments = Field(default=(), examples=[["systemctl", "start", "worker"]])
    """The command that starts it again, where no supervisor does."""
    stop: Arguments = Field(default=(), examples=[["systemctl", "stop", "worker"]])
    """The command that keeps its supervisor from bringing it back, for faults that it must stay away in."""
    log: str = Field(default=os.devnull, examples=["logs/worker.log"])
    """Where the output of `start` goes."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        """Each address that is reached through this role, and the keys under which it stands."""
        yield from ()


class Supervision(Binding):
    """What any driver's binding says of processes, one that nobody has declared included."""
