from __future__ import annotations

import pytest

from seatrial.testbed.part import Probe, matching
from seatrial.testbed.topology import Endpoint

NAMES = ("db-1", "east.blue", "east.green", "west.blue", "edge")


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("edge", ("edge",)),
        ("blue", ("east.blue", "west.blue")),
        ("west.blue", ("west.blue",)),
        ("east", ()),
        ("db", ()),
        ("", ()),
    ],
)
def test_a_selector_names_one_part_or_that_part_in_every_region(
    selector: str, expected: tuple[str, ...]
) -> None:
    assert matching(selector, NAMES) == expected


def test_an_http_probe_is_a_get_that_looks_for_its_text() -> None:
    probe = Probe.http(Endpoint("127.0.0.1", 80), "/healthz")
    assert probe.send.startswith(b"GET /healthz HTTP/1.0\r\n")
    assert probe.send.endswith(b"\r\n\r\n")
    assert probe.expect == b" 200 "
