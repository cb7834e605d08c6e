"""Tenants that have a schema each in one PostgreSQL database, and the ways in which one might get at another.

    tenants:
      driver: tenants
      url: postgresql://owner:${OWNER_PASSWORD}@127.0.0.1:5432/shop
      discover: SELECT tenant, schema FROM control.tenants ORDER BY tenant
      login: postgresql://{tenant}:${TENANT_PASSWORD}@127.0.0.1:5432/shop     (for the check tenant-isolation)
      service:
        url: http://127.0.0.1:9000
        thing: SELECT key FROM {schema}.orders LIMIT 1
        read: /orders/{thing}

`{tenant}` and `{schema}` are filled in for each tenant. How it is asked stands in `tenant_database.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from seatrial.drivers.binding import Binding, WebAddress, beginning_with
from seatrial.model.problems import Path
from seatrial.model.quantities import Duration
from seatrial.model.strict import about

DatabaseAddress = Annotated[str, beginning_with("postgresql", "postgres")]

_PLACE = re.compile(r"\{([a-z_]+)\}")


def _of_each_tenant(text: str) -> str:
    if "{tenant}" not in text and "{schema}" not in text:
        raise ValueError("needs {tenant} or {schema}, or every tenant would be the same one")
    return text


PerTenant = Annotated[str, AfterValidator(_of_each_tenant)]


def filled(text: str, **values: str) -> str:
    """`text` with `{tenant}`, `{schema}` … filled in; other braces, as JSON has them, stay."""
    return _PLACE.sub(lambda match: values.get(match[1], match[0]), text)


class TenantService(BaseModel):
    """How the service is asked in the name of a tenant, for something that is another's.

    In its texts `{tenant}` and `{schema}` are who asks, `{other}` and `{other_schema}` whose it is, `{thing}`
    what, and `{id}` an identifier that nobody has used.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: WebAddress = Field(examples=["http://127.0.0.1:9000"])
    """Its address."""
    headers: dict[str, str] = Field(
        default_factory=lambda: {"X-Tenant": "{tenant}"}, examples=[{"X-Tenant": "{tenant}"}]
    )
    """Headers of every request, which say in whose name it comes."""
    thing: PerTenant = Field(examples=["SELECT key FROM {schema}.orders LIMIT 1"])
    """The query, in its owner's schema, for the identifier of something that only its tenant may see."""
    read: str = Field(examples=["/orders/{thing}"])
    """The path under which its owner gets it, and nobody else may."""
    write: str = Field(default="", examples=["/orders"])
    """The path that is written to with POST, in the name of one tenant and for another; left out, none is."""
    write_headers: dict[str, str] = Field(default_factory=dict, examples=[{"Idempotency-Key": "{id}"}])
    """Headers of the write besides."""
    body: str = Field(default="{}", examples=['{"sku": "sku-001", "quantity": 1, "tenant": "{other}"}'])
    """What is written, which claims to be the other tenant's."""
    landed: str = Field(
        default="", examples=["SELECT count(*) FROM {other_schema}.orders WHERE key = '{id}'"]
    )
    """The query for how many rows the write has left with the other tenant; needed with `write`."""

    @model_validator(mode="after")
    def _whole(self) -> TenantService:
        if self.write and not self.landed:
            raise about("landed", "is missing, and without it nobody knows where a write has landed")
        return self


class TenantsBinding(Binding):
    """Tenants with a schema each, in one PostgreSQL database."""

    driver: ClassVar[str] = "tenants"

    url: DatabaseAddress = Field(examples=["postgresql://owner:${OWNER_PASSWORD}@127.0.0.1:5432/shop"])
    """The database's address, as somebody who may migrate every schema."""
    discover: str = Field(examples=["SELECT tenant, schema FROM control.tenants ORDER BY tenant"])
    """The query that lists them: the tenant, and its schema, which is called like the tenant if left out."""
    login: Annotated[str, AfterValidator(lambda url: url and _of_each_tenant(url))] = Field(
        default="", examples=["postgresql://{tenant}:${TENANT_PASSWORD}@127.0.0.1:5432/shop"]
    )
    """The database's address as one of the tenants, for attempts by SQL; left out, none are made."""
    column: str = Field(default="", examples=["tenant"])
    """The column of every table that names the tenant; with it, rows are forged too."""
    service: TenantService | None = None
    """How the service is asked, for attempts through it; left out, none are made."""
    within: Duration = Duration(10.0)
    """Each answer must come within that time."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url
        if self.login:
            yield ("login",), filled(self.login, tenant="tenant", schema="schema")
        if self.service:
            yield ("service", "url"), self.service.url
