"""Waiting for a condition, with a bound."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], within_s: float = 30.0, what: str = "") -> None:
    """Wait for a condition; fail when it has not come true by then."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s:g}s: {what or condition}"
        time.sleep(0.005)
