"""Waiting for a condition, with a bound."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], within_s: float = 30.0, what: str = "") -> None:
    """Wait for a condition; fail when it has not come true by then."""
    begun = time.monotonic()
    while not condition():
        waited_s = time.monotonic() - begun
        assert waited_s < within_s, f"not within {within_s:g}s: {what or condition}"
        time.sleep(min(max(0.005, waited_s / 50), 0.02))  # less often for what takes seconds to come
