"""What Patroni's REST API says about a cluster: who leads, and which processes that is.

The role, as its target file has it; `postmaster` and `pidfile` are files with a process's number:

    driver: patroni
    url: http://127.0.0.1:8008            # asked first; every member knows who leads
    members:
      db-1: {url: http://127.0.0.1:8008, postmaster: run/db-1/data/postmaster.pid, pidfile: run/db-1.pid}
      db-2: …
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict

from seatrial.faults.processes import ProcessId, from_pidfile
from seatrial.faults.protocol import Role
from seatrial.model.problems import BadInput, Unavailable

_ANSWER_WITHIN_S = 2.0


class MemberBinding(BaseModel):
    """How to reach one member, and where its processes are, as seen from this machine."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    url: str = ""
    postmaster: str  # its pidfile
    pidfile: str = ""  # Patroni's own
    start: tuple[str, ...] = ()  # starts Patroni again


class PatroniBinding(BaseModel):
    """How to reach a cluster."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    url: str
    members: dict[str, MemberBinding] = {}

    def urls(self) -> list[str]:
        """Where to ask, in this order, without repetition."""
        return list(dict.fromkeys([self.url, *(each.url for each in self.members.values() if each.url)]))


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


class _Cluster(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    members: tuple[Member, ...]


def members(role: Role) -> tuple[Member, ...]:
    """The cluster's members, as the first member that answers sees them. Raises Unavailable if none does."""
    reasons = []
    for url in role.bound_to(PatroniBinding).urls():
        role.require_allowed(urlsplit(url).hostname or "")
        try:
            answer = httpx.get(f"{url}/cluster", timeout=_ANSWER_WITHIN_S, trust_env=False)
            answer.raise_for_status()
            return _Cluster.model_validate_json(answer.content).members
        except (httpx.HTTPError, ValueError) as error:
            reasons.append(f"{url}: {error}")
    raise Unavailable(f"{role.name}: no member of the Patroni cluster answers ({'; '.join(reasons)})")


def leader(role: Role) -> Member:
    """The member that leads and runs. Raises Unavailable when there is none."""
    found = members(role)
    for member in found:
        if member.leads and member.state == "running":
            return member
    states = ", ".join(f"{member.name} is {member.role}, {member.state}" for member in found)
    raise Unavailable(f"{role.name}: the Patroni cluster has no running leader ({states})")


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
        raise BadInput(f"roles.{role.name}.members: {name} leads the cluster and is not there")
    file = role.path(binding.postmaster)
    postmaster = next(from_pidfile(file), None)
    if postmaster is None:
        raise Unavailable(f"{role.name}: {name} leads, but no process runs with the number in {file}")
    return Primary(name, binding, postmaster)


def has_leader(role: Role) -> bool:
    """Whether a member leads and runs."""
    try:
        leader(role)
    except Unavailable:
        return False
    return True
