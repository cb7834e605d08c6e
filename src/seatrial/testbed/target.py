"""The testbed as a target: `target.yaml`, which binds the roles of experiments to the testbed's parts."""

from __future__ import annotations

import sys
from typing import Any

import yaml

from seatrial.testbed.app.schema import DATABASE, tenants
from seatrial.testbed.parts import hsm
from seatrial.testbed.parts.haproxy import EDGE_SOCKET, MAP
from seatrial.testbed.parts.postgres import SUPERUSER, postmaster_pidfile
from seatrial.testbed.places import Places
from seatrial.testbed.programs import MEND_HSM, MEND_MONITORING, HsmPrograms, MonitoringPrograms
from seatrial.testbed.secrets import CACHE_PASSWORD, DATABASE_PASSWORD, HSM_PIN, TENANT_PASSWORD
from seatrial.testbed.topology import EDGE, RELEASES, Topology

Binding = dict[str, Any]
Bindings = dict[str, Binding]

# Every stored copy of an order, and what it says in the words of loadtests/storefront.py.
_ORDERS = "SELECT key, tenant || ' ' || sku || ' ' || quantity FROM ({copies}) AS orders WHERE key IN :ids"
_COPIES_OF = "SELECT key, tenant, sku, quantity FROM {tenant}.orders"

# Every stored batch of audit events in the words of loadtests/audit_ingest.py: how many events it has, and a
# digest over them, cut out of the lines between `{"event":` and `,"hash":"…","prev":"…","seq":N}`.
_AUDIT_WRITES = (
    "SELECT batch, count(*) || ' ' || left(encode(sha256(convert_to("
    "string_agg(substr(line, 10, length(line) - 165 - length(seq::text)), chr(10) ORDER BY seq),"
    " 'UTF8')), 'hex'), 16)"
    " FROM audit.entries WHERE batch IN :ids GROUP BY batch"
)
_AUDIT_ENTRIES = "SELECT seq, line FROM audit.entries WHERE seq >= :from ORDER BY seq"
_CHECKPOINTS = "SELECT note, extract(epoch FROM signed_at) FROM audit.checkpoints ORDER BY size"
_INGESTED = "SELECT last + 1, extract(epoch FROM stored_at) FROM audit.batches ORDER BY last"

_BILL = 7  # the seed of what it would cost
_ONE_NETWORK = "the testbed is on loopback; it has a network for each region when root brings it up"


def target_yaml(
    topology: Topology,
    places: Places,
    hsm_programs: HsmPrograms | None = None,
    monitoring: MonitoringPrograms | None = None,
) -> str:
    """The text of `target.yaml`. Passwords are references; their values stand beside it in `secrets.env`."""
    target = {
        "target": "testbed",
        "environment": "local",
        "base_url": topology.base_url,
        "allow": ["127.0.0.0/8", *([topology.network.everything] if topology.network else [])],
        "ready": "/readyz",
        "ready_within": "30s",
        "version": {"url": "/readyz", "header": "X-Release"},
        "variables": {
            "REGIONS": ",".join(_replicas(topology).values()),
            "ALL_TENANTS": ",".join(tenants(topology.tenants)),
        },
        "roles": {
            **_edge(places),
            **_databases(topology, places),
            **_caches(topology, places),
            **_releases(topology, places),
            **_hsm(hsm_programs, places),
            **_alerts(topology, monitoring),
            **_regions(topology, places),
            **_router(topology),
            "billing": {"driver": "billing", "synthetic": _BILL},
        },
    }
    head = (
        "# Written by `seatrial testbed up`, removed by `seatrial testbed down`. ${NAME}: see secrets.env.\n"
    )
    return head + yaml.safe_dump(target, sort_keys=False, width=110)


def _edge(places: Places) -> Bindings:
    return {
        "edge": {
            "driver": "haproxy",
            "socket": str(places.sockets / EDGE_SOCKET),
            "map": MAP,
            "backends": list(RELEASES),
            "log": str(places.log(EDGE)),
        },
        "edge.process": _process(places, EDGE),
    }


def _databases(topology: Topology, places: Places) -> Bindings:
    proxy = topology.regions[0].database
    url = f"postgresql://{SUPERUSER}:${{{DATABASE_PASSWORD}}}@{proxy}/{DATABASE}"
    return {
        "database.primary": {
            "driver": "patroni",
            "url": f"http://{topology.members[0].rest}",
            "members": {
                member.name: {
                    "url": f"http://{member.rest}",
                    "region": member.region,
                    "postmaster": str(postmaster_pidfile(places.part(member.name))),
                    "log": str(places.log(member.name)),
                    **_control(places, member.name),
                }
                for member in topology.members
            },
            "proxies": [str(places.log(f"{region.name}.db-proxy")) for region in topology.regions],
        },
        "database": {"driver": "postgres", "url": url},
        "replication": {
            "driver": "replication",
            "servers": {
                member.name: f"postgresql://{SUPERUSER}:${{{DATABASE_PASSWORD}}}@{member.postgres}/{DATABASE}"
                for member in topology.members
            },
        },
        "tenants": _tenants(topology, url),
        "writes": {"driver": "sql", "url": url, "query": _orders(topology.tenants)},
        "audit.writes": {"driver": "sql", "url": url, "query": _AUDIT_WRITES},
        "audit": {
            "driver": "audit-log",
            "url": url,
            "entries": _AUDIT_ENTRIES,
            "checkpoints": _CHECKPOINTS,
            "ingested": _INGESTED,
            "key": f"{topology.base_url}/audit/key",
            "within": "60s",
        },
    }


def _tenants(topology: Topology, url: str) -> Binding:
    """Who they are, how each logs in, and how the shop is asked in the name of one for what is another's."""
    proxy = topology.regions[0].database
    return {
        "driver": "tenants",
        "url": url,
        "discover": "SELECT tenant, schema FROM control.tenants ORDER BY tenant",
        "login": f"postgresql://{{tenant}}:${{{TENANT_PASSWORD}}}@{proxy}/{DATABASE}",
        "column": "tenant",
        "service": {
            "url": topology.base_url,
            "headers": {"X-Tenant": "{tenant}"},
            "thing": "SELECT key FROM {schema}.orders ORDER BY id DESC LIMIT 1",
            "read": "/orders/{thing}",
            "write": "/orders",
            "write_headers": {"Idempotency-Key": "{id}"},
            "body": '{"sku": "sku-001", "quantity": 1, "tenant": "{other}"}',
            "landed": "SELECT count(*) FROM {other_schema}.orders WHERE key = '{id}'",
        },
    }


def _orders(count: int) -> str:
    return _ORDERS.format(
        copies=" UNION ALL ".join(_COPIES_OF.format(tenant=name) for name in tenants(count))
    )


def _caches(topology: Topology, places: Places) -> Bindings:
    """`cache` is the one of the region that serves; each has its full name as well."""
    bindings: Bindings = {}
    for region in topology.regions:
        name = f"{region.name}.cache"
        bindings[name] = {"driver": "redis", "url": f"redis://:${{{CACHE_PASSWORD}}}@{region.cache}/0"}
        bindings[f"{name}.process"] = _process(places, name)
    first = f"{topology.regions[0].name}.cache"
    return {"cache": dict(bindings[first]), "cache.process": _process(places, first), **bindings}


def _releases(topology: Topology, places: Places) -> Bindings:
    """`release.blue` is blue in every region (process and address of the one that serves)."""
    bindings: Bindings = {}
    serving = topology.regions[0]
    for release in RELEASES:
        bindings[f"release.{release}"] = {
            "driver": "command",
            "ready": f"http://{serving.release(release)}/healthz",
            "pidfile": str(places.pid(f"{serving.name}.{release}")),
            "start": _command(places, "start", release),
            "stop": _command(places, "stop", release),
        }
        for region in topology.regions:
            bindings[f"{region.name}.{release}"] = _process(places, f"{region.name}.{release}")
    return bindings


def _regions(topology: Topology, places: Places) -> Bindings:
    """The active-active service: what its replicas hold, and for each its process and its admin routes."""
    replicas = _replicas(topology)
    bindings: Bindings = {"regions": {"driver": "replicas", "replicas": replicas, "within": "30s"}}
    for region, url in replicas.items():
        bindings[f"{region}.replica"] = _process(places, f"{region}.replica")
        bindings[f"{region}.replica.admin"] = {"driver": "http", "url": url}
    return bindings


def _replicas(topology: Topology) -> dict[str, str]:
    return {region.name: f"http://{region.replica}" for region in topology.regions}


def _hsm(programs: HsmPrograms | None, places: Places) -> Bindings:
    if programs is None:
        return {"hsm": {"driver": "pkcs11", "lacking": f"the testbed has no HSM; to mend: {MEND_HSM}"}}
    return {
        "hsm": {
            "driver": "pkcs11",
            "module": str(programs.client),
            "address": hsm.address(places),
            "token": hsm.TOKEN,
            "key": hsm.KEY,
            "pin": f"${{{HSM_PIN}}}",
            **_control(places, hsm.NAME),
        }
    }


def _alerts(topology: Topology, programs: MonitoringPrograms | None) -> Bindings:
    """Who can be asked which alerts fire."""
    lacking = {} if programs else {"lacking": f"nobody watches the testbed; to mend: {MEND_MONITORING}"}
    return {
        name: {"driver": driver, "url": f"http://{at}", **lacking}
        for name, driver, at in (
            ("alerts", "prometheus", topology.prometheus),
            ("alerts.alertmanager", "alertmanager", topology.alertmanager),
        )
    }


def _router(topology: Topology) -> Bindings:
    """What can be cut off from what. On loopback nothing can: there are no sides."""
    network = topology.network
    if network is None:
        return {"router": {"driver": "network", "lacking": _ONE_NETWORK, "sides": {}}}
    sides = {place: [network.subnet(place)] for place in network.places}
    return {"router": {"driver": "network", "namespace": network.router, "sides": sides}}


def _process(places: Places, name: str) -> Binding:
    return {"driver": "process", **_control(places, name)}


def _control(places: Places, name: str) -> Binding:
    """How to find a part's process, and the commands that stop it and start it again."""
    return {
        "pidfile": str(places.pid(name)),
        "start": _command(places, "start", name),
        "stop": _command(places, "stop", name),
    }


def _command(places: Places, operation: str, selector: str) -> list[str]:
    home = str(places.root.parent)
    return [sys.executable, "-P", "-m", "seatrial.testbed", "--home", home, operation, selector]
