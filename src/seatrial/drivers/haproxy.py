"""An HAProxy: {driver: haproxy, socket: run/haproxy.sock, map: active.map}."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from seatrial.drivers.binding import Binding
from seatrial.model.strict import as_tuple


class HaproxyBinding(Binding):
    """Its stats socket, the backends that are its own, and the map whose `key` names the live release."""

    driver: ClassVar[str] = "haproxy"

    socket: str
    map: str = ""  # as HAProxy's configuration names it
    map_file: str | None = None
    key: str = "active"
    backends: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = ("blue", "green")
