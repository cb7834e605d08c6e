"""What the logs of a Patroni cluster and of the proxies before it say of a failover.

A role's target file tells where they are; what is not told, or not there, says nothing:

    members:
      db-1: {log: logs/db-1.log}        # Patroni's and PostgreSQL's lines, in one file
    proxies: [logs/db-proxy.log]        # of HAProxy: `log … format iso`, servers named as the members

Every kind of line has a time stamp of its own. One without a zone is in this machine's local time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from seatrial.drivers.patroni import PatroniBinding
from seatrial.model.failover import Sign, What
from seatrial.model.role import Role

DRIVER = PatroniBinding.driver

_STAMP = re.compile(
    r"(?P<instant>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d{3,6})"
    r"(?P<offset>Z|[+-]\d\d:\d\d)?(?: (?P<zone>[A-Z]{2,5})(?= \[))?"
)
_SIGNS: tuple[tuple[What, re.Pattern[str]], ...] = (
    (
        What.NOTICED,
        re.compile(
            r"Postgresql is not running|Primary crashed|[Dd]emoting self|Leader key released"
            r"|Request failed to |Lock owner: None|received (switchover|failover) request"
            r"|Server \S+/(?P<about>\S+) is DOWN"
        ),
    ),
    (What.LEADS, re.compile(r"promoted self to leader")),
    (What.WRITABLE, re.compile(r"database system is ready to accept connections")),
    (What.ROUTED, re.compile(r"Server \S+/(?P<about>\S+) is UP")),
)


def signs_of_failover(role: Role, zero_wall_s: float, begin_s: float, end_s: float) -> tuple[Sign, ...]:
    """What was logged between two instants, in its order. All instants are seconds after `zero_wall_s`.

    Raises SeatrialError when the role cannot be read as it is bound.
    """
    logs = role.bound_to(PatroniBinding)
    files = [(name, name, member.log) for name, member in logs.members.items() if member.log]
    files += [(Path(proxy).stem, "", proxy) for proxy in logs.proxies]
    found = [
        sign
        for source, member, file in files
        for sign in _signs(role.path(file), source, member, zero_wall_s)
        if begin_s <= sign.at_s <= end_s
    ]
    return tuple(sorted(found, key=lambda sign: sign.at_s))


def _signs(path: Path, source: str, member: str, zero_wall_s: float) -> Iterator[Sign]:
    """`member` is whom the lines are about when they do not name somebody."""
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                sign = _sign(line.rstrip(), source, member, zero_wall_s)
                if sign is not None:
                    yield sign
    except OSError:
        return  # a log that cannot be read tells nothing


def _sign(line: str, source: str, member: str, zero_wall_s: float) -> Sign | None:
    for what, pattern in _SIGNS:
        match = pattern.search(line)
        stamp = _STAMP.match(line) if match else None
        instant = _instant(stamp) if match and stamp else None
        if match and instant is not None:
            about = match.groupdict().get("about") or member
            return Sign(instant - zero_wall_s, what, about, source, line)
    return None


def _instant(stamp: re.Match[str]) -> float | None:
    """Seconds since 1970; None for what looks like a time stamp and is none."""
    try:
        written = datetime.fromisoformat(stamp["instant"].replace(",", ".") + (stamp["offset"] or ""))
        if stamp["zone"] in ("UTC", "GMT"):
            written = written.replace(tzinfo=UTC)
        return written.timestamp()
    except (ValueError, OverflowError):
        return None
