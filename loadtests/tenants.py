"""The shoppers of `storefront.py`, spread over all tenants that the target has, one after the other.

What is known of a tenant's downtime is known by its own requests, and is no more exact than these are close
together. Of a hundred tenants drawn at random at 10,000 requests a minute some would not be asked for five
seconds; in turn, each is asked about every 0.7 s.

ALL_TENANTS names them, separated by commas; the target file of the testbed tells it, and so can another
(`variables:`).
"""

from __future__ import annotations

import os
from itertools import cycle

from storefront import Shopper

_ALL = tuple(filter(None, os.environ.get("ALL_TENANTS", "").split(","))) or Shopper.tenants
_turns = cycle(_ALL)  # of all shoppers together


class TenantShopper(Shopper):
    """Somebody who shops with the tenant whose turn it is."""

    tenants = _ALL

    def tenant(self) -> str:
        """The next of all."""
        return next(_turns)


del Shopper  # a scenario's user classes are those that it has names for
