"""What a scenario may set on its client, for all of the client's requests: as on a session of requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from seatrial.load.call import authority, locate
from seatrial.load.connection import Pools
from seatrial.load.cookies import CookieJar
from seatrial.load.dial import DEFAULT_TLS, Tls
from seatrial.load.not_offered import NotOffered, say_unused
from seatrial.load.session_headers import SessionHeaders

_DEFAULT_HEADERS = {"User-Agent": "seatrial", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What a user class says about its client."""

    host: str
    tls: Tls = DEFAULT_TLS
    headers: Mapping[str, Any] | None = None
    max_redirects: int = 30
    timeout_s: float | None = None


class ClientState:
    """The part of a client that lasts from one request to the next."""

    def __init__(self, settings: ClientSettings, pools: Pools) -> None:
        self._pools = pools
        self._tls = settings.tls
        self._pool = pools.of(settings.tls)
        self._timeout_s = settings.timeout_s
        self._headers = SessionHeaders(_DEFAULT_HEADERS)
        self.base_url = settings.host
        self._headers.update(settings.headers or {})
        self.cookies = CookieJar()
        self.params: Any = None  # for every request, as headers and auth are
        self.auth: Any = None
        self.request_name: str | None = None
        self.max_redirects = settings.max_redirects
        self.trust_env = False  # Locust sets it; proxies and passwords of the environment are never used here

    @property
    def base_url(self) -> str:
        """What paths are put behind."""
        return self._base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self._base_url = url.rstrip("/")
        self._origin, self._prefix, self._credentials = locate(self._base_url)
        self._headers["Host"] = authority(self._origin)
        if self._credentials:
            self._headers["Authorization"] = f"Basic {self._credentials}"

    @property
    def headers(self) -> SessionHeaders:
        """Sent with every request, unless it has the same of its own."""
        return self._headers

    @headers.setter
    def headers(self, headers: Mapping[str, Any]) -> None:
        self._headers = SessionHeaders({"Host": authority(self._origin), **headers})

    @property
    def verify(self) -> bool | str:
        """Whether certificates are checked: by the system's authorities, by those in a file, or not."""
        return self._tls.verify

    @verify.setter
    def verify(self, verify: bool | str) -> None:
        self._secure(self._tls._replace(verify=verify))

    @property
    def cert(self) -> str | tuple[str, str] | None:
        """The client's own certificate: a file, or those of certificate and key."""
        return self._tls.cert

    @cert.setter
    def cert(self, cert: str | tuple[str, str] | None) -> None:
        self._secure(self._tls._replace(cert=cert))

    @property
    def proxies(self) -> dict[str, str]:
        """None."""
        return {}

    @proxies.setter
    def proxies(self, proxies: Mapping[str, str] | None) -> None:
        if proxies:
            raise NotOffered("proxies=")

    def _secure(self, tls: Tls) -> None:
        self._tls, self._pool = tls, self._pools.of(tls)

    @contextmanager
    def rename_request(self, name: str) -> Iterator[None]:
        """Put requests within a with-block on record under `name`."""
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None

    def mount(self, prefix: str, adapter: object) -> None:  # noqa: ARG002  # what requests' takes
        """Accepted; a pool of connections or retries of a scenario's own would change what is measured."""
        say_unused("client.mount", "connections are the load's own, and nothing is ever sent twice")

    def close(self) -> None:
        """Accepted; connections are the load's own, and shared."""
