"""The load of a run: what is asked of it, and what came of the workers that shared it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from seatrial.load.agreement import SETTLED_S
from seatrial.load.clocks import exactness, unknown
from seatrial.load.launch import LoadPlan, LoadProcess
from seatrial.load.trust import is_loopback
from seatrial.load.workers import settled, to_type
from seatrial.model.exactness import Exactness
from seatrial.model.problems import BadInput
from seatrial.model.reasons import Reason
from seatrial.model.workers import Workers
from seatrial.run.evidence import Evidence
from seatrial.run.plan import Plan


def with_workers(plan: Plan, workers: Workers, say: Callable[[str], None], *, again: bool = False) -> Plan:
    """`plan` with its load shared; `say` hears how workers are started that are to come by themselves.

    `again`: this is the first of several loads, for each of which they come anew.
    Raises BadInput when this load cannot be shared, or the workers cannot meet where they were told to.
    """
    if not workers.count:
        return plan
    _require_time_to_agree(plan, workers)
    _require_another_place(plan, workers)
    workers = settled(workers)
    if workers.expected:
        when = ", anew for each trial (Ctrl-C ends them)" if again else ""
        say(f"waiting for {workers.expected} load workers{when}; on each of their machines:")
        for line in to_type(workers, again=again):
            say(f"  {line}")
    return replace(plan, workers=workers)


def _require_time_to_agree(plan: Plan, workers: Workers) -> None:
    """Raise BadInput when a warm-up is over before workers can know how many requests an arrival makes."""
    warmup, least_s = plan.experiment.warmup, 2 * SETTLED_S
    if plan.experiment.load.counts == "requests" and workers.count > 1 and warmup.seconds < least_s:
        raise BadInput(
            f"--workers: how many requests an arrival makes is agreed on in the warm-up, and {warmup} is too "
            f"short for that; give it {least_s:g}s at the least, and better 10s"
        )


def _require_another_place(plan: Plan, workers: Workers) -> None:
    """Raise BadInput when workers would take their own machine for the target."""
    away = next((host.host for host in workers.hosts if not is_loopback(host.host)), None)
    if away is not None and is_loopback(urlsplit(plan.base_url).hostname or ""):
        raise BadInput(
            f"--workers-at: the target is at {plan.address}, which at {away} is that machine itself; "
            "give the target the address by which it is reached from there"
        )


@contextmanager
def sharing(
    plan: Plan, workers: Workers, say: Callable[[str], None], *, again: bool = False
) -> Iterator[Plan]:
    """`with_workers`, and with the machines connected whose workers are started by SSH; none is left.

    Raises Unavailable as well, for such a machine that cannot be used.
    """
    shared = with_workers(plan, workers, say, again=again)
    if not workers.hosts:
        yield shared
        return
    from seatrial.run.workersat import WorkersAt  # noqa: PLC0415  # what few runs need

    with WorkersAt(shared.workers, shared.scenarios) as elsewhere:
        yield replace(shared, elsewhere=elsewhere)


def load_plan_of(plan: Plan, evidence: Evidence) -> LoadPlan:
    """The load of `plan`, whose rows go into `evidence`."""
    experiment, replay = plan.experiment, plan.replay
    load = experiment.load
    return LoadPlan(
        scenario=plan.scenarios[0],
        further_scenarios=plan.scenarios[1:],
        users=load.users,
        tags=load.tags,
        exclude_tags=load.exclude_tags,
        host=plan.base_url,
        address=plan.address,
        shape=plan.shape,
        warmup_s=experiment.warmup.seconds,
        duration_s=experiment.duration.seconds,
        spacing=load.arrivals,
        counts=load.counts,
        data=replay.data_in(evidence) if replay else plan.data,
        recorded=replay.instants_in(evidence) if replay else None,
        http=load.http,
        connections=load.connections,
        dns_select=load.dns.select,
        dns_ttl_s=load.dns.ttl.seconds,
        seed=load.seed,
        deadline_s=load.deadline.seconds,
        directory=evidence.directory,
        variables=plan.variables,
        allow=plan.target.allow,
        workers=plan.workers,
        elsewhere=plan.elsewhere,
    )


def came_of_workers(load: LoadProcess) -> tuple[list[str], Exactness]:
    """Why nothing can pass that its workers have measured, and how exact the instants of its log are.

    Known once its rows are collected.
    """
    reasons: list[str] = [Reason.WORKER_LOST(what=loss) for loss in load.losses]
    if doubtful := unknown(load.clocks):
        reasons.append(Reason.CLOCK_UNKNOWN(whose=", ".join(doubtful)))
    return reasons, exactness(load.clocks)


def ended_early(load: LoadProcess, duration_s: float) -> str:
    """After how many arrivals a load was over, where more were due; "" where none was.

    For a scenario or Locust itself may end it so late that its last answers are waited for until the end.
    """
    offer, audit = load.offer, load.audit
    if offer is None or audit is None or audit.arrivals is None:
        return ""
    due = offer.due_before(duration_s)
    return f"after {audit.arrivals:,} of {due:,} arrivals" if audit.arrivals < due else ""
