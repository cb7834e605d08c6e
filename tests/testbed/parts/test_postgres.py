from __future__ import annotations

import shlex
from pathlib import Path

import yaml

from seatrial.testbed.parts import postgres
from seatrial.testbed.programs import Programs
from seatrial.testbed.secrets import Secrets
from seatrial.testbed.topology import Topology

DIRECTORY = Path("/home of it/testbed/parts/db-1")


def test_only_the_first_member_may_found_the_cluster(
    topology: Topology, programs: Programs, secrets: Secrets
) -> None:
    configs = [
        postgres.patroni_config(own, topology, programs, secrets, DIRECTORY) for own in topology.members
    ]
    assert ["bootstrap" in config for config in configs] == [True, False]
    cluster = configs[0]["bootstrap"]["dcs"]
    assert (cluster["ttl"], cluster["loop_wait"], cluster["retry_timeout"]) == (20, 1, 3)
    assert cluster["primary_start_timeout"] == 0
    assert cluster["synchronous_mode"] is True


def test_the_schema_is_made_with_the_cluster_wherever_the_home_is(
    topology: Topology, programs: Programs, secrets: Secrets
) -> None:
    config = postgres.patroni_config(topology.members[0], topology, programs, secrets, DIRECTORY)
    command = shlex.split(config["bootstrap"]["post_bootstrap"])
    assert command[0] == "/pg/bin/psql"
    assert command[-1] == f"--file={DIRECTORY}/schema.sql"


def test_every_voter_knows_the_two_others(topology: Topology, programs: Programs, secrets: Secrets) -> None:
    parts = [
        postgres.witness(topology, programs, secrets),
        *(postgres.member(own, topology, programs, secrets, DIRECTORY) for own in topology.members),
    ]
    voters = {str(endpoint) for endpoint in topology.raft()}
    for part in parts:
        raft = yaml.safe_load(part.files["patroni.yml"])["raft"]
        assert {raft["self_addr"], *raft["partner_addrs"]} == voters


def test_a_voter_starts_when_those_with_lesser_addresses_listen(
    topology: Topology, programs: Programs, secrets: Secrets
) -> None:
    first, second = (postgres.member(own, topology, programs, secrets, DIRECTORY) for own in topology.members)
    assert [need.endpoint for need in first.needs] == [topology.witness]
    assert [need.endpoint for need in second.needs] == [topology.witness, topology.members[0].raft]


def test_postgres_does_not_run_as_root(topology: Topology, programs: Programs, secrets: Secrets) -> None:
    part = postgres.member(topology.members[0], topology, programs, secrets, DIRECTORY)
    assert part.command[:2] == ("unshare", "--user")


def test_nobody_gets_in_without_a_password(topology: Topology, programs: Programs, secrets: Secrets) -> None:
    config = postgres.patroni_config(topology.members[0], topology, programs, secrets, DIRECTORY)
    access = config["postgresql"]["pg_hba"]
    assert access
    assert all(line.endswith("scram-sha-256") for line in access)
