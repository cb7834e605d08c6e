"""What the testbed's own services have in common: how they are served, and how they refuse."""

from __future__ import annotations

import json

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response

# Longer than HAProxy keeps idle connections to a server (5 s): otherwise it may send a request on one that is
# just being closed here, and a request fails that nobody broke.
_KEEP_ALIVE_S = 75


class Refused(Exception):  # noqa: N818  # what a client did, not an error of ours
    """The request cannot be served as it is: a status and what is wrong."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def answer(self) -> Response:
        """What the client is told."""
        return json_answer({"error": str(self)}, self.status)


def json_answer(value: object, status: int = 200) -> Response:
    """`value` as a JSON answer."""
    return Response(encode(value), status, media_type="application/json")


def encode(value: object) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":")).encode()


def server(application: Starlette, host: str, port: int) -> uvicorn.Server:
    """A server that serves until SIGTERM: `run()` it, or await `serve()` in a loop that is there already."""
    return uvicorn.Server(
        uvicorn.Config(
            application,
            host=host,
            port=port,
            http="httptools",
            loop="asyncio",
            access_log=False,
            log_level="warning",
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=3,
            backlog=4096,
        )
    )
