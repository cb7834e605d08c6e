"""A spool comes to the master's disk byte for byte, whatever happens to its chunks on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatrial.load import shipping
from seatrial.load.shipping import Chunk, Inbound, Outbound


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.binary(max_size=400), st.integers(1, 60), st.randoms(use_true_random=False))
def test_chunks_that_are_lost_doubled_and_late_make_the_same_file(
    tmp_path: Path, content: bytes, size: int, chance: object
) -> None:
    random = np.random.default_rng(chance.getrandbits(32))  # type: ignore[attr-defined]
    source, target = tmp_path / "there", tmp_path / "here" / "spool"
    source.write_bytes(b"")
    written = 0
    outbound, inbound = Outbound(source), Inbound(target)
    old: list[Chunk] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shipping, "CHUNK", size)
        for _ in range(10_000):
            if inbound.whole:
                break
            if written < len(content):
                written += int(random.integers(0, 50))
                source.write_bytes(content[:written])
            else:
                outbound.complete = True
            if random.random() < 0.2 and old:
                inbound.put(old[random.integers(len(old))])
            chunk = outbound.next_chunk()
            if chunk is None or random.random() < 0.3:
                continue
            old.append(chunk)
            inbound.put(chunk)
            if random.random() < 0.8:  # else the answer is lost
                outbound.brought = inbound.size
    inbound.close()
    assert inbound.whole
    assert target.read_bytes() == content


def test_rows_that_are_kept_begin_with_their_header_alone(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.write_bytes(b"header")
    outbound = Outbound(spool)
    spool.write_bytes(b"header and rows")
    first = outbound.next_chunk(6)
    assert first is not None
    outbound.brought = 6
    assert outbound.next_chunk(6) is None
    outbound.complete = True
    rest = outbound.next_chunk()
    assert rest is not None
    assert rest.last
    assert rest.offset == 6


def test_what_cannot_be_unpacked_is_no_chunk(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be unpacked"):
        Inbound(tmp_path / "spool").put(Chunk(0, b"rubbish"))
