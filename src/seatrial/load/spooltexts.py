"""Texts of a spool's rows as columns: rows refer to all that were told, a column has those that occur."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seatrial.model.requestlog import Coded

OF = "\x1f"  # in a name as it is spooled, between it and the tenant in whose name the request was sent


def divided(names: Coded) -> tuple[Coded, Coded | None]:
    """Names, and whose each request was; None when nobody's."""
    if not any(OF in name for name in names.values):
        return names, None
    parts = [name.rpartition(OF) if OF in name else (name, "", "") for name in names.values]
    alone = Coded.of(name for name, _, _ in parts)
    alone = Coded(alone.codes[names.codes], alone.values)
    tenants = Coded.of(tenant for _, _, tenant in parts)
    if not any(tenants.values):
        return alone, None
    return alone, Coded(tenants.codes[names.codes], tenants.values)


def used_in(codes: npt.NDArray[np.uint32], texts: int) -> npt.NDArray[np.intp]:
    """Which of so many texts occur."""
    found = np.zeros(texts, dtype=np.bool_)
    found[codes] = True
    return np.flatnonzero(found)


def coded(codes: npt.NDArray[np.uint32], texts: Sequence[str]) -> Coded:
    """The column with only the texts that occur in it."""
    used = used_in(codes, len(texts))
    compact = np.zeros(len(texts), dtype=np.int32)
    compact[used] = np.arange(len(used), dtype=np.int32)
    return Coded(compact[codes], tuple(texts[code] for code in used.tolist()))
