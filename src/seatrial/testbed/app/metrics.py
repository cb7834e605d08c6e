"""What a release tells Prometheus: of its requests, its cache, and how far the audit log is signed.

A process serves one release, so its figures are the module's; the region and the release are labels that the
scraper adds, which knows whom it asks.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

REGISTRY = CollectorRegistry()
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.9, 2.0, 5.0)

REQUEST_SECONDS = Histogram(
    "shop_request_seconds",
    "How long a request took inside the app, by the class of its status.",
    ("code",),
    buckets=_BUCKETS_S,
    registry=REGISTRY,
)
CACHE_READS = Counter(
    "shop_cache_reads",
    "Reads of the cache, by what came of them: hit, miss, lost (given to it just before) or away.",
    ("outcome",),
    registry=REGISTRY,
)
for _outcome in ("hit", "miss", "lost", "away"):
    CACHE_READS.labels(_outcome)  # from 0 on: of a series that begins above it no rate tells the first step
_UNSIGNED = Gauge("audit_unsigned_events", "Audit events that nobody has signed yet.", registry=REGISTRY)
_OLDEST_UNSIGNED_S = Gauge(
    "audit_oldest_unsigned_seconds", "For how long the oldest of them has waited.", registry=REGISTRY
)
_SIGNER_UP = Gauge("audit_signer_up", "1 while the last signature did not fail.", registry=REGISTRY)


def tell_audit(unsigned: int, oldest_unsigned_s: float, failure: str | None) -> None:
    """Note how far the audit log and its signatures are."""
    _UNSIGNED.set(unsigned)
    _OLDEST_UNSIGNED_S.set(oldest_unsigned_s)
    _SIGNER_UP.set(0 if failure else 1)


def route(registry: CollectorRegistry = REGISTRY, before: Callable[[], None] = lambda: None) -> Route:
    """`GET /metrics`. `before` is called first, for figures that are only known when they are asked for."""

    async def respond(_: Request) -> Response:
        before()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", respond)
