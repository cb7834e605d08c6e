"""What a report says of the load besides its figures: its rate, its clients, and what it did not heed."""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.model.clients import Connections, Http, Select
from seatrial.model.requestsize import RequestsPerArrival


@dataclass(frozen=True, slots=True)
class LoadAccount:
    """Of one run. `per_arrival` is None where the rate counts arrivals, and where nothing was found out."""

    counts: str = "arrivals"  # or "requests"
    wanted_per_s: float | None = None  # requests, where they are counted: mean over the measured part
    http: Http = "1.1"
    connections: Connections = "shared"
    dns_select: Select = "first"
    dns_ttl_s: float = 1.0
    per_arrival: RequestsPerArrival | None = None  # what the warm-up showed
    notices: tuple[str, ...] = ()  # what of the scenario means something else here, or nothing; a line each
