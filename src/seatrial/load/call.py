"""A request in the words of HTTP, before it is bytes: whom it is for, and what it says."""

from __future__ import annotations

import base64
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from requests.auth import HTTPBasicAuth

from seatrial.load.dial import Origin
from seatrial.load.not_offered import NotOffered
from seatrial.load.wire import HeaderList

REDIRECTING = frozenset((301, 302, 303, 307, 308))
_IN_A_PATH = "/?#[]@!$&'()*+,;=:%-._~"  # what RFC 3986 allows besides letters and digits
_PLAIN = re.compile(r"[!-~]+")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `url` is for people and for resolving redirects."""

    method: str
    url: str
    origin: Origin
    target: str
    headers: dict[str, str]
    body: bytes | None

    @property
    def path_url(self) -> str:
        """The path with its query, by requests' name for it."""
        return self.target


def locate(url: str) -> tuple[Origin, str, str]:
    """The origin, the path with its query, and the credentials (base64) of an absolute address."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise ValueError(f"'{url}' is not an http:// or https:// address") from error
    if not parts.hostname:
        raise ValueError(f"'{url}' is not an http:// or https:// address")
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    credentials = base64.b64encode(login.encode()).decode() if parts.username else ""
    return Origin(parts.scheme, parts.hostname, port), target, credentials


def authority(origin: Origin) -> str:
    """The Host header for `origin`."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return host if _PORTS[origin.scheme] == origin.port else f"{host}:{origin.port}"


def redirected(call: Call, status: int, headers: HeaderList) -> Call | None:
    """The request that a redirect asks for; None when it leads nowhere or to another host.

    A test may touch only the hosts that it was pointed at, so an answer that sends the user elsewhere is the
    end of the request.
    """
    location = next((value for name, value in headers if name.lower() == b"location"), None)
    if location is None:
        return None
    try:
        url = urljoin(call.url, location.decode("latin-1"))
        origin, target, _ = locate(url)
    except ValueError:
        return None
    if origin.host != call.origin.host:
        return None
    sent = call.headers | {"Host": authority(origin)}
    if status in (307, 308) or (call.method == "HEAD" or (status != 303 and call.method != "POST")):
        return Call(call.method, url, origin, quoted(target), sent, call.body)
    return Call("GET", url, origin, quoted(target), without(sent, ("content-type",)), None)


def is_agreed(call: Call, headers: HeaderList) -> bool:
    """Whether an answer that switches protocols switches to one that was asked for (RFC 9110, 7.8)."""
    asked = (value for name, value in call.headers.items() if name.lower() == "upgrade")
    told = (value.decode("latin-1") for name, value in headers if name.lower() == b"upgrade")
    names = _protocols(told)
    return bool(names) and names <= _protocols(asked)


def _protocols(values: Iterable[str]) -> set[str]:
    return {name.strip().lower() for name in ",".join(values).split(",")} - {""}


def merged(base: dict[str, str], given: Mapping[str, Any] | None, content_type: str) -> dict[str, str]:
    """`base`, and `given` over it whatever the case of the names; None takes a header away."""
    if content_type:
        base = base | {"Content-Type": content_type}
    if not given:
        return base
    kept = without(base, {name.lower() for name in given})
    for name, value in given.items():
        if value is not None:
            kept[name] = value.decode("latin-1") if isinstance(value, bytes) else value
    return kept


def without(headers: dict[str, str], names: Container[str]) -> dict[str, str]:
    """`headers` but for those of `names`, which are in lower case."""
    return {name: value for name, value in headers.items() if name.lower() not in names}


def quoted(target: str) -> str:
    """`target` as it may stand in a request line: percent-encoded where it has to be."""
    target = target.partition("#")[0] or "/"
    if not target.startswith("/"):
        target = "/" + target
    return target if _PLAIN.fullmatch(target) else quote(target, safe=_IN_A_PATH)


def authorized(call: Call, auth: Any) -> Call:
    """`call` with the credentials of `auth`: a pair, HTTPBasicAuth, or a callable that sets headers.

    Such a callable is given the request and gives it back, as requests' own; one that wants to answer a
    refusal with a second request is refused, because a request is one row and one exchange here.
    """
    if isinstance(auth, HTTPBasicAuth):
        auth = (auth.username, auth.password)
    if isinstance(auth, tuple | list) and len(auth) == 2:
        user, password = (each if isinstance(each, bytes) else str(each).encode("latin-1") for each in auth)
        value = f"Basic {base64.b64encode(user + b':' + password).decode()}"
        return replace(call, headers=merged(call.headers, {"Authorization": value}, ""))
    if not callable(auth):
        raise NotOffered("auth=")
    draft = SimpleNamespace(
        method=call.method, url=call.url, headers=dict(call.headers), body=call.body, register_hook=_refuse
    )
    signed = auth(draft) or draft
    return replace(call, headers=merged({}, signed.headers, ""), body=signed.body)


def _refuse(*_: Any, **__: Any) -> None:
    raise NotOffered("auth=")
