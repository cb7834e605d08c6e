"""The replicas of a service that writes in several regions.

    regions:
      driver: replicas
      replicas: {east: "http://127.0.0.1:9101", west: "http://127.0.0.1:9102"}
      within: 30s

The check convergence asks each of them what it holds after a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from seatrial.drivers.binding import Binding, WebAddress
from seatrial.model.problems import Path
from seatrial.model.quantities import Duration


class ReplicasBinding(Binding):
    """The replicas of a service that writes in several regions."""

    driver: ClassVar[str] = "replicas"

    replicas: Annotated[dict[str, WebAddress], Field(min_length=1)] = Field(
        examples=[{"east": "http://127.0.0.1:9101", "west": "http://127.0.0.1:9102"}]
    )
    """The address of each region."""
    within: Duration = Duration(30.0)
    """How long they may take to agree."""
    timeout: Duration = Duration(5.0)
    """Each answer must come within that time."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        for region, url in self.replicas.items():
            yield ("replicas", region), url
