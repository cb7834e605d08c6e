"""A topology on paper, for tests that render it."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from seatrial.testbed.network import Network
from seatrial.testbed.places import Places
from seatrial.testbed.programs import HsmPrograms, Programs
from seatrial.testbed.secrets import Secrets
from seatrial.testbed.topology import PLACES, Topology, loopback, separated


@pytest.fixture
def topology() -> Topology:
    return loopback("abc123", count(20_000))


@pytest.fixture
def in_namespaces() -> Topology:
    return separated("abc123", Network("0123abcd", 77, PLACES))


@pytest.fixture
def secrets() -> Secrets:
    return Secrets(
        "pw-super",
        "pw-replication",
        "pw-rewind",
        "pw-tenant",
        "pw-cache",
        "pw-raft",
        "pw-hsm",
        "pw-audit",
        "5eed",
    )


@pytest.fixture
def programs() -> Programs:
    return Programs(
        python=Path("/venv/bin/python"),
        haproxy=Path("/usr/sbin/haproxy"),
        postgres_bin=Path("/pg/bin"),
        valkey=Path("/valkey/valkey-server"),
        unprivileged=("unshare", "--user"),
    )


@pytest.fixture
def hsm_programs() -> HsmPrograms:
    return HsmPrograms(
        Path("/hsm/softhsm2-util"), Path("/hsm/softhsm.so"), Path("/hsm/p11-kit"), Path("/hsm/client.so")
    )


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places.of_home(tmp_path)
