"""Split a failover into its phases: detect, decide, promote, route.

Each phase ends with the first line that says so, and begins where the one before it ended; detect begins
just before the step took effect. Nothing is guessed: a phase whose end nobody logged is unknown, and so is
the length of the next one. The phases need not come in order, since Patroni may answer a proxy as primary
before PostgreSQL has opened for writes; then a length is negative, and reports say it in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seatrial.model.failover import Sign, What
from seatrial.model.result import Failover, Phase


def split_failover(step: str, effect_s: float, until_s: float, signs: Iterable[Sign]) -> Failover | None:
    """The failover between two instants; None when nobody logged anything of one."""
    told = sorted((sign for sign in signs if effect_s <= sign.at_s <= until_s), key=lambda sign: sign.at_s)
    leads = _first(told, What.LEADS)
    after = [sign for sign in told if leads and sign.at_s >= leads.at_s and sign.about == leads.about]
    noticed = _first(told, What.NOTICED)
    if noticed and leads and noticed.at_s > leads.at_s:
        noticed = None  # the aftermath; whoever noticed first did not say so
    ends = {
        "detect": noticed,
        "decide": leads,
        "promote": _first(after, What.WRITABLE),
        "route": _first(after, What.ROUTED),
    }
    if not any(ends.values()):
        return None
    phases = []
    begin_s: float | None = effect_s
    for name, sign in ends.items():
        phases.append(Phase(name, begin_s, sign.at_s if sign else None, sign.source if sign else ""))
        begin_s = sign.at_s if sign else None
    return Failover(step, tuple(phases))


def _first(signs: Sequence[Sign], what: What) -> Sign | None:
    return next((sign for sign in signs if sign.what is what), None)
