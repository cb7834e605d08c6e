"""A PostgreSQL cluster under Patroni; `postmaster` and `pidfile` are files with a process's number.

driver: patroni
url: http://127.0.0.1:8008            # asked first; every member knows who leads
members:
  db-1: {url: http://127.0.0.1:8008, postmaster: run/db-1/data/postmaster.pid, pidfile: run/db-1.pid}
  db-2: …
proxies: [logs/db-proxy.log]          # of the HAProxies before it, to split a failover into its phases
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from seatrial.drivers.binding import Arguments, Binding, WebAddress
from seatrial.model.problems import Path
from seatrial.model.strict import as_tuple


class MemberBinding(BaseModel):
    """How to reach one member, and where its processes are, as seen from this machine."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    url: WebAddress = ""
    region: str = ""  # for people
    postmaster: str = ""  # its pidfile
    pidfile: str = ""  # Patroni's own
    start: Arguments = ()  # starts Patroni again
    stop: Arguments = ()
    log: str = ""  # Patroni's and PostgreSQL's lines, in one file


class PatroniBinding(Binding):
    """How to reach a cluster."""

    driver: ClassVar[str] = "patroni"

    url: WebAddress = ""  # not needed by whom the logs are enough
    members: dict[str, MemberBinding] = Field(default_factory=dict)
    proxies: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = ()

    def urls(self) -> list[str]:
        """Where to ask, in this order, without repetition."""
        addresses = [self.url, *(member.url for member in self.members.values())]
        return list(dict.fromkeys(filter(None, addresses)))

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
        for name, member in self.members.items():
            yield ("members", name, "url"), member.url
