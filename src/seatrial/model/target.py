"""A system under test: how to reach it, and which driver each of its roles is bound to."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ConfigDict, Field, field_validator, model_validator

from seatrial.model.allow import LOOPBACK, AllowList, wrong_with
from seatrial.model.experiment import Name
from seatrial.model.mistakes import Mistake
from seatrial.model.pricing import Pricing
from seatrial.model.quantities import Duration
from seatrial.model.strict import Strict, about, as_tuple
from seatrial.model.version import HowToldVersion

# Variables tell a scenario of its target. None may change the load generator itself.
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_RESERVED = re.compile(r"PATH|HOME|(PYTHON|LD_|DYLD_|LOCUST_|SEATRIAL_).*|.*_PROXY")
_ROLE = re.compile(r"(?=.{1,80}$)[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*", re.ASCII)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s,;\"']+")


class RoleBinding(Strict):
    """A role's driver. The driver's own parameters stand beside it and are validated by the driver."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    driver: str = Field(examples=["postgres"])
    """How it is reached; `seatrial explain driver` lists the drivers, and the keys of each."""
    lacking: str = Field(default="", examples=["needs root: sudo seatrial testbed up"])
    """Why it cannot be used here, and the way out; what needs it is then not run, and unknown."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The driver's own."""
        return dict(self.__pydantic_extra__ or {})


class Target(Strict):
    """One file in `chaos/targets/`: a system under test.

        target: my-shop
        environment: staging
        base_url: http://127.0.0.1:9000
        allow: [127.0.0.1]
        ready: /healthz

    `${NAME}` anywhere in it is filled in from your environment at the moment of use, and is recorded nowhere.
    """

    target: Name = Field(examples=["my-shop"])
    """Its name, under which runs are recorded and incidents told."""
    base_url: str = Field(examples=["http://127.0.0.1:9000"])
    """Where load goes: an http:// or https:// address whose host is in `allow`."""
    environment: Literal["local", "staging", "production"] = "local"
    """What it is; a production target is touched only when it is named: --confirm NAME."""
    allow: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        default=LOOPBACK, examples=[["shop.staging.example", "10.1.0.0/24"]]
    )
    """Hosts, addresses and networks that load and faults may touch; anything else is refused."""
    ready: str = Field(default="/", examples=["/healthz"])
    """A path that answers 2xx or 3xx when the target is in service."""
    ready_within: Duration = Duration(10.0)
    """How long is waited for that before a run."""
    version: HowToldVersion | None = None
    """How it tells its version, which is recorded with each run: a path, a header, or a command."""
    cost: Pricing | None = None
    """What it costs: prices, and how it tells what is used; runs then tell what they cost."""
    variables: dict[str, str] = Field(default_factory=dict, examples=[{"API_TOKEN": "${TOKEN}"}])
    """Environment variables for the scenario alone; URLs in them must be in `allow`."""
    roles: dict[str, RoleBinding] = Field(
        default_factory=dict, examples=[{"worker": {"driver": "process", "pidfile": "run/worker.pid"}}]
    )
    """Its parts that experiments act on or ask, each by its name, and how it is reached."""

    @field_validator("allow")
    @classmethod
    def _readable(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        for entry in allow:
            if wrong := wrong_with(entry):
                raise ValueError(wrong)
        return allow

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
        if not self.allow_list.may_allow(url.hostname):
            raise about(
                "base_url",
                Mistake.NOT_ALLOWED(host=f"the host {url.hostname}", allow=self.allow_list, then=""),
            )
        return self

    @property
    def allow_list(self) -> AllowList:
        """What `allow` says: the hosts that load, faults, probes and look-ups may touch."""
        return AllowList.of(self.allow)

    def allows(self, host: str) -> bool:
        """Whether `host` is allowed as it is written; a name that is not listed may be by its address."""
        return self.allow_list.allows(host)


def hosts_in(text: str) -> list[str]:
    """The hosts of all URLs in `text`; "" for one that cannot be made out."""
    return [_host(url) for url in _URL.findall(text)]


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
