"""What the load process knows of its scenario that no request tells."""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.model.figures import milliseconds


@dataclass(frozen=True, slots=True)
class ScenarioError:
    """One kind of failure of the scenario's own code, and how many arrivals it befell."""

    error: str  # KeyError: 'nope'
    place: str  # scenario.py:7; "" where there is none
    during: str  # the task's name, or what else ran
    count: int

    def __str__(self) -> str:
        where = f"{self.place} " if self.place else ""
        return f"{where}{self.error} ({times(self.count)})"


def times(count: int) -> str:
    """How often, in words."""
    return "once" if count == 1 else f"{count:,} times"


@dataclass(frozen=True, slots=True)
class BlockingCall:
    """A line that stopped the load generator: nothing was sent, and no answer was read, until it returned."""

    place: str  # scenario.py:7
    during: str  # the function that it is in
    count: int
    longest_ms: float

    def __str__(self) -> str:
        held = f"for {milliseconds(self.longest_ms)}"
        return f"{self.place} ({self.during}) stopped it {times(self.count)}, the longest time {held}"


@dataclass(frozen=True, slots=True)
class ScenarioAccount:
    """What the load process knows of the scenario that no request tells: warm-up included."""

    arrivals: int = 0  # tasks that were started
    errors: tuple[ScenarioError, ...] = ()  # the most frequent first
    blocking: tuple[BlockingCall, ...] = ()  # the longest first

    @property
    def stopped_by(self) -> str:
        """What stopped the load generator longest, in words; "" when nothing did."""
        return str(self.blocking[0]) if self.blocking else ""

    @property
    def failed(self) -> int:
        """How many arrivals the scenario failed for; what befell no arrival counts as one each time."""
        return sum(error.count for error in self.errors)
