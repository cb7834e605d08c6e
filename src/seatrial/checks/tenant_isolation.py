"""No tenant gets at another's data: every table is fenced, and those who tried have failed.

    tenant-isolation
    tenant-isolation: {through: [sql], except: [schema_migrations, spatial_ref_sys]}

Fenced means: row-level security is enabled, forced upon the table's owner too, and a policy is there. Beside
that each tenant tries, by SQL and through the service, to read and to write what is another's (see
`seatrial.lookups.tenant_isolation`). Attempts and leaks are counted. Where none was made, or how one ended is
not known, nothing passes; nor does it where the tables that SQL was tried on had no row to read. Form of the
recording (JSON):

    {"tenants": [name, …], "ways": ["sql", "service"],
     "tables": [{"tenant", "schema", "table", "enabled", "forced", "policies"}, …],
     "attempts": [{"via", "kind", "by", "of", "what", "said",
                   "outcome": "refused" | "hidden" | "leaked" | "undecided"}, …]}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from seatrial.checks.protocol import History, RecordingCheck
from seatrial.checks.tenants import named
from seatrial.model.result import CheckResult
from seatrial.model.strict import as_tuple
from seatrial.model.verdict import Verdict

Way = Literal["sql", "service"]

_OF_TOOLS = ("alembic_version", "flyway_schema_history", "schema_migrations")


class TenantIsolation(RecordingCheck):
    """Fences, and attempts to get past them."""

    name: ClassVar[str] = "tenant-isolation"
    recorder: ClassVar[str] = "tenant-isolation"

    role: str = Field(default="tenants", examples=["tenants"])
    """The role through which tenants are found, and in whose ways it is tried."""
    through: Annotated[tuple[Way, ...], BeforeValidator(as_tuple), Field(min_length=1)] = ("service", "sql")
    """The ways in which it must have been tried."""
    except_: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        default=_OF_TOOLS, alias="except", examples=[["schema_migrations"]]
    )
    """Tables that hold nothing of a tenant's, and need no fence: by default those of migration tools."""

    def judge(self, history: History) -> CheckResult:
        recorded = self.recorded(history, bytes)
        if isinstance(recorded, CheckResult):
            return recorded
        try:
            plain = json.loads(recorded)
            return self._judged(plain["tenants"], plain["tables"], plain["attempts"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return self.found(Verdict.UNKNOWN, f"what was recorded cannot be read: {error!r}")

    def _judged(
        self,
        tenants: Sequence[str],
        tables: Sequence[Mapping[str, Any]],
        attempts: Sequence[Mapping[str, Any]],
    ) -> CheckResult:
        fenced = [each for each in tables if each["table"] not in self.except_]
        open_ = [f"{each['schema']}.{each['table']} ({lack})" for each in fenced if (lack := _lack(each))]
        leaks = [each for each in attempts if each["outcome"] == "leaked"]
        undecided = [each for each in attempts if each["outcome"] == "undecided"]
        decided = {
            way: sum(
                each["via"] == way and each["outcome"] != "undecided" and each["kind"] != "bypass"
                for each in attempts
            )
            for way in ("service", "sql")
        }
        figures = {
            "tenants": len(tenants),
            "tables": len(fenced),
            "tables_open": len(open_),
            "attempts_service": decided["service"],
            "attempts_sql": decided["sql"],
            "leaks": len(leaks),
            "undecided": len(undecided),
        }
        said = (
            f"{len(fenced):,} tables of {len(tenants):,} tenants; {decided['service']:,} attempts through the"
            f" service and {decided['sql']:,} by SQL, {len(leaks):,} leaks"
        )
        wrong = [
            f"{len(found):,} {what}: {named(found)}"
            for what, found in (("not fenced", open_), ("got through", [_told(each) for each in leaks]))
            if found
        ]
        if wrong:
            return self.found(Verdict.FAIL, f"{said}; {'; '.join(wrong)}", **figures)
        read = any(
            each["via"] == "sql" and each["kind"] == "read" and each["outcome"] != "undecided"
            for each in attempts
        )
        doubt = self._doubt(tenants, fenced, decided, undecided, read=read)
        if doubt:
            return self.found(Verdict.UNKNOWN, f"{said}; {doubt}", **figures)
        return self.found(Verdict.PASS, said, **figures)

    def _doubt(
        self,
        tenants: Sequence[str],
        fenced: Sequence[Mapping[str, Any]],
        decided: Mapping[str, int],
        undecided: Sequence[Mapping[str, Any]],
        *,
        read: bool,
    ) -> str:
        """Why that does not show that they are isolated; empty when it does."""
        if len(tenants) < 2:
            return "with fewer than two tenants nobody can get at another"
        if not fenced:
            return "no table was found"
        if undecided:
            return (
                f"of {len(undecided):,} attempts nobody knows how they ended: {named(map(_told, undecided))}"
            )
        for way, key in (("service", "service"), ("sql", "login")):
            if way in self.through and not decided[way]:
                return f"nothing was tried by {way}: say how in the target, roles.{self.role}.{key}"
        if "sql" in self.through and not read:
            return f"nothing was read by sql: no table has rows that roles.{self.role}.url sees"
        return ""


def _lack(table: Mapping[str, Any]) -> str:
    """What its fence lacks; empty when nothing."""
    lacks = {
        "row-level security is off": not table["enabled"],
        "not forced": not table["forced"],
        "no policy": not table["policies"],
    }
    return ", ".join(lack for lack, is_so in lacks.items() if is_so)


def _told(attempt: Mapping[str, Any]) -> str:
    of = f" of {attempt['of']}" if attempt["of"] else ""
    said = f" ({attempt['said']})" if attempt["said"] else ""
    return f"{attempt['kind']} {attempt['what']}{of} as {attempt['by']} by {attempt['via']}{said}"
