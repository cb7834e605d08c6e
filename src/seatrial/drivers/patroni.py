"""A PostgreSQL cluster under Patroni: its binding, who leads it, and which processes that is.

    driver: patroni
    url: http://127.0.0.1:8008            # asked first; every member knows who leads
    members:
      db-1: {url: http://127.0.0.1:8008, postmaster: run/db-1/data/postmaster.pid, pidfile: run/db-1.pid}
      db-2: {url: http://127.0.0.2:8008, postmaster: run/db-2/data/postmaster.pid, pidfile: run/db-2.pid}
    proxies: [logs/db-proxy.log]          # of the HAProxies before it, to split a failover into its phases

`postmaster` and `pidfile` are files with a process's number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from seatrial.drivers.binding import Arguments, Binding, WebAddress
from seatrial.drivers.httpclient import Answer, ask
from seatrial.drivers.pidfiles import Pidfiles
from seatrial.model.problems import BadInput, Path, Unavailable
from seatrial.model.role import Role
from seatrial.model.strict import as_tuple
from seatrial.processes import ProcessId, from_pidfile


class MemberBinding(BaseModel):
    """How to reach one member, and where its processes are, as seen from this machine."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    url: WebAddress = Field(default="", examples=["http://127.0.0.1:8008"])
    """The address of its Patroni."""
    region: str = Field(default="", examples=["east"])
    """Where it is, for people."""
    postmaster: str = Field(default="", examples=["run/db-1/data/postmaster.pid"])
    """The file with the number of PostgreSQL's first process."""
    pidfile: str = Field(default="", examples=["run/db-1.pid"])
    """The file with the number of its Patroni."""
    start: Arguments = Field(default=(), examples=[["systemctl", "start", "patroni@db-1"]])
    """The command that starts its Patroni again."""
    stop: Arguments = Field(default=(), examples=[["systemctl", "stop", "patroni@db-1"]])
    """The command that stops it."""
    log: str = Field(default="", examples=["logs/db-1.log"])
    """Patroni's and PostgreSQL's lines, in one file: they tell where a failover's time went."""


class PatroniBinding(Binding):
    """A PostgreSQL cluster under Patroni. Whoever acts on its primary acts on the member that leads then."""

    driver: ClassVar[str] = "patroni"

    url: WebAddress = Field(default="", examples=["http://127.0.0.1:8008"])
    """The address of any member's Patroni; not needed by those for whom its logs are enough."""
    members: dict[str, MemberBinding] = Field(
        default_factory=dict,
        examples=[{"db-1": {"url": "http://127.0.0.1:8008", "postmaster": "run/db-1/data/postmaster.pid"}}],
    )
    """Each member, by its name in Patroni."""
    proxies: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        default=(), examples=[["logs/db-proxy.log"]]
    )
    """Logs of the HAProxies before it, which tell when the new leader was reached."""

    def urls(self) -> list[str]:
        """Where to ask, in this order, without repetition."""
        addresses = [self.url, *(member.url for member in self.members.values())]
        return list(dict.fromkeys(filter(None, addresses)))

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
        for name, member in self.members.items():
            yield ("members", name, "url"), member.url

    def processes(self, role: Role) -> PrimaryProcesses:
        """The postmaster of the member that leads, whoever that is when it is asked."""
        return PrimaryProcesses.here(role)


_ANSWER_WITHIN_S = 2.0


class Member(BaseModel):
    """One line of GET /cluster."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    role: str
    state: str

    @property
    def leads(self) -> bool:
        """Whether it is the primary (or a standby cluster's leader)."""
        return self.role in ("leader", "master", "primary", "standby_leader")

    @property
    def works(self) -> bool:
        """Whether its server runs; a standby's is `streaming` when it follows the leader."""
        return self.state in ("running", "streaming")

    @property
    def synchronous(self) -> bool:
        """Whether a commit waits for it."""
        return self.role in ("sync_standby", "quorum_standby")

    def __str__(self) -> str:
        return f"{self.name} is {self.role}, {self.state}"


class Cluster(BaseModel):
    """GET /cluster."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    members: tuple[Member, ...]
    pause: bool = False

    def __str__(self) -> str:
        paused = "; Patroni is paused: it promotes and restarts nobody" if self.pause else ""
        return ", ".join(map(str, self.members)) + paused


def call(role: Role, method: str, path: str, body: Any = None, within_s: float = _ANSWER_WITHIN_S) -> Answer:
    """The first answer without an error, member after member. Raises Unavailable if there is none."""
    reasons, last = [], Unavailable("it has no address")
    for url in role.bound_to(PatroniBinding).urls():
        try:
            return call_member(role, url, method, path, body, within_s)
        except Unavailable as error:
            reasons.append(str(error))
            last = error
    raise type(last)(f"{role.name}: no member of the Patroni cluster answers ({'; '.join(reasons)})")


def call_member(
    role: Role, url: str, method: str, path: str, body: Any = None, within_s: float = _ANSWER_WITHIN_S
) -> Answer:
    """The answer of the member at `url`. Raises Unavailable with its words when it refuses or is silent."""
    connect_s = min(within_s, _ANSWER_WITHIN_S)
    answer = ask(
        role.allow_list, role.name, method, f"{url}{path}", within_s, connect_within_s=connect_s, json=body
    )
    if answer.is_error:
        raise Unavailable(f"{answer.to}: {answer.status} {answer.opening}")
    return answer


def cluster(role: Role) -> Cluster:
    """The cluster, as the first member that answers sees it. Raises Unavailable if none does."""
    answer = call(role, "GET", "/cluster")
    try:
        return Cluster.model_validate_json(answer.content)
    except ValueError as error:
        raise Unavailable(f"{answer.to}: is this Patroni? {error}") from error


def leader_of(role: Role, found: Cluster) -> Member:
    """The member that leads and runs. Raises Unavailable, with the reason if known, when there is none."""
    for member in found.members:
        if member.leads and member.works:
            return member
    raise Unavailable(f"{role.name}: the Patroni cluster has no running leader ({found})")


def leader(role: Role) -> Member:
    """The same, asked now."""
    return leader_of(role, cluster(role))


def require_whole(role: Role) -> None:
    """Raise Unavailable unless a member leads, all work, and one is synchronous if that is the mode."""
    found = cluster(role)
    leader_of(role, found)
    if not all(member.works for member in found.members):
        raise Unavailable(f"{role.name}: not every member works ({found})")
    wanted = call(role, "GET", "/config").object().get("synchronous_mode")
    if wanted and not any(member.synchronous for member in found.members):
        raise Unavailable(f"{role.name}: there is no synchronous standby ({found})")


def not_working(role: Role) -> list[str]:
    """The members that do not work, also those that the cluster has forgotten and the target knows."""
    found = cluster(role).members
    known = {member.name for member in found} | role.bound_to(PatroniBinding).members.keys()
    return sorted(known - {member.name for member in found if member.works})


def require_address(role: Role) -> None:
    """Raise BadInput unless it is known where to ask."""
    if not role.bound_to(PatroniBinding).urls():
        raise BadInput(role.problem((), "say where Patroni is asked: url: http://…"))


def require_member(role: Role, *keys: str) -> None:
    """Raise BadInput unless a member, which may be the one that leads, is bound with all of `keys`."""
    require_address(role)
    members = role.bound_to(PatroniBinding).members.values()
    if not any(all(getattr(member, key) for key in keys) for member in members):
        raise BadInput(role.problem(("members",), f"say of each member: {' and '.join(keys)}"))


@dataclass(frozen=True, slots=True)
class Primary:
    """The member that leads: its name, how the target binds it, and its postmaster."""

    name: str
    binding: MemberBinding
    postmaster: ProcessId


def primary(role: Role) -> Primary:
    """The cluster's primary. Raises BadInput or Unavailable."""
    name = leader(role).name
    binding = role.bound_to(PatroniBinding).members.get(name)
    if binding is None:
        raise BadInput(role.problem(("members",), f"{name} leads the cluster and is not there"))
    if not binding.postmaster:
        raise BadInput(
            role.problem(("members", name), "say where its postmaster is: postmaster: …/postmaster.pid")
        )
    file = role.path(binding.postmaster)
    postmaster = next(from_pidfile(file), None)
    if postmaster is None:
        raise Unavailable(f"{role.name}: {name} leads, but no process runs with the number in {file}")
    return Primary(name, binding, postmaster)


class PrimaryProcesses(Pidfiles):
    """The primary's postmaster. Bringing it back is Patroni's duty, with the same member or with another."""

    __slots__ = ()

    def require_declared(self) -> None:
        """The cluster says who it is."""

    def found(self) -> list[ProcessId]:
        return [primary(self.role).postmaster]

    def start_again(self, token: str) -> None:
        """Nothing to do."""

    def is_back(self, noted: Sequence[ProcessId]) -> bool:  # noqa: ARG002  # whoever leads now
        try:
            return bool(self.found()) and not not_working(self.role)
        except Unavailable:
            return False

    def require_own(self, noted: Sequence[ProcessId]) -> None:
        """Each member has a pidfile of its own, and whoever leads is asked anew."""
