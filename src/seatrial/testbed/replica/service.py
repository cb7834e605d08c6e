"""The routes of a replica.

    PUT    /settings/{tenant}/{name}          {"value": text}     last writer wins
    GET    /settings/{tenant}/{name}          {"value", "key", "stamp", "origin"}, by which write
    POST   /counters/{tenant}/{name}          {"add": number}     nothing is lost
    GET    /counters/{tenant}/{name}          {"value"}
    PUT    /sets/{tenant}/{name}/{member}                         a removal takes what its region had seen
    DELETE /sets/{tenant}/{name}/{member}
    GET    /sets/{tenant}/{name}              {"members": [...]}
    GET    /state                             canonical bytes; X-State-Digest is their SHA-256
    GET    /history?after=&limit=             {"operations": [...], "next": position}, as they came
    GET    /replication                       how far behind everybody is
    GET    /replication/operations?by=&after= for peers
    POST   /admin/clock                       {"offset_s": number}: make the physical clock wrong
    POST   /admin/replication                 {"paused": true}: as if cut off
    GET    /healthz
    GET    /metrics                           for Prometheus

A write needs an Idempotency-Key: its repetition in the same region answers 200 instead of 201 and does
nothing. Answers carry X-Causal-Token; a write that is sent with the token of a read (in whatever region) is
ordered after what was read. 503 with Retry-After: not now. /admin is for this machine, and for
operators that are named at the start.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from prometheus_client import CollectorRegistry, Gauge
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from seatrial.testbed.app import metrics
from seatrial.testbed.replica.hlc import Stamp
from seatrial.testbed.replica.log import OperationLog
from seatrial.testbed.replica.operation import Intent, Kind
from seatrial.testbed.replica.replica import BusyError, KeyReusedError, Replica, StorageError
from seatrial.testbed.replica.replication import PausedError, Replication
from seatrial.testbed.replica.state import digest
from seatrial.testbed.serving import Refused, json_answer

_log = logging.getLogger(__name__)
_LONGEST_TEXT = 200
_LONGEST_VALUE = 4_096
_LARGEST_BODY = 65_536
_LARGEST_AMOUNT = 10**9
_FURTHEST_OFFSET_S = 86_400.0
_LARGEST_PAGE = 1_000

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Service:
    """The handlers. `operators`: addresses that may use /admin, beside this machine's own."""

    replica: Replica
    log: OperationLog
    replication: Replication
    operators: frozenset[str] = frozenset()

    def application(self) -> Starlette:
        """The ASGI application, which runs the replica and its replication."""
        routes = [
            Route("/settings/{tenant}/{name}", self._answering(self._put), methods=["PUT"]),
            Route("/settings/{tenant}/{name}", self._answering(self._setting)),
            Route("/counters/{tenant}/{name}", self._answering(self._count), methods=["POST"]),
            Route("/counters/{tenant}/{name}", self._answering(self._counter)),
            Route("/sets/{tenant}/{name}/{member}", self._answering(self._member), methods=["PUT", "DELETE"]),
            Route("/sets/{tenant}/{name}", self._answering(self._set)),
            Route("/replication/operations", self._answering(self._operations)),
            Route("/replication", self._answering(self._status)),
            Route("/state", self._answering(self._state)),
            Route("/history", self._answering(self._history)),
            Route("/healthz", self._answering(self._healthz)),
            self._metrics(),
            Route("/admin/clock", self._answering(self._set_clock), methods=["POST"]),
            Route("/admin/replication", self._answering(self._pause), methods=["POST"]),
        ]
        return Starlette(routes=routes, lifespan=self._lifespan())

    def _lifespan(self) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            tasks = [asyncio.create_task(self.replica.run()), asyncio.create_task(self.replication.run())]
            for task in tasks:
                task.add_done_callback(_die_with)
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await self.replica.close()

        return lifespan

    def _metrics(self) -> Route:
        registry = CollectorRegistry()
        silent = Gauge(
            "replica_peer_silent_seconds",
            "For how long a peer has told nothing.",
            ("peer",),
            registry=registry,
        )

        def look() -> None:
            for region, silent_s in self.replication.silences():
                silent.labels(region).set(silent_s)

        return metrics.route(registry, look)

    def _answering(self, handler: Handler) -> Handler:
        """`handler` with what it raises turned into answers."""

        async def answer(request: Request) -> Response:
            try:
                response = await handler(request)
            except Refused as refused:
                response = refused.answer()
            except KeyReusedError as error:
                response = json_answer({"error": f"Idempotency-Key: {error}"}, 422)
            except (BusyError, StorageError, PausedError) as error:
                response = json_answer({"error": str(error)}, 503)
                response.headers["Retry-After"] = "1"
            response.headers["X-Region"] = self.replica.region
            return response

        return answer

    # settings, counters, sets

    async def _put(self, request: Request) -> Response:
        value = (await _body(request)).get("value")
        if not isinstance(value, str) or len(value) > _LONGEST_VALUE:
            raise Refused(422, f"value: a text of at most {_LONGEST_VALUE} characters is needed")
        return await self._write(request, Kind.PUT, value)

    async def _setting(self, request: Request) -> Response:
        held = self.replica.state.settings.get(_item(request))
        if held is None:
            raise Refused(404, "no such setting")
        stamp = [held.stamp.time_us, held.stamp.count]
        return self._read({"value": held.value, "key": held.key, "stamp": stamp, "origin": held.origin})

    async def _count(self, request: Request) -> Response:
        amount = (await _body(request)).get("add")
        if not isinstance(amount, int) or isinstance(amount, bool) or abs(amount) > _LARGEST_AMOUNT:
            raise Refused(422, f"add: a whole number, at most {_LARGEST_AMOUNT} either way, is needed")
        return await self._write(request, Kind.COUNT, amount)

    async def _counter(self, request: Request) -> Response:
        held = self.replica.state.counters.get(_item(request))
        return self._read({"value": held.value if held else 0})

    async def _member(self, request: Request) -> Response:
        member = _text(request.path_params["member"], "member")
        return await self._write(request, Kind.ADD if request.method == "PUT" else Kind.REMOVE, member)

    async def _set(self, request: Request) -> Response:
        held = self.replica.state.sets.get(_item(request))
        return self._read({"members": sorted(held.additions) if held else []})

    async def _write(self, request: Request, kind: Kind, value: str | int) -> Response:
        key = _text(request.headers.get("idempotency-key", ""), "Idempotency-Key")
        tenant, name = _item(request)
        done = await self.replica.carry_out(Intent(kind, tenant, name, value, key, _token(request)))
        stamp = done.operation.stamp
        answer = json_answer(
            {"key": key, "stamp": [stamp.time_us, stamp.count]}, 200 if done.repeated else 201
        )
        answer.headers["X-Causal-Token"] = str(stamp)
        return answer

    def _read(self, content: object) -> Response:
        answer = json_answer(content)
        answer.headers["X-Causal-Token"] = str(self.replica.frontier.clock)
        return answer

    # for checkers, peers and operators

    async def _state(self, _: Request) -> Response:
        content = self.replica.state.canonical()
        headers = {"X-State-Digest": digest(content)}
        return Response(content, media_type="application/json", headers=headers)

    async def _history(self, request: Request) -> Response:
        after, limit = _number(request, "after", 0), _number(request, "limit", _LARGEST_PAGE)
        page = await self.replica.read_log(self.log.page, after, min(max(limit, 1), _LARGEST_PAGE))
        following = page[-1][0] if page else None
        text = f'{{"next":{json.dumps(following)},"operations":[{",".join(text for _, text in page)}]}}'
        return Response(text, media_type="application/json")

    async def _operations(self, request: Request) -> Response:
        by = request.query_params.get("by", "")
        try:
            content = await self.replication.offer(by, _number(request, "after", 0))
        except KeyError as error:
            raise Refused(403, f"by: {by!r} is no peer of {self.replica.region}") from error
        return Response(content, media_type="application/json")

    async def _status(self, _: Request) -> Response:
        return json_answer(await self.replication.status())

    async def _healthz(self, _: Request) -> Response:
        return json_answer({"region": self.replica.region})

    async def _set_clock(self, request: Request) -> Response:
        self._require_operator(request)
        offset_s = (await _body(request)).get("offset_s")
        if not isinstance(offset_s, (int, float)) or not abs(offset_s) <= _FURTHEST_OFFSET_S:
            raise Refused(422, "offset_s: seconds, at most a day either way, are needed")
        self.replica.clock.offset_s = float(offset_s)
        _log.warning("the clock is now wrong by %+g s, as asked for", offset_s)
        return json_answer({"offset_s": self.replica.clock.offset_s})

    async def _pause(self, request: Request) -> Response:
        self._require_operator(request)
        paused = (await _body(request)).get("paused")
        if not isinstance(paused, bool):
            raise Refused(422, "paused: true or false is needed")
        self.replication.pause(paused)
        return json_answer({"paused": paused})

    def _require_operator(self, request: Request) -> None:
        host = request.client.host if request.client else ""
        if host not in self.operators and not (host and ip_address(host).is_loopback):
            raise Refused(403, "for this machine and its operators only")


def _die_with(task: asyncio.Task[None]) -> None:
    """A replica that has silently ceased to write or to replicate would be worse than none."""
    if not task.cancelled() and (error := task.exception()):
        _log.critical("ending because of an error of ours", exc_info=error)
        signal.raise_signal(signal.SIGTERM)


def _item(request: Request) -> tuple[str, str]:
    parameters: Mapping[str, str] = request.path_params
    return _text(parameters["tenant"], "tenant"), _text(parameters["name"], "name")


def _text(text: str, what: str) -> str:
    if not 0 < len(text) <= _LONGEST_TEXT:
        raise Refused(400, f"{what}: 1 to {_LONGEST_TEXT} characters are needed")
    return text


def _token(request: Request) -> Stamp | None:
    text = request.headers.get("x-causal-token")
    try:
        return None if text is None else Stamp.parse(text)
    except ValueError as error:
        raise Refused(400, f"X-Causal-Token: {error}") from error


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Refused(400, f"{name}: a number is needed")
    return int(text)


async def _body(request: Request) -> dict[str, Any]:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > _LARGEST_BODY:
            raise Refused(413, f"the body is larger than {_LARGEST_BODY} bytes")
    try:
        body = json.loads(content)
    except ValueError as error:
        raise Refused(400, "the body is not JSON") from error
    if not isinstance(body, dict):
        raise Refused(400, "the body is not a JSON object")
    return body
