"""An HSM is reached through a Unix socket, or by its vendor's library, which no allow list can be held on."""

from __future__ import annotations

import pytest

from seatrial.drivers import pkcs11
from seatrial.model.problems import BadInput
from seatrial.model.role import Role


@pytest.mark.parametrize(
    "address", ["vsock:cid=2;port=80", "tcp:192.0.2.1:80", "|ssh elsewhere p11-kit remote"]
)
def test_an_address_that_may_lead_elsewhere_is_refused(address: str) -> None:
    parameters = {"module": "p11-kit-client.so", "address": address, "token": "t", "key": "k", "pin": "1"}
    with pytest.raises(BadInput, match=r"roles\.hsm\.address: .* is no Unix socket"):
        pkcs11.wrong_with(Role("hsm", "pkcs11", parameters, ("127.0.0.1",), "."), 1.0)
