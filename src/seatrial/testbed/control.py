"""Ask the supervisor to do something to a part."""

from __future__ import annotations

import json
import socket

from seatrial.model.problems import Unavailable
from seatrial.testbed.places import Places

_ANSWER_WITHIN_S = 90.0


def ask(places: Places, operation: str, part: str) -> str:
    """Have `operation` (start, stop, restart, kill, pause, resume) done to `part`; what the supervisor says.

    Returns when it is done: a started part is ready, a stopped one has no process left.
    Raises Unavailable when there is no testbed, no such part, or it could not be done.
    """
    try:
        answer = _exchange(places, json.dumps({"do": operation, "part": part}))
    except (FileNotFoundError, ConnectionError) as error:
        raise Unavailable("testbed: it is not up; start it with `seatrial testbed up`") from error
    except TimeoutError as error:
        raise Unavailable(f"testbed: no answer within {_ANSWER_WITHIN_S:g} s; see supervisor.log") from error
    if "error" in answer:
        raise Unavailable(answer["error"])
    return answer["message"]


def _exchange(places: Places, request: str) -> dict[str, str]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_ANSWER_WITHIN_S)
        connection.connect(str(places.control))
        connection.sendall(request.encode() + b"\n")
        with connection.makefile() as lines:
            answer: dict[str, str] = json.loads(
                lines.readline() or '{"error": "testbed: the supervisor died"}'
            )
            return answer
