"""PostgreSQL under Patroni, with raft among the members and a witness as the third voter.

Synchronous mode: a commit is acknowledged when the standby has it too, and only that standby may be promoted.
`fsync` stays on, as it would at sea; only the copies made at the start, which nobody misses, skip it.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import yaml

from seatrial.testbed.app.audit.schema import audit_schema_sql
from seatrial.testbed.app.schema import DATABASE, TENANTS, schema_sql, tenants
from seatrial.testbed.part import Part, Probe
from seatrial.testbed.programs import Programs
from seatrial.testbed.secrets import Secrets
from seatrial.testbed.topology import Endpoint, Member, Topology

WITNESS = "witness"
SUPERUSER = "postgres"
_DATA = "data"
# ttl, loop_wait and retry_timeout (seconds) bound how long a lost node goes unnoticed; a crashed postmaster
# is not waited for (primary_start_timeout), its standby takes over at once.
_CLUSTER: dict[str, Any] = {
    "ttl": 20,
    "loop_wait": 1,
    "retry_timeout": 3,
    "primary_start_timeout": 0,
    "synchronous_mode": True,
    "postgresql": {
        "use_pg_rewind": True,
        "parameters": {
            "max_connections": 250,
            "shared_buffers": "64MB",
            "wal_keep_size": "256MB",
            "wal_retrieve_retry_interval": "200ms",  # a standby that comes too early need not wait for 5 s
            "max_wal_size": "512MB",
            # mapped files in the data directory instead of /dev/shm: they are gone when the directory is
            "dynamic_shared_memory_type": "mmap",
        },
    },
}


def postmaster_pidfile(directory: Path) -> Path:
    """Where PostgreSQL, in a member's working directory, records its pid and its shared memory."""
    return directory / _DATA / "postmaster.pid"


def witness(topology: Topology, programs: Programs, secrets: Secrets) -> Part:
    """A voter without data: it lets one member win when the other is lost."""
    start = "from patroni.raft_controller import main; main()"
    files = {"patroni.yml": _yaml({"raft": _raft(topology, topology.witness, secrets)})}
    command = (str(programs.python), "-P", "-c", start, "patroni.yml")
    return Part(WITNESS, command, Probe(topology.witness), files)


def member(own: Member, topology: Topology, programs: Programs, secrets: Secrets, directory: Path) -> Part:
    """A PostgreSQL server, working in `directory`.

    Of two raft voters the one with the greater address connects, and when that fails it waits for five
    seconds before it tries again. So addresses ascend from the witness to the last member, and each starts
    when those before it listen: raft is then formed in half a second.
    """
    return Part(
        own.name,
        (*programs.unprivileged, str(programs.python), "-P", "-m", "patroni", "patroni.yml"),
        Probe.http(own.rest, "/health"),
        {
            "patroni.yml": _yaml(patroni_config(own, topology, programs, secrets, directory)),
            "schema.sql": schema_sql(secrets.tenant, tenants(topology.tenants))
            + audit_schema_sql(secrets.audit),
        },
        needs=tuple(Probe(voter) for voter in topology.raft() if str(voter) < str(own.raft)),
    )


def patroni_config(
    own: Member, topology: Topology, programs: Programs, secrets: Secrets, directory: Path
) -> dict[str, Any]:
    """patroni.yml as data."""
    bootstrap = {"bootstrap": _bootstrap(topology, programs, directory)} if own == topology.members[0] else {}
    return {
        "scope": "seatrial",
        "name": own.name,
        "restapi": {"listen": str(own.rest), "connect_address": str(own.rest)},
        "raft": _raft(topology, own.raft, secrets),
        **bootstrap,
        "postgresql": {
            "listen": str(own.postgres),
            "connect_address": str(own.postgres),
            "data_dir": str(directory / _DATA),
            "bin_dir": str(programs.postgres_bin),
            "pgpass": str(directory / "pgpass"),
            "authentication": {
                "superuser": {"username": SUPERUSER, "password": secrets.superuser},
                "replication": {"username": "replicator", "password": secrets.replication},
                "rewind": {"username": "rewind", "password": secrets.rewind},
            },
            "basebackup": [{"checkpoint": "fast"}, "no-sync"],
            "parameters": {"unix_socket_directories": ""},
            "pg_hba": _access(topology),
        },
    }


def _bootstrap(topology: Topology, programs: Programs, directory: Path) -> dict[str, Any]:
    """Only the first member has this, and so the right to found the cluster: it is the primary after `up`."""
    psql = (str(programs.postgres_bin / "psql"), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1")
    return {
        "dcs": _cluster(topology.tenants),
        "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "no-sync", {"auth": "scram-sha-256"}],
        "post_bootstrap": shlex.join((*psql, f"--file={directory / 'schema.sql'}")),
    }


def _cluster(count: int) -> dict[str, Any]:
    """With room for the connections of so many tenants, of which each release has a few."""
    parameters = dict(_CLUSTER["postgresql"]["parameters"])
    parameters["max_connections"] += 4 * max(0, count - len(TENANTS))
    return {**_CLUSTER, "postgresql": {**_CLUSTER["postgresql"], "parameters": parameters}}


def _access(topology: Topology) -> list[str]:
    outside = {topology.network.outside} if topology.network else set()  # whence replication is looked at
    members = {member.postgres.host for member in topology.members}
    hosts = sorted(members | {region.database.host for region in topology.regions} | outside)
    return [
        f"host {database} {user} {host}/32 scram-sha-256"
        for host in hosts
        for database, user in (("replication", "replicator"), (f"{DATABASE},postgres", "all"))
    ]


def _raft(topology: Topology, own: Endpoint, secrets: Secrets) -> dict[str, Any]:
    partners = [str(endpoint) for endpoint in topology.raft() if endpoint != own]
    return {"data_dir": "raft", "self_addr": str(own), "partner_addrs": partners, "password": secrets.raft}


def _yaml(data: dict[str, Any]) -> str:
    return yaml.safe_dump(data, sort_keys=False)
