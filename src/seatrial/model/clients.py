"""Who the clients of a load are: what they speak, whether they come with a connection, and where they go."""

from __future__ import annotations

from typing import Literal

Connections = Literal["shared", "per-user", "new"]
Http = Literal["1.1", "2"]
Select = Literal["first", "round-robin", "random"]
