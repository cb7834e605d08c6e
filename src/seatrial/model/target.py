"""A system under test: how to reach it, and which driver each of its roles is bound to."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from seatrial.model.experiment import Name
from seatrial.model.quantities import Duration
from seatrial.model.strict import Strict, about, as_tuple

LOOPBACK = ("127.0.0.0/8", "::1/128", "localhost")

# Variables tell a scenario of its target. None may change the load generator itself.
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_RESERVED = re.compile(r"PATH|HOME|(PYTHON|LD_|DYLD_|LOCUST_|SEATRIAL_).*|.*_PROXY")
_ROLE = re.compile(r"(?=.{1,80}$)[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*", re.ASCII)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s,;\"']+")
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class RoleBinding(Strict):
    """A role's driver. The driver's own parameters stand beside it and are validated by the driver."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    driver: str
    lacking: str = ""  # why it cannot be used here, and the way out; what needs it is then not run

    @property
    def parameters(self) -> dict[str, Any]:
        """The driver's own."""
        return dict(self.__pydantic_extra__ or {})


class Target(Strict):
    """One file in `chaos/targets/`."""

    target: Name
    base_url: str
    environment: Literal["local", "staging", "production"] = "local"
    allow: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = LOOPBACK
    ready: str = "/"  # a path that answers 2xx or 3xx when the target is in service
    ready_within: Duration = Duration(10.0)
    variables: dict[str, str] = Field(default_factory=dict)  # what scenarios find in their environment
    roles: dict[str, RoleBinding] = Field(default_factory=dict)

    @field_validator("variables")
    @classmethod
    def _nameable(cls, variables: dict[str, str]) -> dict[str, str]:
        for name in variables:
            if not _VARIABLE.fullmatch(name):
                raise ValueError(f"'{name}' is not a name like API_TOKEN: capitals, digits and underscores")
            if _RESERVED.fullmatch(name):
                raise ValueError(f"'{name}' would change the load generator itself; choose another name")
        return variables

    @field_validator("roles")
    @classmethod
    def _named(cls, roles: dict[str, RoleBinding]) -> dict[str, RoleBinding]:
        for name in roles:
            if not _ROLE.fullmatch(name):  # evidence about a role goes into files of its name
                raise about(
                    name, "a role's name is made of letters, digits and - _ . between them, 80 at most"
                )
        return roles

    @model_validator(mode="after")
    def _consistent(self) -> Target:
        try:
            url = urlsplit(self.base_url)
            _ = url.port if "${" not in url.netloc else None  # which raises for what is no port
        except ValueError as error:
            raise about("base_url", f"'{self.base_url}' is not an address: {error}") from error
        if url.scheme not in ("http", "https") or not url.hostname:
            raise about("base_url", f"'{self.base_url}' is not an http:// or https:// address")
        if not self.allows(url.hostname):
            told = f"the host {url.hostname} is not in allow: [{', '.join(self.allow)}]"
            raise about("base_url", told)
        return self

    def allows(self, host: str) -> bool:
        """Whether load and faults may touch `host`: named, or an address in an allowed network."""
        if host in self.allow:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False  # a name must be allowed by name: what it resolves to may change under us
        return any(address in network for network in _networks(self.allow))


def hosts_in(text: str) -> list[str]:
    """The hosts of all URLs in `text`; "" for one that cannot be made out."""
    return [_host(url) for url in _URL.findall(text)]


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _networks(allow: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    networks = []
    for entry in allow:
        try:
            networks.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            continue  # a host name
    return networks


def references(value: Any) -> set[str]:
    """Names of the environment variables that `${NAME}` references anywhere in `value` need."""
    if isinstance(value, str):
        return set(_REFERENCE.findall(value))
    children = (
        value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    )
    return set().union(*(references(child) for child in children))


def substitute(value: Any, environment: dict[str, str]) -> Any:
    """`value` with each `${NAME}` replaced. Secrets enter here only: what is recorded is `value`."""
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: environment[match[1]], value)
    if isinstance(value, dict):
        return {key: substitute(child, environment) for key, child in value.items()}
    if isinstance(value, list):
        return [substitute(child, environment) for child in value]
    return value
