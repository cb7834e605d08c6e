"""What becomes of a `LoadTestShape` in an open model.

It shapes the number of users over time, second by second as it is asked; a rate shapes arrivals. The two are
not the same, because what a number of users sends depends on how soon they are answered. So a shape of the
locustfile does not count where a rate is given, which is said, with the rates that would go up and down as it
does.
"""

from __future__ import annotations

from typing import Any

from locust import LoadTestShape

_LONGEST_S = 6 * 3600  # that is looked at
_MOST_STEPS = 12  # that a person would read


class Level(LoadTestShape):
    """In place of a scenario's shape, which would spawn users and end the test: one user, without an end."""

    def __init__(self) -> None:
        """Locust's own takes the time."""
        super().__init__()  # type: ignore[no-untyped-call]

    def tick(self) -> tuple[int, float]:
        """Locust asks every second."""
        return 1, 1.0


def notice(shape: LoadTestShape, peak_per_s: float) -> str:
    """In one line. `peak_per_s`: the highest rate that is offered."""
    name = type(shape).__name__
    rates = _rates(shape, peak_per_s)
    instead = f"; with the same peak it would be --rate {rates}" if rates else ""
    return f"{name} shapes a number of users and does not count here: arrivals come by --rate{instead}"


def _rates(shape: Any, peak_per_s: float) -> str:
    """Its steps as rates; "" where it depends on more than the time, or has no end or too many steps."""
    steps = _steps(shape)
    highest = max((users for _, users in steps), default=0)
    if not highest or len(steps) > _MOST_STEPS:
        return ""
    return ",".join(f"{at_s}s={round(peak_per_s * users / highest * 60)}/min" for at_s, users in steps)


def _steps(shape: Any) -> list[tuple[int, int]]:
    """When the shape's number of users changes, and to what."""
    found: list[tuple[int, int]] = []
    at_s = 0
    shape.get_run_time = lambda: float(at_s)
    try:
        for at_s in range(_LONGEST_S):
            tick = shape.tick()
            if tick is None:
                return found
            if not found or found[-1][1] != int(tick[0]):
                found.append((at_s, int(tick[0])))
            if len(found) > _MOST_STEPS:
                return found
    except Exception:  # the scenario's own code, which may need a running test
        return []
    finally:
        del shape.get_run_time
    return []
