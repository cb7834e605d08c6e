"""Lines of other systems' logs that tell how far a failover had come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    """What a line says."""

    NOTICED = "noticed"  # the primary is gone, or is to go
    LEADS = "leads"  # a member has taken the leader's lock
    WRITABLE = "writable"  # its PostgreSQL accepts writes
    ROUTED = "routed"  # a proxy leads to it


@dataclass(frozen=True, slots=True)
class Sign:
    """One such line, at its instant on the request log's clock."""

    at_s: float
    what: What
    about: str  # the member whom a proxy names, or whose log it is
    source: str  # whose log
    line: str
