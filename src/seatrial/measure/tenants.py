"""What each tenant saw: the same figures, over the requests in its name alone.

An outage of one tenant of a hundred is 1 % of bad requests to everybody, and all there is to that tenant.

A tenant's own requests are far apart, and outside them nothing is known of it. So to the upper bound of its
downtime (see `outages`) belongs the time at both edges of the window [s, e) in which none of its requests
tells that the service worked: with q its first ok completion and p the ok request that it sent last,

    s ──────────────────────┤ q          ● … ●          p ├────────────────────── e
      └─ ended_q - s ───────┘                           └─────── e - sent_p ────┘

At the rate of all requests together these are an arrival interval, and `downtime` leaves them out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from seatrial.measure.availability import WINDOWS_S, availability_of, rows_by_code
from seatrial.measure.outages import downtime
from seatrial.model.bounds import Bounds
from seatrial.model.exactness import EXACT, Exactness
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import TenantMeasured

MOST = 5_000  # tenants; a scenario that tells so many tells something else


@dataclass(frozen=True, slots=True)
class WorstTenants:
    """The longest downtime of any tenant, and whose each of its two bounds is."""

    downtime: Bounds
    lower_of: str
    upper_of: str


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
    if tells_too_many(log):
        return ()
    found = []
    for tenant, own in _each(log):
        part = own.between(start_s, end_s)
        if not len(part):
            continue
        well = part.good(deadline_s - exact.took_s)
        found.append(
            TenantMeasured(
                tenant=tenant,
                requests=len(part),
                bad=int(len(part) - well.sum()),
                downtime=_downtime(own, start_s, end_s, deadline_s, settle_s, exact),
                uptime=availability_of(tenant, part.intended, well, end_s, windows_s),
            )
        )
    return tuple(sorted(found, key=_badness))


def worst_tenants(
    log: RequestLog,
    start_s: float,
    end_s: float,
    deadline_s: float,
    settle_s: float,
    exact: Exactness = EXACT,
) -> WorstTenants | None:
    """What an objective on the downtime of each tenant judges; None for a log that tells of no tenant.

    `log` is sorted by intended instant. The lower bound is the largest that any tenant's has, and so is the
    upper one. Of a tenant that the log knows, and of whom nothing was due in [start_s, end_s), nothing is
    known: then the upper bound is infinite.
    """
    found = [
        (tenant, _downtime(own, start_s, end_s, deadline_s, settle_s, exact)) for tenant, own in _each(log)
    ]
    if not found:
        return None
    lower_of, lowest = max(found, key=lambda one: one[1].lower_s)
    upper_of, highest = max(found, key=lambda one: one[1].upper_s)
    return WorstTenants(Bounds(lowest.lower_s, highest.upper_s), lower_of, upper_of)


def tells_too_many(log: RequestLog) -> bool:
    """Whether what a log tells of tenants cannot be meant as such."""
    return log.tenant is not None and len(log.tenant.values) > MOST


def _each(log: RequestLog) -> Iterator[tuple[str, RequestLog]]:
    """Each tenant with the requests in its name."""
    if log.tenant is None:
        return
    for code, rows in rows_by_code(log.tenant):
        if tenant := log.tenant.values[code]:
            yield tenant, log[rows]


def _downtime(
    own: RequestLog, start_s: float, end_s: float, deadline_s: float, settle_s: float, exact: Exactness
) -> Bounds:
    bounds = downtime(own, start_s, end_s, deadline_s, settle_s, exact)
    slack = exact.within(deadline_s)
    answered = own.ok & ~np.isnan(own.ended) & ~np.isnan(own.sent)
    first_s = float(np.min(own.ended, initial=np.inf, where=answered)) + slack.ended_late_s
    last_s = float(np.max(own.sent, initial=-np.inf, where=answered)) - slack.sent_early_s
    return Bounds(bounds.lower_s, max(bounds.upper_s, first_s - start_s, end_s - last_s))


def _badness(one: TenantMeasured) -> tuple[float, float, float, str]:
    """The worst first: by what is proven, then by what may have been."""
    upper_s = one.downtime.upper_s
    return -one.downtime.lower_s, -one.bad, -upper_s if math.isfinite(upper_s) else -math.inf, one.tenant
