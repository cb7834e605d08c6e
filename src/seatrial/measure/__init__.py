"""Pure functions over a request log: outages with bounds, latency, availability, and the generator's audit.

The one exception to *pure* is `importers`, the only part that opens files.
"""

from seatrial.measure.degraded import recovery
from seatrial.measure.errorbudget import budget_spent
from seatrial.measure.generator import trusted, vouched_for
from seatrial.measure.measurement import measure
from seatrial.measure.outages import downtime
from seatrial.measure.proof import Latencies, good_per_s, share_bad
from seatrial.measure.tenants import tells_too_many, worst_tenants

__all__ = [
    "Latencies",
    "budget_spent",
    "downtime",
    "good_per_s",
    "measure",
    "recovery",
    "share_bad",
    "tells_too_many",
    "trusted",
    "vouched_for",
    "worst_tenants",
]
