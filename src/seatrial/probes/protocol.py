"""What a kind of probe is: typed parameters, and one method that asks a role and judges the answer.

A kind is one file of this room (or one of a package of your own, see `discovery`):

    class QueueProbe(ProbeKind):
        '''The consumers of a queue keep up: {probe: queue, with: {name: orders}, on: broker, max: 1000}.'''

        name: ClassVar[str] = "queue"

        queue: str = Field(alias="name")

        def ask(self, probe: ProbeSpec, role: Role) -> str:
            return probe.judge(waiting_in(role, self.queue, probe.within.seconds))

The kinds that `model.probe` knows may be written shorter: `{http: /healthz}`.
"""

from __future__ import annotations

from typing import ClassVar

from seatrial.discovery import Registry
from seatrial.model.probe import ProbeSpec
from seatrial.model.problems import BadInput
from seatrial.model.role import Role
from seatrial.model.strict import Strict


class ProbeKind(Strict):
    """The base of every kind: a frozen record of its `with:` parameters."""

    name: ClassVar[str]

    def fit(self, probe: ProbeSpec, role: Role) -> None:  # noqa: ARG002  # for kinds whose question may not fit
        """Raise BadInput unless `role` is bound so that it can be asked. Problems' paths are in the probe."""
        if not role.parameters.get("url"):
            raise BadInput(f"a probe by {self.name} asks an address; the role '{role.name}' has no url")

    def ask(self, probe: ProbeSpec, role: Role) -> str:
        """What is wrong; empty when the answer is good. Raises SeatrialError when there is none.

        Takes at most a little more than `probe.within`.
        """
        raise NotImplementedError


PROBES: Registry[ProbeKind] = Registry("probe", "seatrial.probes", ProbeKind)
