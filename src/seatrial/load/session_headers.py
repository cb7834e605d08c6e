"""The headers that a client sends with every request, under names in any case, as a plain dictionary else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class SessionHeaders(dict[str, str]):
    """A header of None is one that is not sent. `Host` stays, for no request may be without it."""

    __slots__ = ()

    def __init__(self, *given: Any, **named: Any) -> None:
        """As for a dictionary."""
        super().__init__()
        self.update(*given, **named)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(self._spelled(name))

    def __setitem__(self, name: str, value: Any) -> None:
        self.pop(name, None)
        if value is not None:
            super().__setitem__(name, value.decode("latin-1") if isinstance(value, bytes) else str(value))

    def __delitem__(self, name: str) -> None:
        super().__delitem__(self._spelled(name))

    def __contains__(self, name: object) -> bool:
        return super().__contains__(self._spelled(name))

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default`."""
        return super().get(self._spelled(name), default)

    def pop(self, name: str, *default: Any) -> Any:
        """Take a header away, and give its value."""
        return super().pop(self._spelled(name), *default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """The value; `default` from now on where there is none."""
        if name not in self:
            self[name] = default
        return self.get(name)

    def update(  # type: ignore[override]
        self, given: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), **named: Any
    ) -> None:
        """Set several."""
        for name, value in {**dict(given), **named}.items():
            self[name] = value

    def clear(self) -> None:
        """All but the host."""
        host = self.get("Host")
        super().clear()
        self["Host"] = host

    def _spelled(self, name: Any) -> Any:
        """`name` as it stands here."""
        if super().__contains__(name) or not isinstance(name, str):
            return name
        lower = name.lower()
        return next((each for each in self if each.lower() == lower), name)
