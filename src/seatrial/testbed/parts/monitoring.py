"""What watches the testbed: a Prometheus that scrapes its parts, and the Alertmanager that it tells.

Both look and evaluate once a second, so that a run of less than a minute can see an alert fire. They stand
beside the edge: cut off from a region with it, as the monitoring of an operator would be. PostgreSQL is seen
through Patroni's own metrics, HAProxy through its own exporter; no part is there for the figures alone.

What fires when stands in `alert_rules.yaml`, next to the programs that it watches.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Any

import yaml

from seatrial.testbed.part import Part, Probe
from seatrial.testbed.programs import Programs
from seatrial.testbed.topology import RELEASES, Endpoint, Topology

PROMETHEUS = "prometheus"
ALERTMANAGER = "alertmanager"
EVERY = "1s"
_RULES = "alert_rules.yaml"
# One core and a small heap: a monitoring that takes the machine from what it watches would measure itself.
_FRUGAL = {"GOMAXPROCS": "1", "GOGC": "50"}


def watchers(topology: Topology, programs: Programs) -> Iterator[Part]:
    """Both, or nobody where they are not installed."""
    if programs.monitoring is None:
        return
    yield Part(
        PROMETHEUS,
        (
            str(programs.monitoring.prometheus),
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            "--rules.alert.resend-delay=2s",  # what an Alertmanager missed, it is told again
            f"--web.listen-address={topology.prometheus}",
            "--log.level=warn",
        ),
        Probe.http(topology.prometheus, "/-/ready"),
        {"prometheus.yml": _yaml(prometheus_config(topology)), _RULES: rules()},
        _FRUGAL,
    )
    yield Part(
        ALERTMANAGER,
        (
            str(programs.monitoring.alertmanager),
            "--config.file=alertmanager.yml",
            "--storage.path=data",
            f"--web.listen-address={topology.alertmanager}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ),
        Probe.http(topology.alertmanager, "/-/ready"),
        {"alertmanager.yml": _yaml(_ALERTMANAGER_CONFIG)},
        _FRUGAL,
    )


def rules() -> str:
    """The alert rules, as they are written."""
    return (resources.files("seatrial.testbed") / _RULES).read_text()


def prometheus_config(topology: Topology) -> dict[str, Any]:
    """prometheus.yml as data. Every series says whose it is: region and release, or member."""
    releases = [
        _scraped(region.release(release), region=region.name, release=release)
        for region in topology.regions
        for release in RELEASES
    ]
    members = [_scraped(member.rest, region=member.region, member=member.name) for member in topology.members]
    replicas = [_scraped(region.replica, region=region.name) for region in topology.regions]
    return {
        "global": {"scrape_interval": EVERY, "scrape_timeout": EVERY, "evaluation_interval": EVERY},
        "rule_files": [_RULES],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [str(topology.alertmanager)]}]}]},
        "scrape_configs": [
            {"job_name": "app", "static_configs": releases},
            {"job_name": "database", "static_configs": members},
            {"job_name": "replica", "static_configs": replicas},
            {
                "job_name": "edge",
                "params": {"scope": ["frontend", "server"]},
                "static_configs": [_scraped(topology.statistics)],
            },
        ],
    }


def _scraped(at: Endpoint, **labels: str) -> dict[str, Any]:
    return {"targets": [str(at)], **({"labels": labels} if labels else {})}


# Nobody is paged by a testbed: what fires is told at once and kept, for whoever asks.
_ALERTMANAGER_CONFIG: dict[str, Any] = {
    "route": {
        "receiver": "nobody",
        "group_by": ["..."],
        "group_wait": "0s",
        "group_interval": "1s",
        "repeat_interval": "12h",
    },
    "receivers": [{"name": "nobody"}],
}


def _yaml(data: dict[str, Any]) -> str:
    return yaml.safe_dump(data, sort_keys=False)
