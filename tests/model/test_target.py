"""What a target may touch is decided as far as it can be when its file is read."""

from __future__ import annotations

import pytest

from seatrial.model.document import build, parse
from seatrial.model.problems import BadInput
from seatrial.model.target import Target


def target(base_url: str, allow: str) -> Target:
    return build(Target, parse(f'target: shop\nbase_url: "{base_url}"\nallow: [{allow}]\n', "shop.yaml"))


@pytest.mark.parametrize(
    ("base_url", "allow"),
    [
        ("http://127.0.0.1:9000", "127.0.0.1"),
        ("http://2130706433:9000", "127.0.0.1"),
        ("http://[::ffff:127.0.0.1]:9000", "127.0.0.0/8"),
        ("http://shop.internal", "Shop.Internal"),
        ("http://shop.internal", "10.0.0.0/8"),  # by its address, when it is known
    ],
)
def test_a_host_that_is_or_may_be_allowed(base_url: str, allow: str) -> None:
    assert target(base_url, allow).base_url == base_url


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("http://127.0.0.2", "127.0.0.2"),
        ("http://2130706434", "2130706434"),
        ("http://0177.0.0.2", "0177.0.0.2"),
        ("http://0x7f.2", "0x7f.2"),
        ("http://[::ffff:127.0.0.2]", "::ffff:127.0.0.2"),
        ("http://127.0.0.1@127.0.0.2", "127.0.0.2"),
    ],
)
def test_an_address_that_is_not_allowed_however_it_is_written(base_url: str, host: str) -> None:
    with pytest.raises(BadInput, match=r"is not in allow: \[127\.0\.0\.1\]") as caught:
        target(base_url, "127.0.0.1")
    assert host in str(caught.value)


@pytest.mark.parametrize("entry", ["http://127.0.0.1", "127.0.0.1:9000", "10.0.0.0/33", "'*.internal'"])
def test_an_entry_that_could_allow_nothing_is_told(entry: str) -> None:
    with pytest.raises(BadInput, match=r"shop\.yaml:3:.*allow: .*is no host name, address or network"):
        target("http://127.0.0.1", f"127.0.0.1, {entry}")
