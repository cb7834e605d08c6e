"""A migration that is killed at whatever instant leaves no tenant half-way, and the next start goes on with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.migration_kills import WAYS, kill_and_resume
from tests.support.tenants import Shop


@pytest.mark.long
@pytest.mark.parametrize(("way", "at_s"), [*zip(WAYS, (0.3, 0.15, 0.2), strict=True)])
def test_no_tenant_is_half_way_and_none_is_migrated_twice(
    shop: Callable[[int], Shop], way: str, at_s: float
) -> None:
    found = kill_and_resume(shop(12), way, at_s, parallel=2)
    assert (found.half_way, found.half_way_after, found.behind, found.again) == ((), (), (), ())
