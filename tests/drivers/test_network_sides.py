"""The sides of a network fault lie wholly within the allow list."""

from __future__ import annotations

import pytest

from seatrial.drivers.network import passing
from seatrial.model.problems import BadInput
from seatrial.model.role import Role


def test_a_side_is_allowed_as_a_whole_and_not_by_its_ends() -> None:
    sides = {"east": ["10.0.0.0/24"], "west": ["10.0.1.64/26"]}
    parameters = {"sides": sides, "router": "r"}
    role = Role("network", "nft", parameters, ("10.0.0.0/32", "10.0.0.255", "10.0.1.0/24"), ".")
    assert passing(role, ("west", "west"), "forward") == [
        ("ip", "ip saddr { 10.0.1.64/26 } ip daddr { 10.0.1.64/26 }")
    ]
    with pytest.raises(BadInput, match=r"sides\.east: 10\.0\.0\.0/24 is not wholly in the target's"):
        passing(role, ("east", "west"), "forward")
