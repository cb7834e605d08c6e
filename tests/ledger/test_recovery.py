"""What a crash leaves is mended, everything acknowledged is kept; what is damage is not touched."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.ledger_tampering import ENTRIES, HEIGHT, TRICKS, Log

from seatrial.ledger import Damaged, Ledger, SoftwareSigner, canonical, read_entries, verify
from seatrial.ledger.entry import Chain, Entry
from seatrial.ledger.layout import Layout
from seatrial.ledger.recovery import LONGEST_TEAR
from seatrial.model.verdict import Verdict


def copy_of(pristine: Path, tmp_path: Path) -> Layout:
    copy = tmp_path / "ledger"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(pristine, copy)
    return Layout(copy, HEIGHT)


def reopen(layout: Layout, signer: SoftwareSigner) -> Ledger:
    return Ledger(layout.directory, signer, segment_height=HEIGHT)


def unsynced(layout: Layout, count: int) -> bytes:
    """The lines of `count` more entries, as a writer would have begun to write them."""
    last = layout.segment(ENTRIES - 1).read_bytes().splitlines()[-1]
    chain = Chain(ENTRIES, Entry.parse(last).hash.encode())
    return b"".join(line for line, _ in chain.link([canonical({"n": n}) for n in range(count)]))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    written=st.integers(0, 10),
    cut=st.integers(1, 170),
    zeroed=st.integers(0, 2500),
    junk=st.binary(max_size=40),
)
def test_any_tear_of_the_unacknowledged_is_mended(
    pristine: Path, tmp_path: Path, signer: SoftwareSigner, written: int, cut: int, zeroed: int, junk: bytes
) -> None:
    """The last group came half to the disk: cut anywhere, a page of it never written, rubbish behind it."""
    layout = copy_of(pristine, tmp_path)
    data = bytearray(unsynced(layout, written)[:-cut] + junk)
    data[zeroed : zeroed + 512] = bytes(len(data[zeroed : zeroed + 512]))
    with layout.segment(ENTRIES - 1).open("ab") as file:
        file.write(data)
    with reopen(layout, signer) as ledger:
        kept = ledger.recovery.entries
        assert ENTRIES <= kept <= ENTRIES + written
        assert (ledger.recovery.cut_bytes > 0) == bool(ledger.recovery.cut_to)
        if ledger.recovery.cut_to is not None:
            assert bytes(data).endswith(ledger.recovery.cut_to.read_bytes())
        assert ledger.append({"after": "the crash"}) == kept
    report = verify(layout.directory, [signer.verifier_key()], segment_height=HEIGHT)
    assert report.verdict is Verdict.PASS
    assert report.signed == kept + 1


@pytest.mark.parametrize(
    "torn", [b"seatrial.test/ledger\n30", b"\n", bytes(40), b"a\nb\nc\n\n" + bytes(9) + b"\n\n"]
)
def test_a_torn_checkpoint_is_written_anew(
    pristine: Path, tmp_path: Path, signer: SoftwareSigner, torn: bytes
) -> None:
    layout = copy_of(pristine, tmp_path)
    with layout.checkpoints.open("ab") as file:
        file.write(torn)
    with reopen(layout, signer) as ledger:
        ledger.append({"n": 1})
    assert verify(layout.directory, [signer.verifier_key()], segment_height=HEIGHT).verdict is Verdict.PASS


@pytest.mark.parametrize("roots", ["", "0123", None])
def test_lost_roots_of_full_segments_are_computed_anew(
    pristine: Path, tmp_path: Path, signer: SoftwareSigner, roots: str | None
) -> None:
    layout = copy_of(pristine, tmp_path)
    recorded = layout.subtrees.read_text()
    if roots is None:
        layout.subtrees.unlink()
    else:
        layout.subtrees.write_text(recorded[:65] + roots)
    reopen(layout, signer).close()
    assert layout.subtrees.read_text() == recorded


def test_a_full_segment_whose_successor_was_never_made(
    pristine: Path, tmp_path: Path, signer: SoftwareSigner
) -> None:
    layout = copy_of(pristine, tmp_path)
    with reopen(layout, signer) as ledger:
        ledger.append_all([{"n": n} for n in range(5 * layout.segment_size - ENTRIES)])
    assert not layout.segment(5 * layout.segment_size).exists()
    with reopen(layout, signer) as ledger:
        assert ledger.append({"n": 0}) == 5 * layout.segment_size
    assert verify(layout.directory, [signer.verifier_key()], segment_height=HEIGHT).verdict is Verdict.PASS


def test_unsigned_entries_of_a_crash_are_signed_on_opening(
    pristine: Path, tmp_path: Path, signer: SoftwareSigner
) -> None:
    layout = copy_of(pristine, tmp_path)
    with layout.segment(ENTRIES - 1).open("ab") as file:
        file.write(unsynced(layout, 5))
    keys = [signer.verifier_key()]
    assert verify(layout.directory, keys, segment_height=HEIGHT).verdict is Verdict.UNKNOWN
    reopen(layout, signer).close()
    assert verify(layout.directory, keys, segment_height=HEIGHT).verdict is Verdict.PASS
    assert sum(1 for _ in read_entries(layout.directory, segment_height=HEIGHT)) == ENTRIES + 5


@pytest.mark.parametrize(
    "kind",
    [
        "cut_lines_off_the_end",
        "remove_a_segment",
        "write_anew_and_sign_with_another_key",
        "alter_the_last_entry",
    ],
)
def test_a_damaged_log_is_not_extended(
    pristine: Path, tmp_path: Path, signer: SoftwareSigner, kind: str
) -> None:
    layout = copy_of(pristine, tmp_path)
    if kind in TRICKS:
        TRICKS[kind](Log.read(layout.directory, signer), random.Random(1))
    else:
        path = layout.segment(ENTRIES - 1)
        path.write_bytes(path.read_bytes().replace(b"order/299", b"order/298"))
    before = {path: path.read_bytes() for path in layout.segments.iterdir()}
    with pytest.raises(Damaged):
        reopen(layout, signer)
    assert {path: path.read_bytes() for path in layout.segments.iterdir() if path in before} == before


def test_a_tail_longer_than_a_group_is_no_tear(
    pristine: Path, tmp_path: Path, signer: SoftwareSigner
) -> None:
    layout = copy_of(pristine, tmp_path)
    with layout.segment(ENTRIES - 1).open("ab") as file:
        file.write(b"x" * (LONGEST_TEAR + 1))
    with pytest.raises(Damaged, match=r"\.jsonl:45: entry 300: torn: the line has no end; run verify"):
        reopen(layout, signer)


def test_the_wrong_key_does_not_extend(pristine: Path, tmp_path: Path, signer: SoftwareSigner) -> None:
    layout = copy_of(pristine, tmp_path)
    other = SoftwareSigner.generate(signer.name)
    with pytest.raises(Damaged, match="no trusted key signed it"):
        reopen(layout, other)
    with Ledger(layout.directory, other, trusted=[signer.verifier_key()], segment_height=HEIGHT) as ledger:
        ledger.append({"the key": "was changed"})
    both = [signer.verifier_key(), other.verifier_key()]
    assert verify(layout.directory, both, segment_height=HEIGHT).verdict is Verdict.PASS
    assert verify(layout.directory, both[:1], segment_height=HEIGHT).verdict is Verdict.FAIL
