"""What is known of the service that files are written for: from options, an OpenAPI file, and by asking it.

Whoever names a host has it asked, at once and once each, by GET, on the few paths that usually tell whether a
service is well: a trial that waits for a path which is not there would end before it began.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from seatrial.drivers import httpclient
from seatrial.model.allow import AllowList
from seatrial.model.problems import BadInput, SeatrialError
from seatrial.scaffold.described import Description, SafeOperation

EXAMPLE = "http://127.0.0.1:8000"
_HEALTH = ("/healthz", "/readyz", "/health", "/ready", "/")
_ANSWER_WITHIN_S = 2.0

_ADDRESS = re.compile(r"[A-Za-z0-9.:/@_~%\[\]-]+", re.ASCII)

Ask = Callable[[str], bool]
"""Whether an address answers a GET with a status below 400."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service as far as it is known."""

    base_url: str
    ready: str
    operations: tuple[SafeOperation, ...]
    left_out: tuple[str, ...] = ()
    token_header: str = ""
    token_form: str = ""
    locustfile: str = ""  # from where the experiments stand; "" when a scenario is to be written
    answers: bool | None = None  # whether it did when it was asked; None: it was not

    @property
    def host(self) -> str:
        """The host that may be touched."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def name(self) -> str:
        """What the target and its reports call it."""
        words = re.sub(r"[^a-z0-9]+", "-", self.host.lower()).strip("-")
        return "my-service" if self.is_local else words[:80].strip("-")


def service_of(
    host: str, description: Description | None = None, locustfile: str = "", ask: Ask | None = None
) -> Service:
    """What is known of the service at `host`, or of the one described. Raises BadInput for no address.

    `ask` is how a named host is asked.
    """
    known = description or Description("", (), ())
    base_url = _address(host or known.server or EXAMPLE)
    health = [path for path in _HEALTH if path in {each.url for each in known.operations}]
    answering = _answering(base_url, [*health, *_HEALTH], ask or _answers) if host else None
    ready = answering or (health[0] if health else known.operations[0].url if known.operations else "/")
    page = "/" if not answering or (ask or _answers)(f"{base_url}/") else ready
    return Service(
        base_url,
        ready,
        known.operations or (SafeOperation("page", page, page),),
        known.left_out,
        known.token_header,
        known.token_form,
        locustfile,
        answers=bool(answering) if host else None,
    )


def _answering(base_url: str, paths: list[str], ask: Ask) -> str:
    """The first path that is answered well; "" when none is."""
    return next((path for path in paths if ask(f"{base_url}{path}")), "")


def _answers(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return not httpclient.ask(AllowList.of((host,)), "the service", "GET", url, _ANSWER_WITHIN_S).is_error
    except SeatrialError:
        return False


def _address(text: str) -> str:
    """The address without its path's end. Raises BadInput for what load cannot be sent to."""
    try:
        url = urlsplit(text)
        _ = url.port  # which raises for what is no port
    except ValueError as error:
        raise BadInput(f"--host: '{text}' is not an address: {error}") from error
    if url.scheme not in ("http", "https") or not url.hostname:
        raise BadInput(f"--host: '{text}' is not an http:// or https:// address")
    if not _ADDRESS.fullmatch(text):
        raise BadInput(f"--host: '{text}' has signs in it that no address of a service has")
    if url.username or url.password:
        raise BadInput("--host: leave user and password out of it; a target takes them as ${NAME}")
    return f"{url.scheme}://{url.netloc}{url.path}".rstrip("/")
