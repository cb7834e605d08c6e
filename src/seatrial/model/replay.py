"""The arrivals of an access log, as a load that is offered again.

The text below each key is what `seatrial explain` and editors say of it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from seatrial.model.problems import nearest
from seatrial.model.strict import Strict, as_tuple, counted_in

SAFE = ("GET", "HEAD", "OPTIONS")
_KNOWN = (*SAFE, "POST", "PUT", "PATCH", "DELETE")

Factor = Annotated[float, Field(gt=0, le=1000)]


class Replay(Strict):
    """The requests of an access log of HAProxy, nginx or Apache, each due when it came then.

        replay: access.log
        replay: {log: access.log, speed: 2, times: 1.5, methods: [GET, HEAD, POST]}

    The scenario finds each in `self.row`, with the columns `method`, `path`, `name` and `status`;
    `loadtests/replay.py` sends it. The beginning of the log is the warm-up. Hosts are never taken from the
    log: everything goes to the target, and to nobody that it does not allow. Bodies and headers are not in
    such a log, so nothing of them is sent.
    """

    log: str = Field(examples=["access.log"])
    """The file, compressed or not; a path from the working directory, or from the experiment's own."""
    format: str = "auto"
    """What it is: `haproxy`, or `access` for nginx and Apache; `auto` finds out."""
    log_format: str = Field(default="", examples=['$remote_addr [$time_local] "$request" $status'])
    """How its lines are made up, as nginx's `log_format` or Apache's `LogFormat` says it; left out, the
    combined or common format."""
    speed: Annotated[Factor, counted_in("times as fast")] = 1.0
    """How many times as fast time goes by: with 2, an hour of the log takes half an hour."""
    times: Annotated[Factor, counted_in("requests for each")] = 1.0
    """How many requests are sent for each of the log: with 3 each comes three times, with 0.5 every second
    one comes."""
    methods: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(default=SAFE, min_length=1)
    """Which are sent; the others are left out, and counted. By default those that change nothing."""

    @field_validator("methods")
    @classmethod
    def _known(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        for method in methods:
            if method not in _KNOWN:
                raise ValueError(f"'{method}' is no method that is sent{nearest(method, _KNOWN)}")
        return methods


def _by_its_log(value: object) -> object:
    """`access.log` is short for a log that is replayed as it was."""
    return {"log": value} if isinstance(value, str) else value


LogOfArrivals = Annotated[Replay, BeforeValidator(_by_its_log, json_schema_input_type=str | Replay)]
