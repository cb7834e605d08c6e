"""A container's processes, by the API of its engine: Docker, or Podman's service, which speaks the same.

    driver: container
    container: worker
    socket: /run/podman/podman.sock

A container is stopped as a whole (its processes are frozen, those too that it starts meanwhile) and killed as
a whole, so it stands for its processes as one: known by the container's id with the number and the start of
its first process. The id alone would not do, for it stays when the container is started again. The socket is
one of this machine, so no allow list is held on it; whoever may use it can do anything to its containers.
"""

from __future__ import annotations

import shlex
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from seatrial.drivers.binding import Binding
from seatrial.drivers.host import all_survive
from seatrial.drivers.httpclient import Answer, HttpClient
from seatrial.model.problems import Unavailable, Unreachable
from seatrial.model.role import Role
from seatrial.processes import ProcessId, ProcessState

_ANSWER_WITHIN_S = 5.0
_START_WITHIN_S = 30.0


class ContainerBinding(Binding):
    """A container of Docker or Podman: it is paused, killed and slowed as a process of this machine is."""

    driver: ClassVar[str] = "container"

    container: str = Field(examples=["worker"])
    """Its name or id."""
    socket: str = Field(default="/var/run/docker.sock", examples=["/run/podman/podman.sock"])
    """The Unix socket that its engine listens on."""

    def processes(self, role: Role) -> ContainerProcesses:
        """The container, as one process."""
        return ContainerProcesses(role, self)

    def service(self, role: Role) -> ContainerService:
        """The container, as what is stopped and started."""
        return ContainerService(self.container, Engine(role, self))


class _Condition(BaseModel):
    """Its `State`, in the answer to GET /containers/{id}/json."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    running: bool = Field(alias="Running")
    paused: bool = Field(alias="Paused")
    pid: int = Field(alias="Pid")
    started_at: datetime = Field(alias="StartedAt")


class _Container(BaseModel):
    """What we read of that answer."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(alias="Id")
    condition: _Condition = Field(alias="State")

    @property
    def process(self) -> ProcessId | None:
        """Its first process, for ever; None when it does not run."""
        if not self.condition.running:
            return None
        started = round(self.condition.started_at.timestamp() * 1_000_000)
        return ProcessId(self.condition.pid, started, self.id)

    @property
    def state(self) -> ProcessState:
        """Whether its first process is frozen."""
        return ProcessState.STOPPED if self.condition.paused else ProcessState.RUNNING


class Engine:
    """The engine as a host. A signal is a look and then a request, for the API has nothing like a pidfd.

    What is held: a request names the container by its id, so it reaches no other container, not even one made
    anew under the same name; none is sent when its first process is not the one that was meant; and after a
    pause there is a second look, which continues what was stopped instead, and raises Unavailable.

    What is not: a container that is restarted between look and request. A kill then ends its next process,
    and nothing that the engine can be asked tells that from a kill in time and a restart after it.
    """

    def __init__(self, role: Role, binding: ContainerBinding) -> None:
        self._who = role.name
        self._allow = role.allow_list
        self._socket = role.path(binding.socket)

    def states(self, wanted: Sequence[ProcessId]) -> list[ProcessState]:
        return [self._state(process) for process in wanted]

    def signal(self, wanted: Sequence[ProcessId], number: signal.Signals) -> None:
        for process in wanted:
            state = self._state(process)
            match number, state:
                case signal.SIGSTOP, ProcessState.RUNNING:
                    self.do(process.boot, "pause")
                    self._require_stopped(process)
                case signal.SIGCONT, ProcessState.STOPPED:
                    self.do(process.boot, "unpause")
                case signal.SIGKILL, ProcessState.RUNNING:
                    self.do(process.boot, "kill")
                case signal.SIGKILL, ProcessState.STOPPED:  # what is frozen cannot die
                    self.do(process.boot, "unpause")
                    self.do(process.boot, "kill")

    def descendants(self, roots: Sequence[ProcessId]) -> list[ProcessId]:  # noqa: ARG002  # one stands for all
        return []

    def find(self, container: str) -> _Container | None:
        """The container of that name or id, None when there is none."""
        answer = self._ask("GET", container, "json")
        if answer.status == 404:
            return None
        if not answer.is_success:
            raise self._refusal(answer)
        try:
            return _Container.model_validate_json(answer.content)
        except ValueError as error:
            raise Unavailable(f"{answer.to}: is this a container engine? {error}") from error

    def do(self, container: str, what: str) -> None:
        """`pause`, `unpause`, `kill`, `start` or `stop` it. Raises Unavailable when the engine does not."""
        within_s = _START_WITHIN_S if what in ("start", "stop") else _ANSWER_WITHIN_S
        answer = self._ask("POST", container, what, within_s)
        if answer.status not in (204, 304):  # 304: it is so already
            raise self._refusal(answer)

    def _require_stopped(self, process: ProcessId) -> None:
        """Raise Unavailable when another process of the container was stopped, which goes on again then."""
        container = self.find(process.boot)
        if container is not None and container.condition.paused and container.process != process:
            self.do(process.boot, "unpause")
            raise Unavailable(
                f"{self._who}: the container was restarted while it was to be stopped; it goes on"
            )

    def _state(self, process: ProcessId) -> ProcessState:
        container = self.find(process.boot)
        return (
            container.state if container is not None and container.process == process else ProcessState.GONE
        )

    def _ask(self, method: str, container: str, what: str, within_s: float = _ANSWER_WITHIN_S) -> Answer:
        with HttpClient(self._allow, self._who, within_s, unix=self._socket) as client:
            return client.ask(method, f"http://engine/containers/{quote(container, safe='')}/{what}")

    def _refusal(self, answer: Answer) -> Unavailable:
        return Unavailable(f"{answer.to}: HTTP {answer.status}: {answer.opening}")


class ContainerProcesses:
    """The processes of a role that is a container."""

    def __init__(self, role: Role, binding: ContainerBinding) -> None:
        self.host = Engine(role, binding)
        self._role = role
        self._container = binding.container

    def require_declared(self) -> None:
        """It always is: a binding without a container is none."""

    def found(self) -> list[ProcessId]:
        process = self._process()
        if process is None:
            raise Unavailable(f"{self._role.name}: the container {self._container} does not run")
        return [process]

    def start_again(self, token: str) -> None:  # noqa: ARG002  # the engine starts none twice
        if self._process() is None:
            self.host.do(self._container, "start")

    def is_back(self, noted: Sequence[ProcessId]) -> bool:  # noqa: ARG002  # whichever runs under that name
        process = self._process()
        return process is not None and all_survive(self.host, [process])

    def require_own(self, noted: Sequence[ProcessId]) -> None:
        found = self.host.find(self._container)
        if found is None or found.id not in {process.boot for process in noted}:
            raise Unreachable(f"{self._role.name}: {self._container} is another container now, or none")

    def naming(self, processes: Sequence[ProcessId]) -> str:
        return f"the container {self._container}, {', '.join(map(str, processes))}"

    def resuming(self, stopped: Sequence[ProcessId]) -> str:
        return shlex.join(["docker", "unpause", *(process.boot[:12] for process in stopped)])

    def starting(self) -> str:
        return shlex.join(["docker", "start", self._container])

    def _process(self) -> ProcessId | None:
        found = self.host.find(self._container)
        return found.process if found is not None else None


@dataclass(frozen=True, slots=True)
class ContainerService:
    """See `drivers.services`. A container that is stopped so is not restarted by its engine's policy."""

    container: str
    engine: Engine

    def runs(self) -> bool:
        """Whether its first process runs, which does not say that it serves yet."""
        found = self.engine.find(self.container)
        return found is not None and found.condition.running

    def switch(self, on: bool, token: str) -> None:  # noqa: ARG002  # the engine starts none twice
        self.engine.do(self.container, "start" if on else "stop")

    def by_hand(self, on: bool) -> str:
        return shlex.join(["docker", "start" if on else "stop", self.container])
