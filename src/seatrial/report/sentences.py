"""What the figures mean, in sentences for people who were not there."""

from __future__ import annotations

import math

from seatrial.model.capacity import promise_in
from seatrial.model.figures import (
    Shown,
    count,
    exactly,
    interval,
    milliseconds,
    per_minute,
    seconds,
    share,
    span,
)
from seatrial.model.loadaccount import LoadAccount
from seatrial.model.pricing import RunCost
from seatrial.model.result import ErrorBudget, Failover, GeneratorAudit, Measurement, Phase, RunResult
from seatrial.model.scenarioaccount import ScenarioAccount, times
from seatrial.model.verdict import Verdict


def headline(result: RunResult) -> str:
    """The verdict as one sentence."""
    if result.verdict is Verdict.PASS:
        return "Every objective was kept and every check held."
    if result.left_behind:
        return "What this run did to its target is not known to be undone. Somebody has to look."
    return "A promise was broken." if result.verdict is Verdict.FAIL else _unknown(result)


def _unknown(result: RunResult) -> str:
    """Why a verdict is neither a pass nor a fail."""
    if result.interrupted:
        return "The run was interrupted. It proves nothing, for or against."
    if capacity(result):
        return "Whether the first rate holds is not known. That is not a pass."
    if result.measurement is None or not result.measurement.generator.sent:
        return "Nothing could be measured, so nothing is known of the service. That is not a pass."
    if not result.objectives and not result.checks:
        return "Nothing was promised, so nothing was judged."
    return "This run cannot tell whether the promises were kept. That is not a pass."


def capacity(result: RunResult) -> str:
    """What a search for capacity has found; "" of any other run. Its trials have the measurements."""
    return next((f"Capacity: {one.reason}." for one in result.objectives if promise_in(one.name)), "")


def what_clients_saw(measured: Measurement) -> str:
    """Good, bad and outages in one or two sentences."""
    sent, own = measured.generator.sent, max(measured.unproven, measured.generator.dropped or 0)
    if not measured.requests:
        return "No request was due in the measured part of the run."
    if not sent:
        due = f"Of {_requests(measured.requests)} that should have been sent, none was"
        return f"{due}: nothing is known of the service."
    failed, good = measured.bad - own, measured.requests - measured.bad
    if not failed:
        whole = f"{count(good)} of {count(sent)}" if good < sent else f"all {count(sent)}"
        said = f"No request failed: {'the one' if sent == good == 1 else whole} that {_were(sent)} sent"
        return f"{said} {_were(good)} answered well and in time." + (
            _own(measured, own) or f" {resolution(measured)}"
        )
    outages = len(measured.outages)
    return (
        f"{count(failed)} of {_requests(sent)} ({share(failed / sent)}) failed, came after their deadline of "
        f"{seconds(measured.deadline_s)} or were never answered, "
        f"in {count(outages)} {'outage' if outages == 1 else 'outages'}.{_degraded(measured)}"
        + _own(measured, own)
    )


def error_budget(budget: ErrorBudget | None) -> str:
    """What the run cost: `1.40 … 1.42 min of the 43.2 min …: 3.24 … 3.29%`; "" where that is not known."""
    if budget is None:
        return ""
    spent, of_s = budget.spent, budget.budget_s
    whose = f" ({budget.slo})" if budget.slo else ""
    allows = f"{exactly(budget.target, 'ratio')} of {_window(budget.window_s)} allows{whose}"
    whole = _minutes(of_s, of_s)
    cost = f"{_minutes(spent.lower_s, spent.upper_s)} of the {whole} of total outage that {allows}"
    if not math.isfinite(spent.upper_s) or not of_s:
        return cost
    return f"{cost}: {interval(spent.lower_s / of_s, spent.upper_s / of_s, 'ratio')}"


def run_cost(cost: RunCost | None) -> str:
    """What a run cost: `0.0021 … 0.0022 EUR, 1.93 … 2.01 EUR a million requests`; "" without a price."""
    if cost is None:
        return ""
    if cost.lower is None or cost.upper is None:
        return f"unknown: {cost.why}"
    told = str(interval(cost.lower, cost.upper, cost.currency))
    if cost.per_million_lower is None:
        return told
    upper = math.inf if cost.per_million_upper is None else cost.per_million_upper
    return f"{told}, {interval(cost.per_million_lower, upper, cost.currency)} a million requests"


def _minutes(lower_s: float, upper_s: float) -> Shown:
    """A time as budgets are spoken of, which is in minutes once it has one."""
    largest_s = upper_s if math.isfinite(upper_s) else lower_s
    return interval(lower_s / 60, upper_s / 60, "min") if largest_s >= 60 else interval(lower_s, upper_s, "s")


def _window(length_s: float) -> str:
    days = length_s / 86_400
    return f"{days:g} {'day' if days == 1 else 'days'}" if days >= 1 else span(length_s)


def _requests(number_: int) -> str:
    return f"{count(number_)} request{'' if number_ == 1 else 's'}"


def _were(number_: int) -> str:
    return "was" if number_ == 1 else "were"


def _own(measured: Measurement, own: int) -> str:
    """What the generator failed at itself, which is no failure of the service."""
    if not own:
        return ""
    what = (
        "due and never sent" if own == measured.generator.dropped else "bad by the load generator's own doing"
    )
    return f" {count(own)} more {_were(own)} {what}, which says nothing of the service."


def _degraded(measured: Measurement) -> str:
    """A run of bad requests ends at the first good one, so a partial outage is told by how long it lasted."""
    if not any(outage.runs > 1 for outage in measured.outages):
        return ""
    about = "about " if measured.exact.inexact else ""
    return (
        f" For {about}{seconds(measured.degraded_s)} in all the service was not steady: some requests were"
        " answered, some were not."
    )


def failover(one: Failover) -> str:
    """Each phase's length: `detect 180 ms · decide 40 ms · promote 45 ms · route 9 ms; in all 274 ms`."""
    split = " · ".join(f"{phase.name} {phase_length(phase)}" for phase in one.phases)
    return split if one.length_s is None else f"{split}; in all {seconds(one.length_s)}"


def phase_length(phase: Phase) -> str:
    """The length of a phase, when it is known; one can be over before the phase ahead of it is."""
    if phase.length_s is None:
        return "unknown"
    if phase.length_s < 0:
        return f"over {seconds(-phase.length_s)} earlier"
    return seconds(phase.length_s)


def resolution(measured: Measurement) -> str:
    """How short an interruption could have gone unseen."""
    gap_s = measured.completion_gap.upper_s
    rate = measured.generator.offered_per_s
    spacing = f"A request was due every {seconds(1 / rate)}. " if rate else ""
    if math.isinf(gap_s):
        return f"{spacing}How long an interruption could have gone unseen is not known."
    unseen = "An interruption of the whole service could have gone unseen only if it was shorter than"
    gap = interval(0.0, gap_s, "s")  # a bound, so it is rounded up
    return f"{spacing}{unseen} {gap.upper}{gap.unit}."


def generator(audit: GeneratorAudit, doubt: str) -> str:
    """Why one may trust the load generator, or, with a `doubt`, why not.

    A log that leaves things untold does not make its generator a bad one: nobody can vouch for it.
    """
    if doubt and None in (audit.scheduled, audit.dropped, audit.unanswered):
        return f"Nobody can vouch for the load generator: {doubt}."
    if doubt:
        itself = " It measured itself, not only the service." if audit.sent else ""
        return f"The load generator cannot be trusted: {doubt}.{itself}"
    if not audit.scheduled:
        return "The load generator had nothing to send."
    late = f"99 of 100 within {milliseconds(audit.late_p99_ms)}"
    if audit.late_p99_ms is None:  # of fewer than 100
        late = f"each within {milliseconds(audit.late_max_ms)}"
    return (
        "The load generator can be trusted: "
        f"it sent every one of {count(audit.scheduled)} scheduled requests, {late} of the instant it was due."
    )


def load(audit: GeneratorAudit, account: LoadAccount | None) -> str:
    """What was offered, as arrivals and as the requests that these made; "" where the log does not tell."""
    if audit.arrivals_per_s is None:
        return ""
    told = f"{_rate(audit.arrivals_per_s, 'arrivals')}, {_rate(audit.offered_per_s, 'requests')}"
    told = f"{told} ({audit.requests_per_arrival:.3g} an arrival)"
    if audit.is_shared:
        told = f"{told}, shared by {count(audit.workers)} workers"
    if account is None or account.per_arrival is None:
        return told
    wanted, found = _rate(account.wanted_per_s, "requests"), account.per_arrival
    return f"{told}; for {wanted}: the warm-up showed {found}, by {count(found.arrivals)} arrivals"


_CONNECTIONS = {
    "shared": "all users{of_whom} share one warm pool of connections",
    "per-user": "each user keeps connections of its own",
    "new": "each arrival opens connections of its own",
}
_SELECT = {
    "first": "the first address of its name",
    "round-robin": "each address of its name in turn",
    "random": "any address of its name",
}


def clients(account: LoadAccount | None, audit: GeneratorAudit | None) -> str:
    """Who the load's clients were; "" for a run that does not tell."""
    if account is None:
        return ""
    names = f"a new one goes to {_SELECT[account.dns_select]}, asked for again after "
    speaking = "HTTP/2: " if account.http == "2" else "HTTP/1.1: "
    shared = audit is not None and audit.is_shared
    pools = _CONNECTIONS[account.connections].format(of_whom=" of a worker" if shared else "")
    return f"{speaking}{pools}; {names}{seconds(account.dns_ttl_s)}"


def _rate(per_s: float | None, what: str) -> str:
    return f"{per_minute(per_s).removesuffix('/min')} {what}/min"


def scenario(account: ScenarioAccount) -> str:
    """What the scenario's own code failed at: `it failed 3 times in 250 arrivals: home.py:7 KeyError …`."""
    told = f"it failed {times(account.failed)} in {count(account.arrivals)} arrivals"
    return f"{told}: {'; '.join(str(error) for error in account.errors[:3])}"
