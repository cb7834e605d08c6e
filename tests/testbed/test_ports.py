from __future__ import annotations

import random
import socket
from itertools import islice

import pytest

from seatrial.model.problems import Unavailable
from seatrial.testbed import ports


def test_ports_are_distinct_and_below_the_ephemeral_range() -> None:
    found = list(islice(ports.free("127.0.0.1", random.Random(1)), 50))
    assert len(set(found)) == 50
    assert max(found) < ports.ephemeral_start()


def test_a_port_in_use_is_passed_over() -> None:
    first = next(ports.free("127.0.0.1", random.Random(2)))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", first))
        listener.listen()
        assert next(ports.free("127.0.0.1", random.Random(2))) != first


def test_a_low_ephemeral_range_leaves_the_whole_range_of_user_ports() -> None:
    assert 1_024 <= next(ports.free("127.0.0.1", random.Random(3), below=1_024)) < 65_536


def test_running_out_of_ports_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_is_free", lambda *_: False)
    with pytest.raises(Unavailable, match="no free TCP ports"):
        next(ports.free("127.0.0.1", random.Random(4)))
