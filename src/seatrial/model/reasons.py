"""Why a run has the verdict that it has: the sentences of `reasons` in a verdict."""

from __future__ import annotations

from seatrial.model.message import Message


class Reason:
    """Each with what it means, and what to do about it."""

    NOTHING_PROMISED = Message("nothing was promised: the experiment has no objectives and no checks")
    """A run is judged on what was promised, and of nothing promised the verdict is unknown. Write what is
    wanted into the experiment: `objectives: {downtime: {max: 1s}}`."""
    NOTHING_MEASURED = Message("nothing was measured")
    """The run ended before its measured part, or no request was due. What ended it stands among the
    reasons."""
    GENERATOR_DOUBTED = Message("the load generator cannot be trusted: {why}")
    """It dropped arrivals, or sent them late by more than a small multiple of the arrival interval: a
    saturated generator has measured itself. Lower the rate, take a faster or quieter machine, or make the
    scenario cheaper. What is proven against the service without it is a fail all the same."""
    OTHER_RATE = Message("requests did not come at the rate that was asked for: {why}")
    """The rate was given in requests, `load: {rate: {requests: 10000/min}}`, and an arrival made more or less
    of them than in the warm-up, from which the rate of arrivals was set. Give the rate in arrivals, or make
    the warm-up longer."""
    OWN_FAILURES = Message(
        "{own} of {bad} bad requests are the load generator's own failure and prove nothing"
    )
    """They were never sent, or failed on this machine: no descriptor, no port, no address for a name, or the
    scenario raised. The errors of the report name them; they begin with `dropped:`, `own:` or `scenario:`."""
    SCENARIO_FAILED = Message("the scenario failed {times} in {arrivals} arrivals")
    """A task raised, so it has not done what it was to do, and nothing can pass. The place in the scenario
    stands behind it. Mend the task, or say how many are tolerated: `load: {scenario_errors: 1%}`."""
    BETWEEN_BOUNDS = Message("the bounds hold the target between them; a higher rate narrows them")
    """Requests are discrete, so the true figure lies somewhere between a lower and an upper bound, and the
    promise lies there as well. A higher rate brings the bounds together; or promise what can be told
    apart."""
    END_NOT_SEEN = Message("its end was not seen: {why}")
    """The service was not well again before the measured part was over, so there is only a lower bound. Make
    the `duration` longer, or the fault shorter."""
    LAG_NOT_MEASURED = Message("for {length} in all some server gave no figure: {why}")
    """A server of the database did not answer, or nobody led: then nobody knows how far its standbys are
    behind. Where a fault takes a server away, say so: `replication_lag: {max: 1s, unmeasured: 20s}`."""
    TENANTS_NOT_TOLD = Message("no request says in which tenant's name it was sent")
    """A promise `per: tenant` is held against the requests of each tenant. A scenario names the tenant with
    the request: `self.client.get("/", context={"tenant": "acme"})`."""
    TOO_FEW_ANSWERS = Message("{count} answers cannot carry it")
    """A percentile of too few answers would be their maximum under another name: p50 needs two, p90 ten, p95
    twenty, p99 a hundred. Raise the rate or the duration."""
    CUT_SHORT = Message("the run was cut short: {why}")
    """It ended before its planned end, so what is said of the end (recovery, shares and rates of the whole)
    is unknown, and nothing passes. What was proven before, a downtime that was too long already, stays a
    fail."""
    INTERRUPTED = Message("interrupted")
    """A person or a supervisor asked for the end. Everything was undone, and no verdict on the target
    wanted."""
    CONDUCTOR_DIED = Message(
        "interrupted: its conductor died (killed, crashed, power lost); the run was finished afterwards"
    )
    """The process that conducted the run was gone before its end. What it had injected was undone by its
    guardian or by `seatrial recover`, and the run was judged on what had been recorded."""
    STEP_DID_NOT_HAPPEN = Message("{step} did not happen")
    """The run ended before the step's instant, or the step failed. Its own reason tells which."""
    GUARD_HELD = Message("guard: {breach}")
    """A guard's condition held for its whole time, so the run was ended and everything undone. That is a
    fail: only what is proven against the service lets a guard act."""
    NOT_STEADY_AGAIN = Message("the target is not in its steady state again: {wrong}")
    """The target was well before the run and is not after it, though everything was undone: the run has
    failed whatever its load saw. Look at the target; the question that was not answered well stands behind
    it."""
    GENERATOR_DID_NOT_START = Message("the load generator did not start{why}")
    """The scenario could not be imported, or the machine was too slow. What it said is in `locust.log` of the
    evidence."""
    GENERATOR_ENDED_EARLY = Message("the load generator ended early: {why}")
    """Its process ended while requests were still due. What it said is in `locust.log` of the evidence."""
    GENERATOR_NOT_IN_ORDER = Message("the load generator did not end in good order: {why}")
    """Requests may be missing from the log, so nothing that it says can pass."""
    WORKER_LOST = Message("{what}; what is missing of its share is on record as dropped")
    """A load worker died, hung, was cut off or ended before its time. Whatever of its share did not come to
    the master is on record as dropped, with `--rows keep` all of it; nothing passes. `--on-lost redistribute`
    has the others take its share over, which does not undo the loss."""
    CLOCK_UNKNOWN = Message("the clock of {whose} is not known well enough to judge anything by its rows")
    """Rows of several machines are told apart in time by round trips between their clocks. Here they
    contradict each other (a clock was set during the run) or were too slow. Let NTP slew clocks, not set
    them, and keep workers near their master."""
    SESSION_LOST = Message("the fault session was lost: {why}")
    """The guardian, which undoes everything should this process die, was gone. Nothing more was injected, and
    what had been was undone."""
    CHECK_FAILED = Message("the check itself failed: {error}")
    """A check that crashes is unknown, never a pass. Please report it, with the line that stands behind
    it."""
    SEATRIAL_FAILED = Message("seatrial itself failed: {error}")
    """A defect of seatrial. What was injected is undone all the same, and nothing passes. Please report
    `defect.txt` of the evidence."""
    MISSING = Message("missing: {what}")
    """Something that belongs to the evidence could not be written, so that the verdict cannot be shown to
    anybody: it is no pass. What keeps it from being written stands behind it; mostly a disk is full."""
