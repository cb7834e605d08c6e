"""A delivery worker in a process of its own, to be killed: DATABASE_URL PAGERDUTY_URL."""

from __future__ import annotations

import sys
import threading

from tests.support.pagerduty_double import ROUTING_KEY

from seatrial.incidents.delivery import Backoff, Delivery
from seatrial.incidents.event import PAGERDUTY
from seatrial.incidents.pagerduty import EventsSink
from seatrial.incidents.sink import Secret, Sink
from seatrial.store import Store

REQUEST_TIMEOUT_S = 0.2
LEASE_S = 1.5


def main(database: str, events_url: str) -> None:
    """Deliver until killed."""
    sink: Sink = EventsSink(PAGERDUTY, Secret(ROUTING_KEY), events_url, REQUEST_TIMEOUT_S)
    with Store(database) as store:
        delivery = Delivery(
            store.outbox,
            {PAGERDUTY: sink},
            Backoff(first_s=0.02, cap_s=0.5, attempts=10_000),
            lease_s=LEASE_S,
            idle_s=0.02,
        )
        delivery.run(threading.Event())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
