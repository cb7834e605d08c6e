"""How every route answers: as JSON, naming who gave the answer, with refusals and outages told in words.

How long each took is told to whoever scrapes the app.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from seatrial.testbed.app.connections import DatabaseAwayError
from seatrial.testbed.app.metrics import REQUEST_SECONDS
from seatrial.testbed.app.settings import Identity
from seatrial.testbed.serving import Refused, json_answer

Handler = Callable[[Request], Awaitable[Response]]


def answering(identity: Identity, handler: Handler) -> Handler:
    """`handler` with its refusals turned into answers and everybody's headers added."""
    headers = {"X-Release": identity.release, "X-Region": identity.region}

    async def respond(request: Request) -> Response:
        began_s = time.monotonic()
        try:
            response = await handler(request)
        except Refused as refused:
            response = refused.answer()
        except DatabaseAwayError as away:
            response = json_answer({"error": f"the database is away: {away}"}, 503)
        if response.status_code == 503:
            response.headers["Retry-After"] = "1"
        response.headers.update(headers)
        code = f"{response.status_code // 100}xx"
        REQUEST_SECONDS.labels(code).observe(time.monotonic() - began_s)
        return response

    return respond
