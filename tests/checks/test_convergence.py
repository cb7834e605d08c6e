"""A faithful pair of regions passes, whatever the traffic; every way of breaking one is caught, every time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from tests.support.regions import MAX_DRIFT_S, Region, World, recording_json, simulate
from tests.support.rows import log_of as rows_as_log

from seatrial.checks.convergence import Convergence, Findings, attempts_of, judge_replicas
from seatrial.checks.protocol import History, Need, Recorded
from seatrial.checks.registry import build
from seatrial.model.requestlog import RequestLog
from seatrial.model.verdict import Verdict
from seatrial.testbed.replica.hlc import Stamp
from seatrial.testbed.replica.operation import Intent, Kind, Operation
from seatrial.testbed.replica.orset import ObservedRemoveSet
from seatrial.testbed.replica.register import Register

SEEDS = range(25)


def judged(world: World) -> Findings:
    return judge_replicas(world.recording(), world.attempts, MAX_DRIFT_S)


@pytest.mark.parametrize("seed", SEEDS)
def test_faithful_regions_pass_and_what_lww_discards_is_counted(seed: int) -> None:
    findings = judged(simulate(Region("east"), Region("west"), seed))
    assert not findings.wrong, str(findings)
    figures = findings.figures
    assert figures["discarded_by_lww"] >= 1  # colour, at least
    assert figures["lost"] == figures["crdts_wrong"] == figures["counter_difference"] == 0
    assert figures["causality_violations"] == 0
    assert 1.0 <= figures["drift_max_s"] <= 10.1
    assert figures["client_dependencies"] >= 1


# mutants: one broken method each, the same in both regions unless it says otherwise


class LosesConcurrentAdditions(Region):
    """A removal takes every addition away, seen or not."""

    def show(self, operation: Operation) -> None:
        if operation.kind is Kind.REMOVE:
            everything = {"east": 10**9, "west": 10**9}
            super().show(replace(operation, context=everything))
        else:
            super().show(operation)


class ForgetsRemovals(Region):
    """A removal takes nothing away."""

    def show(self, operation: Operation) -> None:
        held = self.state.sets.get(operation.item)
        super().show(operation)
        if operation.kind is Kind.REMOVE:
            self.state.sets[operation.item] = held or ObservedRemoveSet()


class WinsByArrival(Region):
    """The last to arrive wins."""

    def show(self, operation: Operation) -> None:
        super().show(operation)
        if operation.kind is Kind.PUT:
            self.state.settings[operation.item] = register_of(operation)


class StampsByWallClock(Region):
    """Stamps are the physical clock's."""

    def issue(self, intent: Intent, now_us: int) -> Operation:
        operation = super().issue(intent, now_us)
        return replace(operation, stamp=Stamp(now_us + self.skew_us, 0))


class IgnoresTokens(Region):
    """What a client has read elsewhere does not count: only clients can tell."""

    def issue(self, intent: Intent, now_us: int) -> Operation:
        return super().issue(replace(intent, after=None), now_us)


class MergesByWallClock(Region):
    """Stamps are right, but the physical clock decides between two writes."""

    physical: dict[tuple[str, str], int]

    def show(self, operation: Operation) -> None:
        self.physical = getattr(self, "physical", {})
        held = self.state.settings.get(operation.item)
        super().show(operation)
        if operation.kind is Kind.PUT:
            if held is None or operation.physical_us > self.physical[operation.item]:
                self.state.settings[operation.item] = register_of(operation)
                self.physical[operation.item] = operation.physical_us
            else:
                self.state.settings[operation.item] = held


@dataclass
class Drops(Region):
    """One write is acknowledged, as often as it is repeated, and not kept."""

    key: str = ""

    def record(self, operation: Operation) -> None:
        if operation.key != self.key:
            super().record(operation)


class ForgetsKeys(Region):
    """A repetition is carried out again."""

    def find(self, key: str) -> Operation | None:
        return None


class CountsTwice(Region):
    """A batch that arrives again is counted again, in the state alone."""

    def take_in(self, batch: Sequence[Operation], now_us: int) -> None:
        super().take_in(batch, now_us)
        again = next((each for each in batch if each.kind is Kind.COUNT and each.value), None)
        if again:
            super().show(again)
            self.state.vector[again.dot.origin] = len(batch)


class SwapsTenantOnRecord(Region):
    """A write goes to another tenant."""

    def issue(self, intent: Intent, now_us: int) -> Operation:
        swapped = intent.name == "colour" and intent.tenant == "globex"
        return super().issue(replace(intent, tenant="acme") if swapped else intent, now_us)


class SwapsTenantInState(Region):
    """The log is right, and the state has it under another tenant."""

    def show(self, operation: Operation) -> None:
        swapped = operation.item == ("globex", "colour")
        super().show(replace(operation, tenant="acme") if swapped else operation)


class Invents(Region):
    """A setting that nobody wrote."""

    def show(self, operation: Operation) -> None:
        super().show(operation)
        self.state.settings["acme", "ghost"] = Register("boo", Stamp(1, 0), "east", "nobody")


class RunsAhead(Region):
    """Stamps are further from the clock than declared."""

    def issue(self, intent: Intent, now_us: int) -> Operation:
        operation = super().issue(intent, now_us)
        return replace(operation, physical_us=operation.physical_us - 31_000_000)


def register_of(operation: Operation) -> Register:
    return Register(str(operation.value), operation.stamp, operation.dot.origin, operation.key)


MUTANTS = [
    (LosesConcurrentAdditions, "holding the wrong content"),
    (ForgetsRemovals, "holding what no operation gives"),
    (WinsByArrival, "holding the wrong content"),
    (StampsByWallClock, "stamped before what it builds on"),
    (IgnoresTokens, "stamped before what its client had read"),
    (MergesByWallClock, "holding the wrong content"),
    (ForgetsKeys, "carried out more than once"),
    (CountsTwice, "counters off"),
    (SwapsTenantOnRecord, "carried out as something else"),
    (SwapsTenantInState, "holding the wrong content"),
    (Invents, "holding what no operation gives"),
    (RunsAhead, "stamped too far from its clock"),
]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("mutant", "complaint"), MUTANTS)
def test_every_mutant_is_caught_for_what_it_does(mutant: type[Region], complaint: str, seed: int) -> None:
    assert complaint in judged(simulate(mutant("east"), mutant("west"), seed)).wrong


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("east", "west"),
    [
        (Region, LosesConcurrentAdditions),
        (ForgetsRemovals, Region),
        (WinsByArrival, Region),
        (MergesByWallClock, Region),
        (CountsTwice, Region),
    ],
)
def test_a_merge_that_is_broken_in_one_region_alone_leaves_them_apart(
    east: type[Region], west: type[Region], seed: int
) -> None:
    assert "replica differs from the first" in judged(simulate(east("east"), west("west"), seed)).wrong


@pytest.mark.parametrize("seed", SEEDS)
def test_a_dropped_acknowledged_write_is_caught(seed: int) -> None:
    faithful = simulate(Region("east"), Region("west"), seed)
    told = {each.identity for each in faithful.attempts if each.outcome == "acknowledged"}
    key = random.Random(seed).choice(sorted(told))
    findings = judged(simulate(Drops("east", key=key), Drops("west", key=key), seed))
    assert (findings.wrong["acknowledged and lost"], findings.figures["lost"]) == (1, 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_operation_that_never_arrives_is_caught(seed: int) -> None:
    world = simulate(Region("east"), Region("west"), seed)
    world.write(world.east, (Kind.COUNT, "acme", "visits", 1))
    assert judged(world).wrong


def history(log: RequestLog, recorded: Recorded[bytes] | None, cut: str = "") -> History:
    """What this check is given; None: nobody was asked."""
    told = {Need[bytes]("replicas", "regions"): recorded} if recorded else {}
    return History(log, (), 2.0, 30.0, told, cut=cut)


def log_of(world: World) -> RequestLog:
    rows = []
    for number, attempt in enumerate(world.attempts):
        ok = attempt.outcome == "acknowledged"
        status = {"acknowledged": 201, "refused": 422, "indeterminate": 503}[attempt.outcome]
        content = " ".join(
            [
                attempt.kind,
                attempt.tenant,
                attempt.name,
                attempt.value,
                *(f"after={key}" for key in attempt.after),
            ]
        )
        due = float(number)
        rows.append({"intended": due, "sent": due, "ended": due, "ok": ok, "status": status, "name": "", "served_by": "",
                     "error": "", "worker": "", "key": f"{attempt.identity} {content}"})  # fmt: skip
    return rows_as_log(rows)


def test_the_check_reads_request_log_and_recording() -> None:
    world = simulate(Region("east"), Region("west"), 1)
    recorded = Recorded(recording_json((world.east, world.west)))
    check = build("convergence", {})
    assert isinstance(check, Convergence)
    result = check.judge(history(log_of(world), recorded))
    assert result.verdict is Verdict.PASS, result.detail
    assert f"discarded by declared LWW: {result.figures['discarded_by_lww']:.0f}" in result.detail
    key = lambda attempt: attempt.identity  # noqa: E731  # the two lists differ in order only
    assert sorted(attempts_of(log_of(world)), key=key) == sorted(world.attempts, key=key)


def test_the_check_fails_with_the_first_instance_of_what_is_wrong() -> None:
    world = simulate(Region("east"), Region("west"), 1)
    del world.west.state.settings["acme", "colour"]
    recorded = Recorded(recording_json((world.east, world.west)))
    result = Convergence().judge(history(log_of(world), recorded))
    assert result.verdict is Verdict.FAIL
    assert "west: settings/acme/colour: None" in result.detail
    cut = Convergence().judge(history(log_of(world), recorded, cut="the load generator ended early"))
    assert cut.verdict is Verdict.UNKNOWN, "they may not have passed everything on yet"


def test_a_lost_write_is_lost_whatever_would_have_followed() -> None:
    world = simulate(Region("east"), Region("west"), 1)
    recorded = Recorded(recording_json((Region("east"), Region("west"))))
    result = Convergence().judge(history(log_of(world), recorded, cut="the load generator ended early"))
    assert result.verdict is Verdict.FAIL
    assert "acknowledged and lost" in result.detail


@pytest.mark.parametrize(
    ("recorded", "says"),
    [
        (None, "nobody was asked"),
        (Recorded(None, "west does not answer"), "west does not answer"),
        (Recorded(b"{}"), "cannot be read"),
        (Recorded(b'{"replicas": [{"region": "e", "state": "[]", "digest": "", "history": []}]}'), "cannot be read"),
        (Recorded(recording_json((Region("east"), Region("west")))), "could have come apart"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_unknown(recorded: Recorded[bytes] | None, says: str) -> None:
    empty = RequestLog.empty()
    result = Convergence().judge(history(empty, recorded))
    assert result.verdict is Verdict.UNKNOWN
    assert says in result.detail


def test_what_lww_discarded_stays_counted_when_the_setting_is_written_again() -> None:
    world = World(Region("east"), Region("west"), random.Random(1))
    for region, colours in ((world.east, ("red", "crimson")), (world.west, ("blue", "navy"))):
        for colour in colours:  # neither region knows of the other's; the second replaces the first
            world.write(region, (Kind.PUT, "acme", "colour", colour))
    world.exchange()
    world.write(world.east, (Kind.PUT, "acme", "colour", "green"))
    world.exchange()
    figures = judged(world).figures
    assert (figures["won"], figures["overwritten"], figures["discarded_by_lww"]) == (1, 3, 1)


@pytest.mark.parametrize("content", ["setting.put acme theme", "setting.put acme theme two words"])
def test_a_malformed_key_is_told(content: str) -> None:
    row = {"intended": 0.0, "sent": 0.0, "ended": 0.0, "ok": True, "status": 201, "name": "", "served_by": "",
           "error": "", "worker": "", "key": f"k-1 {content}"}  # fmt: skip
    with pytest.raises(ValueError, match=r"is not ID KIND TENANT NAME VALUE"):
        attempts_of(rows_as_log([row]))


def test_other_peoples_operations_are_left_alone_unless_they_touch_what_the_run_touched() -> None:
    world = simulate(Region("east"), Region("west"), 1)
    world.east.carry_out(Intent(Kind.PUT, "initech", "theme", "plain", "theirs"), world.now_us + 10)
    world.exchange()
    assert not judged(world).wrong
    assert judged(world).figures["others"] == 1
    world.east.carry_out(Intent(Kind.PUT, "acme", "theme", "plain", "a ghost's"), world.now_us + 20)
    world.exchange()
    assert "of unknown origin" in judged(world).wrong
