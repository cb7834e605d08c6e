"""Serve one release: `RELEASE=blue REGION=east python -m seatrial.testbed.app`, beside its settings.json."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import psycopg
from starlette.applications import Starlette

from seatrial.testbed.app import cache, metrics
from seatrial.testbed.app.audit.ingest import Ingest
from seatrial.testbed.app.audit.routes import Audit
from seatrial.testbed.app.audit.schema import ROLE
from seatrial.testbed.app.audit.signers import signer
from seatrial.testbed.app.audit.signing import Signing
from seatrial.testbed.app.audit.store import Store
from seatrial.testbed.app.connections import Connections
from seatrial.testbed.app.orders import Orders
from seatrial.testbed.app.schema import DATABASE, TENANTS, tenants
from seatrial.testbed.app.settings import AppSettings, Identity
from seatrial.testbed.app.storefront import Lifespan, Storefront, opening
from seatrial.testbed.serving import server

_BUSY_S = 1.0
_CONNECT_WITHIN_S = 2  # the least that libpq knows
_START_WITHIN_S = 10.0
_WARM = 2  # of those tenants that there always are: connections of a hundred would hold the start up
_MOST_OF_MANY = 2


def storefront(settings: AppSettings, identity: Identity) -> Storefront:
    """The shop, not connected to anything yet."""
    return Storefront(
        identity,
        {
            tenant: Orders(
                _connections(tenant, settings.database_password, settings, identity, _most(tenant, settings))
            )
            for tenant in tenants(settings.tenants)
        },
        cache.Cache(cache.connect(settings.cache_host, settings.cache_port, settings.cache_password)),
    )


def audit_log(settings: AppSettings, identity: Identity) -> Audit:
    """The audit log, not connected to anything yet."""
    most = settings.connections_per_tenant
    store = Store(_connections(ROLE, settings.audit.password, settings, identity, most))
    signing = Signing(store, signer(settings.audit), settings.audit)
    return Audit(identity, settings.audit, tenants(settings.tenants), store, Ingest(store), signing)


def _most(tenant: str, settings: AppSettings) -> int:
    """How many connections a tenant has: of a hundred tenants each has a hundredth of the requests."""
    return settings.connections_per_tenant if tenant in TENANTS else _MOST_OF_MANY


def _connections(
    user: str, password: str, settings: AppSettings, identity: Identity, most: int
) -> Connections:
    connect = partial(
        psycopg.AsyncConnection.connect,
        host=settings.database_host,
        port=settings.database_port,
        user=user,
        password=password,
        dbname=DATABASE,
        application_name=f"{identity.region}.{identity.release}",
        connect_timeout=_CONNECT_WITHIN_S,
        sslmode="disable",
        gssencmode="disable",
        tcp_user_timeout=3000,
        autocommit=True,
    )
    return Connections(connect, most, _BUSY_S)


def _both(shop: Lifespan, audit: Audit) -> Lifespan:
    """The shop's lifespan, during which the audit log is signed."""

    @asynccontextmanager
    async def lifespan(application: Starlette) -> AsyncIterator[None]:
        async with shop(application):
            signing = asyncio.ensure_future(audit.signing.run())
            yield
            signing.cancel()
            await asyncio.wait((signing,))
            await audit.store.close()

    return lifespan


def main() -> None:
    """Serve until SIGTERM."""
    settings = AppSettings.read(Path("settings.json"))
    shop = storefront(settings, Identity.from_environment())
    audit = audit_log(settings, Identity.from_environment())
    gc.freeze()  # what is loaded now stays: the collector need not look at it again during a burst
    lifespan = _both(opening(shop, _WARM, _START_WITHIN_S, TENANTS), audit)
    application = shop.application(lifespan, [*audit.routes(), metrics.route()])
    server(application, settings.host, settings.port).run()


if __name__ == "__main__":
    main()
