"""Who the clients of a load are: whether they come with a connection, and to which address they go."""

from __future__ import annotations

from typing import Literal

Connections = Literal["shared", "per-user", "new"]
Select = Literal["first", "round-robin", "random"]
