"""Before a run the target is asked whether it is well: only on an address that is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.listeners import http, listening

from seatrial.faults import reach
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.target import Target
from seatrial.run.conductor import require_healthy


def plan(base_url: str, *allow: str) -> Any:
    """As much of a plan as the question needs."""
    return SimpleNamespace(base_url=base_url, target=Target(target="shop", base_url=base_url, allow=allow))


def answering(*answers: bytes) -> Any:
    said = iter(answers)
    return listening(lambda _: iter([next(said)]))


def test_a_target_is_waited_for() -> None:
    with answering(
        http(b"", "503 Not Yet"), b"", http(b"", "302 Found", "Location: http://192.0.2.1/")
    ) as server:
        require_healthy(plan(server.url, "127.0.0.1"), within_s=10.0)
    assert len(server.heard) == 3


def test_one_that_stays_unwell_says_how() -> None:
    def unwell(_: bytes) -> Iterator[bytes]:
        yield http(b"", "503 No")

    with (
        listening(unwell) as server,
        pytest.raises(Unavailable, match=r"not healthy: .*HTTP 503; nothing was started"),
    ):
        require_healthy(plan(server.url, "127.0.0.1"), within_s=0.0)


def test_a_name_that_has_moved_to_a_host_that_is_not_allowed_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reach, "addresses_of", lambda _: ["127.0.0.2"])
    with listening(lambda _: iter([http(b"")]), "127.0.0.2") as forbidden:
        asked = plan(f"http://shop.internal:{forbidden.port}", "127.0.0.1")
        with pytest.raises(
            BadInput, match=r"shop: the host shop\.internal \(127\.0\.0\.2\) is not in the target's"
        ):
            require_healthy(asked)
        assert forbidden.heard == []
