"""A Dockerfile as a list of commands, by BuildKit's own parser, in the shape that conftest gives it.

    [{"Cmd": "run", "SubCmd": "", "JSON": false, "Flags": [], "Value": ["apk add …"], "Stage": 0, …}, …]

`Stage` counts from 0, and `StartLine` is ours. The whole list is one `input`.
"""

from __future__ import annotations

import re
from typing import Any

from seatrial.policy.readers.part import NotReadable, Part

_LINE = re.compile(r" on line (\d+)")


def read(text: str) -> list[Part]:
    """The one list. Raises NotReadable."""
    import dockerfile  # noqa: PLC0415  # of the extra `policy`

    try:
        commands = dockerfile.parse_string(text)
    except dockerfile.GoParseError as error:
        place = _LINE.search(str(error))
        raise NotReadable(f"not a Dockerfile: {error}", int(place[1]) if place else 1) from error
    stage, found = -1, []
    for each in commands:
        stage += each.cmd.lower() == "from"
        found.append(_command(each, max(stage, 0)))
    return [Part(found)]


def _command(each: Any, stage: int) -> dict[str, Any]:
    return {
        "Cmd": each.cmd.lower(),
        "SubCmd": (each.sub_cmd or "").lower(),
        "JSON": each.json,
        "Flags": list(each.flags),
        "Value": [*each.value, *(doc.content for doc in each.heredocs)],
        "Stage": stage,
        "StartLine": each.start_line,
    }
