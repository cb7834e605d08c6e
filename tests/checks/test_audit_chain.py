"""Every way of tampering with an audit log fails the check, every time; an honest log passes, and is timed."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.audit_log import ENTRIES, EVERY, SIGNER, TRICKS, AuditLog, event, honest

from seatrial.checks.protocol import History, Need, Recorded, When
from seatrial.checks.registry import build
from seatrial.model.requestlog import RequestLog
from seatrial.model.result import CheckResult, StepRecord
from seatrial.model.verdict import Verdict

ZERO = 1_800_000_000.0  # the run's instant 0 on the wall clock
HONEST = honest()
NEED: Need[bytes] = Need("audit-log", "audit")
OUTAGE = StepRecord("outage", "fault", "hsm.unavailable", "hsm", 5.0, 5.0, 5.0, undone_s=15.0, verified=True)


def judged(
    log: AuditLog,
    *,
    signed_s: list[float] | None = None,
    steps: tuple[StepRecord, ...] = (),
    sizes: list[int] | None = None,
    zero: float = ZERO,
    ingested: tuple[tuple[int, float], ...] = (),
    cut: str = "",
    **parameters: object,
) -> CheckResult:
    """`signed_s`: when each checkpoint was signed, on the run's clock; every second when not given."""
    sizes = HONEST.sizes if sizes is None else sizes
    instants = signed_s or [float(index + 1) for index in range(len(log.notes))]
    told = [{"size": size, "signed_at": ZERO + at} for size, at in zip(sizes, instants, strict=False)]
    document = {"entries": len(log.lines), "asked_at": ZERO + 100.0, "checkpoints": told, "keys": [str(SIGNER.verifier_key())], "ingested": ingested}  # fmt: skip
    with TemporaryDirectory() as scratch:
        log.write(Path(scratch) / "recorded-audit")
        recorded = Recorded(json.dumps(document).encode(), directory=Path(scratch) / "recorded-audit")
        history = History(RequestLog.concat([]), steps, 2.0, 30.0, {NEED: recorded}, zero, cut)
        return build("audit-chain", parameters).judge(history)


def test_an_honest_log_passes() -> None:
    result = judged(HONEST)
    assert result.verdict is Verdict.PASS, result.detail
    assert result.detail == "120 entries chain; 6 checkpoints sign 120"
    assert (result.figures["entries"], result.figures["unsigned"]) == (ENTRIES, 0)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=60, unique=True).map(sorted), st.integers(0, 3))
def test_every_honest_log_passes_whatever_its_checkpoints(sizes: list[int], unsigned: int) -> None:
    log = AuditLog.of([event(n) for n in range(sizes[-1] + unsigned)], sizes)
    assert judged(log, sizes=sizes, unsigned=unsigned).verdict is Verdict.PASS
    assert judged(log, sizes=sizes).verdict is (Verdict.FAIL if unsigned else Verdict.PASS)


@pytest.mark.parametrize("name", TRICKS)
@pytest.mark.parametrize("seed", range(10))
def test_every_tampering_fails(name: str, seed: int) -> None:
    log = honest()
    TRICKS[name](log, random.Random(f"{name}/{seed}"))
    assert (log.lines, log.notes) != (HONEST.lines, HONEST.notes)
    result = judged(log)
    assert result.verdict is Verdict.FAIL, result.detail


Edit = st.tuples(st.sampled_from(["drop", "double", "move", "flip"]), st.integers(0), st.integers(0))


@settings(max_examples=25, deadline=None)
@given(st.lists(Edit, min_size=1, max_size=4))
def test_whatever_is_done_to_signed_lines_fails(edits: list[tuple[str, int, int]]) -> None:
    lines = list(HONEST.lines)
    for what, one, other in edits:
        at = one % len(lines)
        line = lines.pop(at)
        if what == "double":
            lines[at:at] = [line, line]
        elif what == "move":
            lines.insert(other % (len(lines) + 1), line)
        elif what == "flip":
            place = other % len(line)
            lines.insert(at, line[:place] + chr(ord(line[place]) ^ 1) + line[place + 1 :])
    expected = Verdict.PASS if lines == HONEST.lines else Verdict.FAIL
    assert judged(AuditLog(lines, HONEST.notes)).verdict is expected


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5), st.data())
def test_whatever_character_of_a_checkpoint_is_altered_fails(index: int, data: st.DataObject) -> None:
    note = HONEST.notes[index].rstrip("\n")
    at = data.draw(st.integers(0, len(note) - 1))
    notes = list(HONEST.notes)
    notes[index] = (
        note[:at] + data.draw(st.characters(codec="utf-8", exclude_characters=note[at])) + note[at + 1 :]
    )
    assert judged(AuditLog(HONEST.lines, notes)).verdict is Verdict.FAIL


def test_a_checkpoint_that_is_not_kept_costs_nothing() -> None:
    log = honest()
    del log.notes[2]
    assert judged(log, sizes=log.sizes).verdict is Verdict.PASS


def test_the_first_bad_entry_is_named() -> None:
    log = honest()
    del log.lines[70]
    assert "entry 70: entry 71 stands here: entries are missing" in judged(log).detail


def test_a_stolen_key_is_seen_where_a_later_checkpoint_was_kept() -> None:
    """With the key and every checkpoint, history can be rewritten; one old note is enough to tell."""
    log = honest()
    log.rewrite([event(10**6), *log.events()[1:]], SIGNER)
    assert judged(log).verdict is Verdict.PASS
    log.notes[3] = HONEST.notes[3]
    assert judged(log).verdict is Verdict.FAIL


# how long it took


def test_after_an_outage_it_is_timed_until_all_is_signed() -> None:
    """Down from 5 s to 15 s; the first signature after it is at 16.5 s, that over everything at 31 s."""
    result = judged(HONEST, signed_s=[3.0, 4.0, 16.5, 17.5, 18.5, 31.0], steps=(OUTAGE,))
    assert result.verdict is Verdict.PASS
    assert result.detail.endswith("caught up [1.5, 16.0] s after outage")
    assert result.figures["catch_up_lower_s"] == pytest.approx(1.5)
    assert result.figures["catch_up_upper_s"] == pytest.approx(16.0)
    assert result.figures["longest_without_signature_s"] == pytest.approx(12.5)
    assert result.figures["fully_signed_after_s"] == pytest.approx(1.0)


def test_with_the_instants_of_ingestion_it_is_timed_exactly() -> None:
    """62 entries before the undo at 15 s: the fourth checkpoint, at 17.5 s, is the first over them."""
    ingested = ((30, ZERO + 2), (62, ZERO + 14.9), (120, ZERO + 29))
    result = judged(HONEST, signed_s=[3.0, 4.0, 16.5, 17.5, 18.5, 31.0], steps=(OUTAGE,), ingested=ingested)
    assert result.detail.endswith("caught up 2.50 s after outage")


@pytest.mark.parametrize(
    ("limit", "expected"), [("16s", Verdict.PASS), ("15s", Verdict.UNKNOWN), ("1s", Verdict.FAIL)]
)
def test_catching_up_is_judged_on_its_upper_bound(limit: str, expected: Verdict) -> None:
    result = judged(HONEST, signed_s=[3.0, 4.0, 16.5, 17.5, 18.5, 31.0], steps=(OUTAGE,), catch_up=limit)
    assert result.verdict is expected


@pytest.mark.parametrize(
    ("signed_s", "lower_s", "upper_s"),
    [
        ([1, 2, 3, 4, 5, 14], 0.0, 0.0),  # all was signed before
        ([1, 2, 3, 4, 5, 16], 1.0, 1.0),  # the only one after it covers everything
    ],
)
def test_a_checkpoint_over_everything_ends_the_wait(
    signed_s: list[float], lower_s: float, upper_s: float
) -> None:
    figures = judged(HONEST, signed_s=signed_s, steps=(OUTAGE,)).figures
    assert (figures["catch_up_lower_s"], figures["catch_up_upper_s"]) == pytest.approx((lower_s, upper_s))


def test_who_never_signs_again_fails() -> None:
    log = AuditLog.of([event(n) for n in range(ENTRIES)], [EVERY])
    result = judged(log, signed_s=[4.0], steps=(OUTAGE,))
    assert result.verdict is Verdict.FAIL
    assert "100 entries are not signed, 0 may be" in result.detail
    assert "caught up [85.0, ∞) s after outage" in result.detail
    assert math.isinf(result.figures["catch_up_upper_s"])


# what cannot be judged


def test_without_a_clock_nothing_is_timed() -> None:
    result = judged(HONEST, steps=(OUTAGE,), zero=math.nan)
    assert result.verdict is Verdict.UNKNOWN
    assert "caught up [0, ∞) s after outage" in result.detail


def test_unsigned_entries_may_be_borne_but_prove_nothing() -> None:
    log = AuditLog(HONEST.lines, [])
    assert judged(log, unsigned=ENTRIES).verdict is Verdict.UNKNOWN


def test_a_log_with_nothing_in_it_is_unknown() -> None:
    assert judged(AuditLog(), sizes=[]).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("recorded", "says"),
    [
        (None, "nobody was asked"),
        (Recorded(None, "the audit log did not answer"), "did not answer"),
        (Recorded(b"{}"), "cannot be read"),
        (Recorded(b'{"entries": 1, "asked_at": 1, "checkpoints": [], "keys": ["x"]}'), "without a ledger"),
        (Recorded(b'{"entries": 1, "asked_at": 1, "checkpoints": [], "keys": ["x"]}', directory=Path("/nowhere")),
         "cannot be read"),
        (Recorded(f'{{"entries": 1, "asked_at": 1, "checkpoints": [], "keys": ["{SIGNER.verifier_key()}"]}}'.encode(),
                            directory=Path("/nowhere")), "no ledger here"),
    ],
)  # fmt: skip
def test_what_could_not_be_asked_is_unknown(recorded: Recorded[bytes] | None, says: str) -> None:
    told = {NEED: recorded} if recorded else {}
    history = History(RequestLog.concat([]), (), 2.0, 30.0, told, ZERO)
    result = build("audit-chain", {}).judge(history)
    assert result.verdict is Verdict.UNKNOWN
    assert says in result.detail


def test_it_is_told_of_its_role_by_the_recorder_of_audit_logs() -> None:
    assert build("audit-chain", {"role": "audit.eu"}).needs() == (Need("audit-log", "audit.eu", When.AFTER),)
