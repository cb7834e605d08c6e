"""The two HAProxies: the edge that clients meet, and the proxy through which the app finds the primary.

The edge hides nothing: no retries, no redispatch. A request that meets a dead server fails, is logged and is
counted. Blue and green are exchanged by `set map` on the statistics socket; nothing restarts and no
connection is cut. The map file itself is not rewritten, so a restarted edge begins with blue.

Why a proxy before the database, rather than libpq's list of hosts with `target_session_attrs=read-write`:
libpq asks only when it connects. A pooled connection to a primary that hangs, or that has been demoted, would
live on until a time-out; HAProxy learns of it from Patroni's `/primary` and cuts the connection
(`on-marked-down shutdown-sessions`), and the next connection leads to the new primary.
"""

from __future__ import annotations

from pathlib import Path

from seatrial.testbed.part import Part, Probe
from seatrial.testbed.programs import Programs
from seatrial.testbed.topology import EDGE, RELEASES, Member, Region, Topology

EDGE_SOCKET = "edge.sock"
MAP = "active.map"  # in the edge's directory, and by this name in `set map`
# Columns of the edge's log, one line a request; other lines tell of servers that went up or down.
LOG_COLUMNS = (
    "received_us",  # request headers complete, microseconds of the epoch
    "ended_us",  # last byte handed to the kernel, or given up
    "status",
    "backend",
    "server",  # <NOSRV> when none was up
    "termination",  # two letters, HAProxy's configuration manual, section 8.5; "--" is a clean end
    "connect_ms",
    "response_ms",
    "active_ms",
    "method",
    "uri",
)
_LOG_FORMAT = "%[var(txn.received)] %[date(0,us)] %ST %b %s %ts %Tc %Tr %Ta %HM %HU"


def edge(topology: Topology, programs: Programs, sockets: Path) -> Part:
    """The edge, with its statistics socket in `sockets`."""
    files = {"haproxy.cfg": edge_config(topology, sockets), MAP: "active blue\n"}
    return Part(EDGE, _command(programs), Probe(topology.edge), files)


def database_proxy(region: Region, members: tuple[Member, ...], programs: Programs) -> Part:
    """The proxy of one region that always leads to the primary."""
    files = {"haproxy.cfg": proxy_config(region, members)}
    return Part(f"{region.name}.db-proxy", _command(programs), Probe(region.database), files)


def _command(programs: Programs) -> tuple[str, ...]:
    return (str(programs.haproxy), "-db", "-f", "haproxy.cfg")


def edge_config(topology: Topology, sockets: Path) -> str:
    """haproxy.cfg of the edge."""
    return f"""\
global
    log stdout format raw local0
    nbthread 1
    maxconn 8192
    stats socket "{sockets / EDGE_SOCKET}" mode 600 level admin

defaults
    mode http
    log global
    option dontlognull
    retries 0
    timeout connect 1s
    timeout client 60s
    timeout server 10s
    timeout http-request 5s
    timeout http-keep-alive 60s

frontend storefront
    bind {topology.edge}
    http-request set-var(txn.received) date(0,us)
    log-format "{_LOG_FORMAT}"
    use_backend %[str(active),map({MAP},blue)]

frontend statistics
    bind {topology.statistics}
    no log
    http-request use-service prometheus-exporter if {{ path /metrics }}
    stats enable
    stats uri /
    stats refresh 2s
{"".join(_backend(release, topology.regions) for release in RELEASES)}"""


def _backend(release: str, regions: tuple[Region, ...]) -> str:
    servers = "".join(
        f"    server {region.name}.{release} {region.release(release)}{backup}\n"
        for region, backup in zip(regions, ("", *[" backup"] * len(regions)), strict=False)
    )
    return f"""
backend {release}
    option httpchk GET /healthz
    default-server check inter 250ms fall 2 rise 1
{servers}"""


def proxy_config(region: Region, members: tuple[Member, ...]) -> str:
    """haproxy.cfg of a database proxy: a member is up while Patroni calls it the primary.

    Its log says, to the microsecond, when a server went up or down, and nothing of single connections.
    """
    servers = "".join(
        f"    server {member.name} {member.postgres} addr {member.rest.host} port {member.rest.port}\n"
        for member in members
    )
    return f"""\
global
    log stdout format iso local0 notice
    nbthread 1
    maxconn 1024

defaults
    mode tcp
    log global
    retries 0
    timeout connect 1s
    timeout client 1h
    timeout server 1h

listen primary
    bind {region.database}
    option httpchk GET /primary
    http-check expect status 200
    default-server check inter 250ms fall 2 rise 1 on-marked-down shutdown-sessions
{servers}"""
