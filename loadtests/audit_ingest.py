"""Services of several tenants that report what was done, in batches of audit events.

    locust -f loadtests/audit_ingest.py --host URL --rate 6000/min --events-per-batch 100

Each arrival posts one batch: 6,000 a minute of 100 events are 10,000 a second. A batch goes on record as
`TENANT/BATCH COUNT DIGEST`, the digest being SHA-256 over its canonical events, which a check can compute
again from what is stored. Events are pre-made but for the number that makes each one unlike all others.
"""

from __future__ import annotations

import itertools
import random
import uuid
from hashlib import sha256
from typing import Any

from locust import events, task

from seatrial.load import OpenLoopUser

TENANTS = ("acme", "globex", "initech", "umbrella")
ACTIONS = ("login", "order.place", "order.cancel", "price.change", "role.grant", "report.export")
DIGEST = 16  # hexadecimal digits
_RUN = uuid.uuid4().hex[:12]
_numbers = itertools.count()


def _add_options(parser: Any) -> None:
    parser.add_argument(
        "--events-per-batch", type=int, default=100, env_var="EVENTS_PER_BATCH", help="Events of one batch"
    )


_hooks: Any = events
_hooks.init_command_line_parser.add_listener(_add_options)


def _template(tenant: str, place: int) -> str:
    """A canonical event: sorted keys, no spaces. `%s` is where its number goes."""
    action, actor = ACTIONS[place % len(ACTIONS)], f"user-{place * 37 % 1000:03d}"
    return (
        f'{{"action":"{action}","actor":"{actor}@{tenant}.example","at":"2026-01-05T10:00:00.{place:03d}Z",'
        f'"id":"{_RUN}-%s","outcome":"success","source":"10.20.{place % 250}.7","tenant":"{tenant}"}}'
    )


class Service(OpenLoopUser):
    """A service that reports one batch an arrival."""

    def on_start(self) -> None:
        """Lay the batches out, one a tenant."""
        self.count = int(self.environment.parsed_options.events_per_batch)
        self.templates = {
            tenant: "\n".join(_template(tenant, place) for place in range(self.count)) for tenant in TENANTS
        }

    @task
    def report(self) -> None:
        """Post a batch that nobody has posted before."""
        tenant, batch = random.choice(TENANTS), uuid.uuid4().hex
        numbers = tuple(itertools.islice(_numbers, self.count))
        lines = (self.templates[tenant] % numbers).encode()
        digest = sha256(lines).hexdigest()[:DIGEST]
        with self.client.post(
            "/audit/events",
            name="POST /audit/events",
            data=b'{"events":[' + lines.replace(b"\n", b",") + b"]}",
            headers={"X-Tenant": tenant, "Idempotency-Key": batch, "Content-Type": "application/json"},
            key=f"{tenant}/{batch} {self.count} {digest}",
            catch_response=True,
        ) as answer:
            if answer.status_code != 201:
                answer.failure(f"HTTP {answer.status_code}")
