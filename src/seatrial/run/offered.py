"""Whether the load was what its rate says, where that counts requests."""

from __future__ import annotations

from dataclasses import replace

from seatrial.load.offer import Offer
from seatrial.model.figures import per_minute
from seatrial.model.load import Load
from seatrial.model.loadaccount import LoadAccount
from seatrial.model.requestsize import MOST_DOUBT
from seatrial.model.result import Measurement


def account_of(load: Load, offer: Offer | None, end_s: float, notices: tuple[str, ...] = ()) -> LoadAccount:
    """What is told of the load of a run whose measured part ended at `end_s`. `notices`: of its scenario."""
    found = offer.per_arrival if offer else None
    account = LoadAccount(
        load.counts,
        http=load.http,
        connections=load.connections,
        dns_select=load.dns.select,
        dns_ttl_s=load.dns.ttl.seconds,
        notices=notices,
    )
    if offer is None or found is None or end_s <= 0:
        return account
    return replace(account, wanted_per_s=offer.due_before(end_s) * found.mean / end_s, per_arrival=found)


def doubt_of_rate(account: LoadAccount, measured: Measurement) -> str:
    """Why requests did not come at the rate that was asked for; "" when they did, or arrivals were counted.

    Each bad request may have ended a journey before its other requests were made, so what those can explain
    is not held against the load. More requests than were asked for spoil no promise that was kept under them.
    """
    if account.counts != "requests":
        return ""
    found, generator = account.per_arrival, measured.generator
    if found is None:
        return "how many requests an arrival makes was not found out"
    assert account.wanted_per_s is not None  # the two are known together
    if found.doubt:
        return found.doubt
    wanted = account.wanted_per_s * measured.length_s
    lacking = wanted - measured.requests - measured.bad * found.mean
    if lacking <= MOST_DOUBT * wanted:
        return ""
    made, asked = per_minute(generator.offered_per_s), per_minute(account.wanted_per_s)
    each = generator.requests_per_arrival
    return f"{made} of {asked}; an arrival made {each:.3g}, and {found.mean:.3g} in the warm-up"
