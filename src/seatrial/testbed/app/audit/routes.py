"""The routes of the audit log.

    POST /audit/events   {"events": [{…}, …]} + Idempotency-Key → 201 {"first", "last"}; 200 when repeated
    GET  /audit/status   how far the log and its signatures are
    GET  /audit/key      the verifier key, one line

409: the key belongs to other events. 422: an event is none, and which. 503: not now, or nobody knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from seatrial.ledger.canonical import InvalidEvent, canonical
from seatrial.testbed.app.answers import answering
from seatrial.testbed.app.audit.groups import Batch
from seatrial.testbed.app.audit.ingest import Ingest
from seatrial.testbed.app.audit.settings import AuditSettings
from seatrial.testbed.app.audit.signing import Signing
from seatrial.testbed.app.audit.store import Store
from seatrial.testbed.app.settings import Identity
from seatrial.testbed.serving import Refused, json_answer

_MOST_EVENTS = 1_000
_LARGEST_BODY = 4 << 20  # bytes
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,200}")


@dataclass(frozen=True, slots=True)
class Audit:
    """The handlers."""

    identity: Identity
    settings: AuditSettings
    tenants: Collection[str]
    store: Store
    ingest: Ingest
    signing: Signing

    def routes(self) -> list[Route]:
        """For the application."""
        return [
            Route("/audit/events", answering(self.identity, self._add), methods=["POST"]),
            Route("/audit/status", answering(self.identity, self._status)),
            Route("/audit/key", answering(self.identity, self._key)),
        ]

    async def _add(self, request: Request) -> Response:
        tenant = request.headers.get("x-tenant", "")
        key = request.headers.get("idempotency-key", "")
        if tenant not in self.tenants:
            raise Refused(400, f"X-Tenant: one of {', '.join(self.tenants)} is needed")
        if not _KEY.fullmatch(key):
            raise Refused(400, "Idempotency-Key: 1 to 200 letters, digits or any of . _ : - are needed")
        if objection := self.signing.objection():
            raise Refused(503, objection)
        batch = Batch.of(f"{tenant}/{key}", _events(await _body(request), tenant))
        outcome = await self.ingest.add(batch)
        if outcome.stored is None:
            raise Refused(409, f"Idempotency-Key {key} belongs to other events")
        place = {"first": outcome.stored.first, "last": outcome.stored.last}
        return json_answer(place, 201 if outcome.created else 200)

    async def _status(self, _: Request) -> Response:
        status = await self.store.status()
        return json_answer(
            {
                "size": status.size,
                "signed": status.signed,
                "unsigned": status.unsigned,
                "oldest_unsigned_s": round(status.oldest_unsigned_s, 3),
                "mode": self.settings.mode,
                "signer": "hsm" if self.settings.hsm else "software",
                "failure": status.failure,
                "objection": self.signing.objection(),
            }
        )

    async def _key(self, _: Request) -> Response:
        key = self.signing.key or await self.store.key()
        if key is None:
            raise Refused(503, "the key is not known yet: the signer has not answered since the log began")
        return PlainTextResponse(f"{key}\n")


async def _body(request: Request) -> bytes:
    """At most so many bytes of it, whatever its headers say."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > _LARGEST_BODY:
            raise Refused(413, f"the body: {_LARGEST_BODY:,} bytes at most")
    return bytes(data)


def _events(body: bytes, tenant: str) -> list[bytes]:
    """The events of a body in canonical form."""
    try:
        value = json.loads(body, object_pairs_hook=_unique)
    except InvalidEvent as error:
        raise Refused(422, str(error)) from error
    except (ValueError, RecursionError) as error:
        raise Refused(400, "the body is not JSON") from error
    events = value.get("events") if isinstance(value, dict) else None
    if not isinstance(events, list) or not 0 < len(events) <= _MOST_EVENTS:
        raise Refused(400, f"events: a list of 1 to {_MOST_EVENTS} events is needed")
    found = []
    for place, event in enumerate(events):
        try:
            found.append(canonical(event))
        except InvalidEvent as error:
            raise Refused(422, f"events[{place}]: {error}") from error
        if event.get("tenant") != tenant:
            raise Refused(422, f"events[{place}].tenant: {tenant} is needed, as X-Tenant says")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidEvent("a key stands twice in an object")
    return members
