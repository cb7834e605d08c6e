"""What both forms of a JTL share: which samples are sums of others, and what is said of those left out."""

from __future__ import annotations

import re

from seatrial.model.exactness import Exactness

MILLISECONDS = "JMeter writes whole milliseconds, and every bound is as much wider"
CUT = Exactness(sent_late_s=0.001, ended_late_s=0.002, took_s=0.001)  # an end is start + elapsed
_TRANSACTION = re.compile(r"Number of samples in transaction : (\d{1,9}), number of failing samples : \d+")


def inside_transaction(message: str) -> int | None:
    """How many samples a transaction controller says it holds, in its response message; None: a request."""
    found = _TRANSACTION.fullmatch(message.strip())
    return int(found[1]) if found else None


def left_out(transactions: int, inside: int, requests: int) -> tuple[str, ...]:
    """What a reader must know of `transactions` that were left out. `inside`: requests that they speak of."""
    if not transactions:
        return ()
    said = f"{transactions:,} samples of transaction controllers were left out: they are sums of requests"
    if inside <= requests:
        return (said,)
    missing = (
        f"They speak of {inside:,} requests, the log has {requests:,}: with 'Generate parent sample' a CSV "
        "does not hold what is inside (transactions in transactions speak of the same requests twice)"
    )
    return (f"{said}. {missing}",)
