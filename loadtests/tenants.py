"""The shoppers of `storefront.py`, spread over all tenants that the target has, each as likely as any other.

ALL_TENANTS names them, separated by commas; the target file of the testbed tells it, and so can another
(`variables:`).
"""

from __future__ import annotations

import os

from storefront import Shopper


class TenantShopper(Shopper):
    """Somebody who shops with any one of all tenants."""

    tenants = tuple(filter(None, os.environ.get("ALL_TENANTS", "").split(","))) or Shopper.tenants


del Shopper  # a scenario's user classes are those that it has names for
