"""What can go wrong in a run, and the verdict that it must have; and no rule of the judge that is not needed.

Each row of the table is a world with its verdict. Then the judge is made to forget its rules one by one, and
every such judge must be wrong about some row.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from tests.support.mutants import Mutant, mutants_of
from tests.support.worlds import (
    CRASH,
    DIED,
    PROMISES,
    ROLLBACK,
    Spell,
    World,
    behind,
    dropped,
    failing,
    of_requests,
    ours,
    refused,
    sent_late,
    silent,
    slow,
)

from seatrial.measure import generator, proof
from seatrial.model.loadaccount import LoadAccount
from seatrial.model.looks import Blind
from seatrial.model.replication import ReplicationLag
from seatrial.model.result import CheckResult, StepRecord
from seatrial.model.scenarioaccount import BlockingCall, ScenarioAccount
from seatrial.model.undo import UndoOutcome
from seatrial.model.verdict import Verdict
from seatrial.run import judge, losses, offered, undone

PASS, UNKNOWN, FAIL = Verdict.PASS, Verdict.UNKNOWN, Verdict.FAIL
OUT = (refused(10.5, 13.0),)  # 2.5 s
TO_EACH = "{downtime: {max: 1s, per: tenant}}"
TO_EACH_AFTER = "{downtime: {max: 1s, after: rollback, per: tenant}}"
IDLE = StepRecord("rollback", "action", "deploy.rollback", "edge", 10.0)

STOPPED = ScenarioAccount(
    2000, blocking=(BlockingCall("home.py:7", "pay", 31, 102.4), BlockingCall("b.py:1", "b", 1, 50))
)
WORLDS = [
    # a healthy service keeps every promise
    *(World(f"healthy: {name}", PASS, promises) for name, promises in PROMISES.items()),
    # standbys that fall behind
    World("behind", FAIL, PROMISES["lag"], lag=behind(1.5, 1.7),
          reasons=("replication lag: [1.50, 1.70] s, target 1 s (at least 500 ms too long)",)),
    World("behind, perhaps", UNKNOWN, PROMISES["lag"], lag=behind(0.9, 1.1)),
    World("not seen for as long as may be", PASS, PROMISES["lag"], lag=behind(0.0, 0.2, Blind(3, 5, "db-2: away"))),
    World("not seen for longer", UNKNOWN, PROMISES["lag"], lag=behind(0.0, 0.2, Blind(3, 4), Blind(5, 7, "db-2: away")),
          reasons=("replication lag: [0, ∞) s, target 1 s (for 3.00 s in all some server gave no figure: db-2: away)",)),
    World("not seen, and nobody says why", UNKNOWN, PROMISES["lag"], lag=behind(0.0, 0.2, Blind(3, 7)),
          says="gave no figure: nobody answered"),
    World("behind, and not seen for longer", FAIL, PROMISES["lag"], lag=behind(1.5, 1.7, Blind(3, 7, "away"))),
    World("never seen", UNKNOWN, PROMISES["lag"], lag=ReplicationLag((), (Blind(0, 20, "db-2: away"),)), says="db-2: away"),
    World("never seen, for no reason", UNKNOWN, PROMISES["lag"], lag=ReplicationLag((), (Blind(0, 20),)),
          says="nobody was asked"),
    World("not asked", UNKNOWN, PROMISES["lag"], lag=None, says="nobody was asked how far the standbys are behind"),
    World("could not be asked", UNKNOWN, PROMISES["lag"], lag=None, lag_why="a wall", says="replication lag: a wall"),
    World("nothing promised", UNKNOWN, "{}", says="nothing was promised"),
    World("only a check, which holds", PASS, "{}", checks=(CheckResult("c", PASS, ""),)),
    # the service breaks them
    World("out: downtime", FAIL, PROMISES["downtime"], OUT,
          reasons=("downtime: [2.49, 2.52] s, target 1 s (at least 1.49 s too long)",)),
    World("out: downtime after", FAIL, PROMISES["downtime after"], OUT, says="downtime after rollback: ["),
    World("out before the step", PASS, PROMISES["downtime after"], (refused(5, 8),)),
    World("out after the next step that is judged", PASS, PROMISES["downtime of both"], (refused(14.5, 17.5),)),
    World("out after the next step that is not", FAIL, PROMISES["downtime after"], (refused(14.5, 17.5),)),
    World("out: downtime of one tenant", FAIL, TO_EACH_AFTER, (replace(*OUT, every=2),), tenants=2,
          reasons=("downtime per tenant after rollback: [2.48, 2.53] s, target 1 s (at least 1.48 s too long (tenant t0))",)),
    World("one tenant out, and nobody knows of the other for longer", FAIL, TO_EACH, tenants=2, says="too long (tenant t0)",
          spells=(replace(*OUT, every=2), replace(ours(9, 15, "own: too many open files"), every=2, first=1))),
    World("tenants are well", PASS, TO_EACH, tenants=2),
    World("tenants not told", UNKNOWN, TO_EACH, says="in which tenant's name"),
    World("out for about as long as a tenant may be", UNKNOWN, TO_EACH, (refused(10, 11),), tenants=2,
          says="hold the target between them; a higher rate narrows them (tenant t"),
    World("out: recovery", FAIL, PROMISES["recovery"], OUT, says="s too long"),
    World("out later: recovery of both", PASS, PROMISES["recovery of both"], (refused(14.5, 17.5),)),
    World("out: errors", FAIL, PROMISES["errors"], OUT, reasons=("errors: 12.5%, target 1%",)),
    World("slow: p95", FAIL, PROMISES["p95"], (slow(0, 20, 0.2),)),
    World("slow: max", FAIL, PROMISES["max"], (slow(5, 5.01, 0.2),)),
    World("one slow: p99", PASS, PROMISES["p99"], (slow(5, 5.01, 0.2),)),
    World("out: throughput", FAIL, PROMISES["throughput"], OUT),
    World("never answered: p95", FAIL, PROMISES["p95"], (silent(5, 10),),
          reasons=("latency p95: [500, ∞) ms, target 100 ms",)),
    World("never answered, and more is allowed than anybody waits for", UNKNOWN, "{latency: {p95: 600ms}}", (silent(5, 10),),
          says="hold the target"),
    World("refused quickly: no latency", PASS, PROMISES["p95"], (refused(5, 15),)),
    World("refused after long", FAIL, PROMISES["p95"], (Spell(0, 20, took_s=0.6),)),
    World("refused after a whole deadline", FAIL, PROMISES["max"], (Spell(5, 5.01, took_s=0.5),)),
    World("an effect that came at some time in half a second", UNKNOWN, PROMISES["recovery"], (refused(10.6, 11.3),),
          (replace(ROLLBACK, injected_s=10.5),)),
    World("out to the end", FAIL, PROMISES["downtime"], (refused(15, 20),),
          says="its end was not seen: the run ended first, or nothing was answered well any more"),
    World(
        "out to the end, and a probe knows why", FAIL, PROMISES["downtime after"], (refused(11, 20),),
        (replace(ROLLBACK, unwell="no leader"),), says="its end was not seen: no leader",
    ),
    World("out for about as long as allowed", UNKNOWN, PROMISES["downtime"], (refused(10, 11),), says="hold the target"),
    # the generator fails: nothing passes, and nothing fails for it
    *(
        World(f"all dropped: {name}", UNKNOWN, promises, (dropped(0, 20),), objectives=None)
        for name, promises in PROMISES.items()
    ),
    World("all dropped is told", UNKNOWN, spells=(dropped(0, 20),), says="dropped 2000 of 2000 arrivals: too many open files"),
    World("dropped, and nobody said why", UNKNOWN, PROMISES["max"], (dropped(0, 20, ""),), reasons=(
        "latency max: nothing was answered",
        "the load generator cannot be trusted: it dropped 2000 of 2000 arrivals",
    )),
    *(
        World(f"{error}: nothing fails", UNKNOWN, PROMISES["downtime"], (ours(5, 8, error),), says="own failure")
        for error in ("unaccounted: the generator died", "own: too many open files", "unanswered at the end",
                      "abandoned by the scenario", "scenario: KeyError: 'x'")
    ),
    World("late, answered well: errors", UNKNOWN, spells=(sent_late(0, 20, 0.6),), says="load generator"),
    World("late, answered well: p95", UNKNOWN, PROMISES["p95"], (sent_late(0, 20, 0.3),), says="late"),
    World("late at p99 alone", UNKNOWN, spells=(sent_late(0, 0.3, 0.1),), says="late: p99"),
    World("few, and late", UNKNOWN, PROMISES["max"], (sent_late(0, 20, 0.03),), until_s=0.2, says="late: max"),
    World("one very late", UNKNOWN, spells=(sent_late(5, 5.01, 0.3),), says="late: max"),
    World("a little late", PASS, spells=(sent_late(0, 20, 0.01),)),
    World("dropped, and out all the same", FAIL, PROMISES["downtime"], (dropped(10.4, 10.5), *OUT, dropped(13, 13.1)),
          says="at least 1.49 s too long"),
    World("dropped amid a short outage", UNKNOWN, PROMISES["downtime"], (refused(10, 10.8), dropped(10.8, 10.9), refused(10.9, 11.5))),
    World("one dropped, all else well", UNKNOWN, spells=(dropped(5, 5.01),), objectives=(PASS,)),
    World("errors with drops", UNKNOWN, spells=(refused(5, 5.1), dropped(6, 6.5)), says="errors: [0.50, 3.00]%"),
    World("throughput with drops", UNKNOWN, PROMISES["throughput"], (refused(5, 5.5), dropped(6, 7))),
    # nothing, or too little, to judge on
    World("nothing measured", UNKNOWN, until_s=0.0, cut="did not start",
          disturbances=((UNKNOWN, "did not start"),), reasons=("did not start",), objectives=(UNKNOWN,)),
    World("nothing measured, and nobody knows why", UNKNOWN, until_s=0.0, reasons=("errors: nothing was measured",)),
    *(
        World(f"cut in the warm-up: {name}", UNKNOWN, promises, from_s=-5.0, until_s=0.0, cut=DIED,
              says="no arrival was scheduled")
        for name, promises in PROMISES.items()
    ),
    World("few answers: p95", UNKNOWN, PROMISES["p95"], until_s=0.1, says="10 answers cannot carry it"),
    World("just enough answers: p95", PASS, PROMISES["p95"], until_s=0.2),
    World("a step that did not happen: downtime", UNKNOWN, PROMISES["downtime after"], steps=(IDLE,), says="did not happen"),
    World("a step that did not happen: recovery", UNKNOWN, PROMISES["recovery"], steps=(IDLE,), says="did not happen"),
    World("a step that nobody knows of: downtime", UNKNOWN, PROMISES["downtime after"], steps=(), says="did not happen"),
    World("a step that nobody knows of: recovery", UNKNOWN, PROMISES["recovery"], steps=(), says="did not happen"),
    World("the next step did not happen", UNKNOWN, PROMISES["downtime of both"],
          steps=(ROLLBACK, replace(CRASH, before_s=None, injected_s=None, undone_s=None, verified=None)),
          objectives=(PASS, UNKNOWN)),
    World("half a step: recovery", UNKNOWN, PROMISES["recovery"], steps=(replace(ROLLBACK, injected_s=None),)),
    World("the other half: recovery", UNKNOWN, PROMISES["recovery"], steps=(replace(ROLLBACK, before_s=None),)),
    World("nothing due after the step", UNKNOWN, PROMISES["recovery"],
          steps=(replace(ROLLBACK, before_s=25.0, injected_s=25.0),), says="nothing was due after rollback"),
    # the story is cut short
    *(World(f"cut, all well: {name}", UNKNOWN, promises, until_s=15, cut=DIED) for name, promises in PROMISES.items()),
    World("cut, and out too long already", FAIL, PROMISES["downtime"], OUT, until_s=15, cut=DIED),
    World("cut: recovery speaks of the end", UNKNOWN, PROMISES["recovery"], OUT, until_s=15, cut=DIED, says="cut short"),
    World("cut: errors speak of the whole", UNKNOWN, PROMISES["errors"], OUT, until_s=15, cut=DIED, says="cut short"),
    World("cut: p95 speaks of the whole", UNKNOWN, PROMISES["p95"], (slow(0, 20, 0.2),), until_s=15, cut=DIED),
    World("cut: throughput speaks of the whole", UNKNOWN, PROMISES["throughput"], OUT, until_s=15, cut=DIED),
    World("cut: one too slow is too slow", FAIL, PROMISES["max"], (slow(5, 5.01, 0.2),), until_s=15, cut=DIED),
    # what befalls the run
    World("a guard gave way", FAIL, disturbances=((FAIL, "guard: 90% bad"),), cut="guard: 90% bad", says="guard: 90% bad"),
    World("the session was lost", UNKNOWN, disturbances=((UNKNOWN, "lost"),), says="lost"),
    World("ended by hand", UNKNOWN, disturbances=((UNKNOWN, "interrupted"),), interrupted=True, says="interrupted"),
    World("ended by hand in an outage", UNKNOWN, PROMISES["downtime"], OUT, interrupted=True,
          disturbances=((UNKNOWN, "interrupted"),)),
    World("ended by hand, all well", UNKNOWN, interrupted=True, disturbances=((UNKNOWN, "interrupted"),),
          reasons=("interrupted",)),
    World("ended by hand, and a check cannot tell", UNKNOWN, interrupted=True, disturbances=((UNKNOWN, "interrupted"),),
          checks=(CheckResult("a", UNKNOWN, "not asked"),), reasons=("interrupted", "a: not asked")),
    # the scenario
    World("the scenario raised once", UNKNOWN, scenario=failing(1),
          reasons=("the scenario failed once in 2,000 arrivals: home.py:7 KeyError: 'nope' (once)",)),
    World("the scenario raised in three places", UNKNOWN, scenario=failing(3, 2, 1),
          says="home.py:7 KeyError: 'nope' (3 times), and errors of 2 other kinds"),
    World("no scenario error", PASS, scenario=ScenarioAccount(2000)),
    World("a call stopped the generator", UNKNOWN, spells=(sent_late(0, 0.3, 0.1),), scenario=STOPPED,
          says="late: p99 100 ms, allowed 20 ms; home.py:7 (pay) stopped it 31 times, the longest time for 102 ms"),
    World("a call stopped the generator, and few noticed", PASS, scenario=STOPPED),
    World("late, and nothing stopped it", UNKNOWN, spells=(sent_late(0, 0.3, 0.1),), scenario=ScenarioAccount(2000),
          says="allowed 20 ms; lower the rate"),
    World("scenario errors as tolerated", PASS, scenario=failing(20), tolerated="1%"),
    World("more than tolerated", UNKNOWN, scenario=failing(21), tolerated="1%", says="; 1% is tolerated"),
    World("the scenario raised, and the service was out", FAIL, PROMISES["downtime"], OUT, scenario=failing(9)),
    # a rate of requests
    World("as many requests as asked for", PASS, load=of_requests(100.0), arrivals=400),
    World("a few requests less", PASS, load=of_requests(105.0), arrivals=400),
    World("more requests than asked for", PASS, load=of_requests(50.0), arrivals=400),
    World("fewer requests than asked for", UNKNOWN, load=of_requests(110.0), arrivals=400,
          says="asked for: 6,000/min of 6,600/min; an arrival made 5, and 5 in the warm-up"),
    World("fewer requests, as failures cut journeys short", PASS, "{errors: {max: 50%}}", (refused(5, 6),),
          load=of_requests(110.0), arrivals=400),
    World("fewer requests than failures explain", UNKNOWN, "{errors: {max: 50%}}", (refused(5, 5.1),),
          load=of_requests(110.0), arrivals=400),
    World("requests that vary too much", UNKNOWN, load=of_requests(100.0, margin=0.6), arrivals=400, says="vary too much"),
    World("requests that were never found out, a little late", UNKNOWN, load=LoadAccount("requests"),
          rate="{requests: 100/s}", spells=(sent_late(0, 20, 0.01),), reasons=(
        "requests did not come at the rate that was asked for: how many requests an arrival makes was not found out",
    )),
    World("requests that were not found out in time", UNKNOWN, until_s=0.0, load=LoadAccount("requests"),
          disturbances=((UNKNOWN, "did not start"),), reasons=("did not start",)),
    World("a fifth as many arrivals may be five times as late", PASS, spells=(sent_late(0, 20, 0.05),),
          rate="{requests: 100/s}", load=of_requests(100.0), arrivals=400),
    World("arrivals are late by their own interval", UNKNOWN, spells=(sent_late(0, 20, 0.05),), arrivals=400, says="late"),
    World("late even so", UNKNOWN, spells=(sent_late(0, 20, 0.12),), rate="{requests: 100/s}",
          load=of_requests(100.0), arrivals=400, says="late: p99"),
    World("dropped of so many arrivals", UNKNOWN, spells=(dropped(5, 5.1),), arrivals=400, says="dropped 10 of 400 arrivals"),
    # checks
    World("a check fails", FAIL, checks=(CheckResult("writes", FAIL, "3 lost"),), says="writes: 3 lost"),
    World("a check cannot tell", UNKNOWN, checks=(CheckResult("writes", UNKNOWN, "not asked"),), says="not asked"),
    World("a failure comes before a doubt", FAIL,
          checks=(CheckResult("a", UNKNOWN, "?"), CheckResult("b", FAIL, "lost")), reasons=("b: lost", "a: ?")),
    World("ended by hand, and a check fails", UNKNOWN, interrupted=True,
          disturbances=((UNKNOWN, "interrupted"),), checks=(CheckResult("a", FAIL, "lost"),), says="a: lost"),
    # steps
    World("a step failed", UNKNOWN, steps=(replace(IDLE, error="no such file"), CRASH), reasons=("rollback: no such file",)),
    World("a step that never came to its effect", UNKNOWN, reasons=("crash did not happen",),
          steps=(ROLLBACK, replace(CRASH, injected_s=None, undo=UndoOutcome.UNVERIFIED))),
    *(
        World(f"undo: {outcome}", verdict, steps=(ROLLBACK, replace(CRASH, undo=outcome, by_hand="kill -CONT 7")), says=says)
        for outcome, verdict, says in (
            (UndoOutcome.VERIFIED, PASS, ""),
            (UndoOutcome.UNVERIFIED, PASS, ""),
            (UndoOutcome.UNRECORDED, UNKNOWN, "the fault journal does not know"),
            (UndoOutcome.NOT_INJECTED, UNKNOWN, "did not happen"),
            (UndoOutcome.IN_EFFECT, FAIL, "by hand: kill -CONT 7"),
            (UndoOutcome.NOT_WELL, FAIL, "its effect is not gone, or its role not well"),
            (UndoOutcome.FAILED, FAIL, "crash (process.kill on db) could not be undone"),
            (UndoOutcome.TIMED_OUT, FAIL, "not undone in time"),
            (UndoOutcome.PARTLY, FAIL, "in part only"),
            (UndoOutcome.TARGET_GONE, FAIL, "cannot be reached"),
            (UndoOutcome.LEFT_TO_ANOTHER, FAIL, "left to another process"),
        )
    ),
    World("an undo that failed and says why", FAIL, reasons=(
        "crash (process.kill on db) could not be undone: exit code 3; by hand: kill -CONT 7, then: seatrial recover",
    ), steps=(ROLLBACK, replace(CRASH, undo=UndoOutcome.FAILED, error="exit code 3", by_hand="kill -CONT 7"))),
    World("an undo that failed, and nobody knows what to run", FAIL, says="could not be undone; run: seatrial recover",
          steps=(ROLLBACK, replace(CRASH, undo=UndoOutcome.FAILED))),
    World("an undo that failed at first", UNKNOWN, says="crash: exit code 3; tried again, it was undone, and seen to be gone",
          steps=(ROLLBACK, replace(CRASH, undo=UndoOutcome.VERIFIED, error="exit code 3"))),
    World("an undo that failed in a run that ended by hand", FAIL, interrupted=True, disturbances=((UNKNOWN, "interrupted"),),
          steps=(ROLLBACK, replace(CRASH, undo=UndoOutcome.FAILED))),
    World("a fault that stayed before anything was measured", FAIL, until_s=0.0, disturbances=((UNKNOWN, "did not start"),),
          steps=(replace(CRASH, undo=UndoOutcome.IN_EFFECT),)),
    World("steps that did not happen in a run that did not start", UNKNOWN, until_s=0.0,
          disturbances=((UNKNOWN, "did not start"),), steps=(IDLE,), reasons=("did not start",)),
    # the disk
    World("a report that is missing", UNKNOWN, lost=(("report.html", "no space left"),), reasons=("missing: report.html: no space left",)),
    World("a report that is missing and says so itself", UNKNOWN, lost=(("report.html", "report.html: no space left"),),
          reasons=("missing: report.html: no space left",)),
    World("a seal that is missing, and the service was out", FAIL, PROMISES["downtime"], OUT, lost=(("the seal", "no key"),)),
    World("a fault that stayed", FAIL, steps=(ROLLBACK, replace(CRASH, verified=False)), says="crash"),
]  # fmt: skip

JUDGE = (
    "judge_objectives", "_promises", "_judged", "_why", "_downtime", "_next_judged", "_recovery", "_latency", "_errors",
    "_throughput", "judge", "doubt_of", "doubt_of_scenario",
)  # fmt: skip


def mutants() -> list[Mutant]:
    return [
        *mutants_of(judge, *JUDGE),
        *mutants_of(
            proof,
            "share_bad",
            "good_per_s",
            "Latencies.of",
            "Latencies.percentile",
            "Latencies.nearest_rank",
            "Latencies._at",
            "Latencies._shortest",
            "Latencies._longest",
        ),
        *mutants_of(generator, "trusted"),
        *mutants_of(offered, "doubt_of_rate"),
        *mutants_of(undone, "troubled", "judged"),
        *mutants_of(losses, "Losses.told"),
    ]


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_the_verdict_is_what_it_must_be(world: World) -> None:
    judgement = world.judgement()
    assert judgement.verdict is world.expected, judgement.reasons
    assert world.holds(), (judgement.reasons, [result.verdict for result in world.objective_results()])


def caught(mutant: Mutant, worlds: list[World]) -> bool:
    """Whether some world shows the mutant up, be it by an error; that world is then the first of `worlds`."""
    with mutant.alive():
        for world in worlds:
            try:
                shown_up = not world.holds()
            except Exception:  # a judge that raises is caught as well
                shown_up = True
            if shown_up:
                worlds.remove(world)
                worlds.insert(0, world)  # it will show up the next one as well, as likely as not
                return True
    return False


INDISTINGUISHABLE = (
    "trusted: Gt → GtE",  # no log can have a lateness that is its limit to the last bit
    "doubt_of_rate: LtE → Lt",  # nor can so many requests be lacking
    "troubled: without part 2",  # it would tell of steps that are well, and nobody listens to those
)


@pytest.mark.parametrize("share", [pytest.param(1, marks=pytest.mark.long), 8], ids=["all", "some"])
def test_a_judge_that_forgets_any_rule_is_caught(share: int) -> None:
    """One rule in `share`, other ones each time."""
    told_apart = [mutant for mutant in mutants() if not mutant.name.endswith(INDISTINGUISHABLE)]
    sample = random.sample(told_apart, len(told_apart) // share)
    worlds = list(WORLDS)
    assert [mutant.name for mutant in sample if not caught(mutant, worlds)] == []
