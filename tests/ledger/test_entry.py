"""A line is checked by this program, and by hand."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from seatrial.ledger.canonical import canonical
from seatrial.ledger.entry import GENESIS, Chain, Entry

EVENTS = [
    canonical({"actor": f"user-{n}", "text": 'ü "quoted" \\ ,"hash":"x","prev":', "n": n}) for n in range(12)
]
LINES = [line for line, _ in Chain().link(EVENTS)]


def follow(lines: list[bytes]) -> tuple[int, str]:
    """How many lines continue the chain from the start, and why the next does not."""
    chain = Chain()
    good = len(chain.follow(lines))
    return good, chain.complaint(lines[good]) if good < len(lines) else ""


def test_a_line_is_canonical_json_throughout() -> None:
    for line in LINES:
        assert rfc8785.dumps(json.loads(line)) + b"\n" == line


def test_what_was_linked_can_be_followed() -> None:
    written, read = Chain(), Chain()
    leaves = [leaf for _, leaf in written.link(EVENTS)]
    assert read.follow(LINES) == leaves
    assert (read.size, read.head) == (written.size, written.head) == (12, leaves[-1].hex().encode())


def test_an_entry_names_the_one_before() -> None:
    entries = [Entry.parse(line) for line in LINES]
    assert entries[0].prev.encode() == GENESIS
    assert [entry.prev for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]
    assert [canonical(entry.event) for entry in entries] == EVENTS


@pytest.mark.skipif(not (shutil.which("jq") and shutil.which("sha256sum")), reason="no jq or sha256sum here")
def test_the_recipe_for_checking_by_hand_is_right(tmp_path: Path) -> None:
    segment = tmp_path / "segment.jsonl"
    segment.write_bytes(b"".join(LINES))
    recipe = f"sed -n 8p {segment} | jq -cjS 'del(.hash)' | (printf '\\0'; cat) | sha256sum"
    out = subprocess.run(["bash", "-c", recipe], capture_output=True, check=True, text=True).stdout
    assert out.split()[0] == Entry.parse(LINES[7]).hash


@given(st.integers(0, sum(map(len, LINES)) * 8 - 1))
def test_no_bit_can_be_flipped(bit: int) -> None:
    data = bytearray(b"".join(LINES))
    spoilt = data[: bit // 8].count(b"\n")
    data[bit // 8] ^= 1 << bit % 8
    lines = [line + b"\n" for line in bytes(data).split(b"\n")]
    good, complaint = follow(lines)
    assert good == spoilt
    assert complaint


@pytest.mark.parametrize(
    ("lines", "good", "complaint"),
    [
        (LINES[:3] + LINES[4:], 3, "entry 4 stands here: entries are missing, or out of order"),
        (
            [*LINES[:5], *LINES[2:]],
            5,
            "entry 2 stands here: entries are inserted or repeated, or out of order",
        ),
        (
            [LINES[0], LINES[1].replace(b"user-1", b"user-9")],
            1,
            "altered: its content does not have its hash",
        ),
        ([LINES[0], LINES[1].replace(b'{"event"', b'{ "event"')], 1, "not spelled in canonical form"),
        ([LINES[0], LINES[1][:-1]], 1, "not spelled in canonical form"),
        ([LINES[0], LINES[1][:40]], 1, "torn: the line has no end"),
        ([LINES[0], b'{"event":{}}\n'], 1, "not an entry"),
        ([LINES[0], b"\n"], 1, "not an entry"),
        (
            [LINES[0], LINES[1].replace(b'"n":1', b'"n":1.5')],
            1,
            "its event is none: n: float 1.5 is not taken",
        ),
        (
            [LINES[0], *(line for line, _ in Chain(1, b"f" * 64).link(EVENTS[1:]))],
            1,
            "its previous hash is not",
        ),
    ],
)
def test_the_complaint_says_what_happened(lines: list[bytes], good: int, complaint: str) -> None:
    found, told = follow(lines)
    assert found == good
    assert told.startswith(complaint)


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"{}",
        b'{"event":1,"hash":"","prev":"","seq":0}',
        b'{"event":{},"hash":"","prev":"","seq":true}',
        b'{"event":{},"hash":1,"prev":"","seq":0}',
        b"\xff",
    ],
)
def test_what_is_no_entry_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Entry.parse(line)
