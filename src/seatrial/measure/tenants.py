"""What each tenant saw: the same figures, over the requests in its name alone.

An outage of one tenant of a hundred is 1 % of bad requests to everybody, and all there is to that tenant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from seatrial.measure.availability import WINDOWS_S, availability_of, rows_by_code
from seatrial.measure.outages import downtime
from seatrial.model.exactness import EXACT, Exactness
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import TenantMeasured

MOST = 5_000  # tenants; a scenario that tells so many tells something else


def by_tenant(
    log: RequestLog,
    start_s: float,
    end_s: float,
    deadline_s: float,
    settle_s: float,
    exact: Exactness = EXACT,
    windows_s: Sequence[float] = WINDOWS_S,
) -> tuple[TenantMeasured, ...]:
    """One record for each tenant with requests due in [start_s, end_s), the longest downtime first.

    `log` is sorted by intended instant; rows outside still serve as witnesses. Nothing for a log that does
    not tell tenants, or tells more than MOST.
    """
    column = log.tenant
    if column is None or len(column.values) > MOST:
        return ()
    found = []
    for code, rows in rows_by_code(column):
        tenant, own = column.values[code], log[rows]
        part = own.between(start_s, end_s)
        if not tenant or not len(part):
            continue
        well = part.good(deadline_s - exact.took_s)
        found.append(
            TenantMeasured(
                tenant=tenant,
                requests=len(part),
                bad=int(len(part) - well.sum()),
                downtime=downtime(own, start_s, end_s, deadline_s, settle_s, exact),
                uptime=availability_of(tenant, part.intended, well, end_s, windows_s),
            )
        )
    return tuple(sorted(found, key=_badness))


def _badness(one: TenantMeasured) -> tuple[float, float, float, str]:
    """The worst first: by what is proven, then by what may have been."""
    upper_s = one.downtime.upper_s
    return -one.downtime.lower_s, -one.bad, -upper_s if math.isfinite(upper_s) else -math.inf, one.tenant
