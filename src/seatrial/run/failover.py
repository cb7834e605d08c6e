"""After a run: where the time of each database failover went, and the log lines that say so."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from seatrial.lookups.failover import signs_of_failover
from seatrial.measure.failover import split_failover
from seatrial.model.failover import Sign
from seatrial.model.problems import SeatrialError
from seatrial.model.result import Failover
from seatrial.model.role import Role
from seatrial.run.conductor import Conducted
from seatrial.run.evidence import Evidence

_log = logging.getLogger(__name__)


def split_failovers(
    clusters: Sequence[Role], conducted: Conducted, evidence: Evidence, zero_wall_s: float
) -> tuple[Failover, ...]:
    """A failover for each step on a Patroni cluster after which anything was logged; the lines are kept.

    A fault elsewhere, as one that cuts its region off, has one too if it made a member take the lead. The
    lines of a step end where the next such step begins.
    """
    failovers: list[Failover] = []
    lines: list[Sign] = []
    for role in clusters:
        begins = sorted(
            (one.before_s, one.name, one.role == role.name)
            for one in conducted.steps
            if one.before_s is not None and (one.role == role.name or one.kind == "fault")
        )
        if not begins:
            continue
        try:
            signs = signs_of_failover(role, zero_wall_s, begins[0][0], conducted.end_s)
        except SeatrialError as error:
            _log.warning("the failover is not split into its phases: %s", error)
            continue
        ends = [at_s for at_s, _, _ in begins[1:]] + [conducted.end_s]
        for (begin_s, name, own), end_s in zip(begins, ends, strict=True):
            failover = split_failover(name, begin_s, end_s, signs)
            if failover is not None and (own or failover.decided):
                failovers.append(failover)
        lines += signs
    if failovers:
        evidence.write_json("failover.json", {"failovers": failovers, "lines": lines})
    return tuple(failovers)
