"""Change Patroni's dynamic configuration, and put exactly the old values back.

    {at: 3s, fault: database.settings, on: database.primary, with: {set: {synchronous_mode: false}}}
    {at: 3s, fault: database.settings, on: database.primary, with: {set: {pause: true}}}   # no failover

`set` is merged into the configuration as Patroni's PATCH /config does: a mapping key by key, null removes.
The configuration lives in Patroni's own store, so any member can be asked, and the undo asks one after the
other: it succeeds while the leader is away, as long as the store has its quorum.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field

from seatrial.drivers.patroni import PatroniBinding, call, call_member, require_address, require_whole
from seatrial.model.problems import Unavailable
from seatrial.model.role import Role
from seatrial.undo.protocol import Declared, Undo
from seatrial.waiting import try_until

SettingValues = dict[str, Any]
_CHANGED_WITHIN_S = 20.0
_WRITTEN_WITHIN_S = 5.0  # a store that elects a leader first may take a while


class Before(BaseModel):
    """The same keys as `set`, with the values that they had; None where there was none."""

    before: SettingValues


class DatabaseSettings(Declared):
    """Changes some of Patroni's settings."""

    name: ClassVar[str] = "database.settings"
    drivers: ClassVar[frozenset[str]] = frozenset({"patroni"})

    set_: Annotated[SettingValues, Field(min_length=1)] = Field(
        alias="set", examples=[{"synchronous_mode": False}]
    )
    """Names and values as in Patroni's dynamic configuration."""

    @property
    def lag_s(self) -> float:
        """A change that was asked for may still be on its way to the store."""
        return _WRITTEN_WITHIN_S

    def fit(self, role: Role) -> None:
        require_address(role)

    def prepare(self, role: Role) -> Undo:
        now = call(role, "GET", "/config").object()
        before = inverse(self.set_, now)
        url = role.as_written(PatroniBinding).url
        return self.noting(
            role,
            Before(before=before),
            touches=f"{role.name}: {json.dumps(before)} → {json.dumps(self.set_)}",
            by_hand=f"curl --request PATCH --data '{json.dumps(before)}' {url}/config",
        )

    def inject(self, undo: Undo) -> None:
        _change(undo.role, self.set_)

    def undo(self, undo: Undo) -> None:
        _change(undo.role, undo.noted(Before).before)

    def gone(self, undo: Undo) -> bool:
        return holds(undo.noted(Before).before, call(undo.role, "GET", "/config").json())

    def healthy(self, role: Role) -> bool:
        require_whole(role)
        return True


def inverse(change: SettingValues, now: SettingValues) -> SettingValues:
    """The change that leads from `now` changed by `change` back to `now`."""

    def back(value: Any, old: Any) -> Any:
        return inverse(value, old) if isinstance(value, dict) and isinstance(old, dict) else old

    return {key: back(value, now.get(key)) for key, value in change.items()}


def holds(change: SettingValues, now: SettingValues) -> bool:
    """Whether `change` would change nothing."""
    return inverse(change, now) == change


def _change(role: Role, change: SettingValues) -> None:
    """Return once every member that answers reports it. Raises Unavailable when that takes too long."""

    def changed() -> None:
        if not holds(change, call(role, "GET", "/config").object()):
            call(role, "PATCH", "/config", change, within_s=_WRITTEN_WITHIN_S)
        for url in role.bound_to(PatroniBinding).urls():
            try:
                now = call_member(role, url, "GET", "/config").object()
            except Unavailable:
                continue  # a member that is away reads it when it is back
            if not holds(change, now):
                raise Unavailable(f"{url}: does not report {json.dumps(change)} yet")

    try_until(changed, _CHANGED_WITHIN_S)
