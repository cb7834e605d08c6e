"""A delivery worker in a process of its own, to be killed: DATABASE_URL PAGERDUTY_URL."""

from __future__ import annotations

import sys
import threading

from tests.support.pagerduty_double import ROUTING_KEY
from tests.support.sinks import settings_of

from seatrial.incidents.delivery import Backoff, Delivery
from seatrial.incidents.sinks.pagerduty import PagerdutySettings, PagerdutySink
from seatrial.store import Store

REQUEST_TIMEOUT_S = 0.2
LEASE_S = 1.5


def main(database: str, events_url: str) -> None:
    """Deliver until killed."""
    settings = settings_of(PagerdutySettings, key=ROUTING_KEY, events_url=events_url)
    sink = PagerdutySink(settings, REQUEST_TIMEOUT_S)
    with Store(database) as store:
        delivery = Delivery(
            store.outbox,
            {sink.name: sink},
            Backoff(first_s=0.02, cap_s=0.5, attempts=10_000),
            lease_s=LEASE_S,
            idle_s=0.02,
        )
        sys.stdout.write("at work\n")
        sys.stdout.flush()
        delivery.run(threading.Event())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
