from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from seatrial.model.document import parse
from seatrial.model.references import references
from seatrial.model.target import Target
from seatrial.testbed.places import Places
from seatrial.testbed.programs import HsmPrograms, MonitoringPrograms
from seatrial.testbed.secrets import Secrets
from seatrial.testbed.target import target_yaml
from seatrial.testbed.topology import Topology


def test_it_is_a_target(topology: Topology, places: Places) -> None:
    document = parse(target_yaml(topology, places), "target.yaml")
    target = Target.model_validate(document.data)
    assert target.base_url == topology.base_url
    assert target.ready == "/readyz"
    assert set(target.roles) == {
        "edge", "edge.process", "database", "database.primary", "replication", "tenants", "writes", "audit",
        "audit.writes", "router", "release.blue", "release.green", "hsm", "billing", "alerts", "alerts.alertmanager",
        "cache", "cache.process", "east.cache", "east.cache.process", "west.cache", "west.cache.process",
        "east.blue", "east.green", "west.blue", "west.green", "regions",
        "east.replica", "east.replica.admin", "west.replica", "west.replica.admin",
    }  # fmt: skip


def test_in_namespaces_load_and_faults_may_touch_their_addresses_and_the_router_has_sides(
    in_namespaces: Topology, places: Places
) -> None:
    target = Target.model_validate(parse(target_yaml(in_namespaces, places), "target.yaml").data)
    assert target.base_url == "http://10.77.0.2:8080"
    assert target.allows("10.77.2.2")
    assert not target.allows("10.78.2.2")
    assert target.roles["router"].parameters == {
        "namespace": "seatrial-0123abcd-router",
        "sides": {"edge": ["10.77.0.0/24"], "east": ["10.77.1.0/24"], "west": ["10.77.2.0/24"]},
    }


def test_on_loopback_nothing_can_be_cut_off(topology: Topology, places: Places) -> None:
    roles = yaml.safe_load(target_yaml(topology, places))["roles"]
    assert roles["router"]["sides"] == {}
    assert "loopback" in roles["router"]["lacking"]


def test_passwords_are_references_that_the_secrets_resolve(
    topology: Topology, places: Places, hsm_programs: HsmPrograms, secrets: Secrets
) -> None:
    text = target_yaml(topology, places, hsm_programs)
    environment = secrets.environment()
    assert references(yaml.safe_load(text)) == set(environment)
    assert not any(value in text for value in environment.values())


def test_scenarios_are_told_where_the_replicas_are(in_namespaces: Topology, places: Places) -> None:
    target = Target.model_validate(parse(target_yaml(in_namespaces, places), "target.yaml").data)
    east, west = "http://10.77.1.2:9101", "http://10.77.2.2:9101"
    assert target.variables["REGIONS"] == f"{east},{west}"
    assert target.roles["regions"].parameters["replicas"] == {"east": east, "west": west}
    assert target.roles["west.replica.admin"].parameters == {"url": west}


def test_scenarios_are_told_of_all_tenants_and_their_orders_are_looked_up(
    topology: Topology, places: Places
) -> None:
    text = target_yaml(replace(topology, tenants=100), places)
    target = Target.model_validate(parse(text, "target.yaml").data)
    told = target.variables["ALL_TENANTS"].split(",")
    assert (len(told), told[:5], told[-1]) == (
        100,
        ["acme", "globex", "initech", "umbrella", "tenant005"],
        "tenant100",
    )
    query = target.roles["writes"].parameters["query"]
    assert all(f"FROM {tenant}.orders" in query for tenant in told)


def test_the_hsm_is_bound_where_there_is_one(
    topology: Topology, places: Places, hsm_programs: HsmPrograms
) -> None:
    without = yaml.safe_load(target_yaml(topology, places))["roles"]["hsm"]
    assert "apt-get install softhsm2" in without["lacking"]
    hsm = yaml.safe_load(target_yaml(topology, places, hsm_programs))["roles"]["hsm"]
    assert hsm["driver"] == "pkcs11"
    assert hsm["address"] == f"unix:path={places.sockets / 'hsm.sock'}"
    assert hsm["pidfile"] == str(places.pid("hsm"))
    assert hsm["start"][-2:] == ["start", "hsm"]


def test_everything_is_bound_to_paths_of_this_testbed(topology: Topology, places: Places) -> None:
    roles = yaml.safe_load(target_yaml(topology, places))["roles"]
    assert Path(roles["edge"]["socket"]).parent == places.sockets
    assert roles["release.blue"]["stop"][-2:] == ["stop", "blue"]
    assert roles["database.primary"]["members"]["db-2"]["pidfile"] == str(places.pid("db-2"))
    assert roles["database.primary"]["members"]["db-2"]["log"] == str(places.log("db-2"))
    assert str(places.log("east.db-proxy")) in roles["database.primary"]["proxies"]


def test_who_can_be_asked_for_alerts_is_told_and_why_nobody_can(topology: Topology, places: Places) -> None:
    programs = MonitoringPrograms(Path("/p"), Path("/a"))
    watched = yaml.safe_load(target_yaml(topology, places, monitoring=programs))["roles"]
    assert watched["alerts"] == {"driver": "prometheus", "url": f"http://{topology.prometheus}"}
    assert watched["alerts.alertmanager"]["url"] == f"http://{topology.alertmanager}"
    alone = yaml.safe_load(target_yaml(topology, places))["roles"]
    assert "apt-get install prometheus" in alone["alerts"]["lacking"]
