"""Serve one release: `RELEASE=blue REGION=east python -m seatrial.testbed.app`, beside its settings.json."""

from __future__ import annotations

import gc
from functools import partial
from pathlib import Path

import psycopg
import uvicorn

from seatrial.testbed.app import cache
from seatrial.testbed.app.connections import Connections
from seatrial.testbed.app.orders import Orders
from seatrial.testbed.app.schema import DATABASE, TENANTS
from seatrial.testbed.app.settings import Identity, Settings
from seatrial.testbed.app.storefront import Storefront, opening

# Longer than HAProxy keeps idle connections to a server (5 s): otherwise it may send a request on one that is
# just being closed here, and a request fails that nobody broke.
_KEEP_ALIVE_S = 75
_BUSY_S = 1.0
_CONNECT_WITHIN_S = 2  # the least that libpq knows
_START_WITHIN_S = 10.0
_WARM = 2


def storefront(settings: Settings, identity: Identity) -> Storefront:
    """The shop, not connected to anything yet."""
    return Storefront(
        identity,
        {tenant: Orders(_connections(tenant, settings, identity)) for tenant in TENANTS},
        cache.Cache(cache.connect(settings.cache_host, settings.cache_port, settings.cache_password)),
    )


def _connections(tenant: str, settings: Settings, identity: Identity) -> Connections:
    connect = partial(
        psycopg.AsyncConnection.connect,
        host=settings.database_host,
        port=settings.database_port,
        user=tenant,
        password=settings.database_password,
        dbname=DATABASE,
        application_name=f"{identity.region}.{identity.release}",
        connect_timeout=_CONNECT_WITHIN_S,
        sslmode="disable",
        gssencmode="disable",
        tcp_user_timeout=3000,
        autocommit=True,
    )
    return Connections(connect, settings.connections_per_tenant, _BUSY_S)


def main() -> None:
    """Serve until SIGTERM."""
    settings = Settings.read(Path("settings.json"))
    shop = storefront(settings, Identity.from_environment())
    gc.freeze()  # what is loaded now stays: the collector need not look at it again during a burst
    uvicorn.run(
        shop.application(opening(shop, _WARM, _START_WITHIN_S)),
        host=settings.host,
        port=settings.port,
        http="httptools",
        loop="asyncio",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=3,
        backlog=4096,
    )


if __name__ == "__main__":
    main()
