"""Tests on a PostgreSQL with a shop of several tenants."""

from tests.support.tenants import shop, shop_server

__all__ = ["shop", "shop_server"]
