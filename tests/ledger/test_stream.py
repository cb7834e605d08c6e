"""Lines become entries as they come; a bad one is named and costs nothing that was before it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.ledger import Ledger, SoftwareSigner, append_stream, line_batches, read_entries
from seatrial.model.problems import BadInput


@pytest.fixture
def ledger(tmp_path: Path, signer: SoftwareSigner) -> Iterator[Ledger]:
    with Ledger(tmp_path, signer) as ledger:
        yield ledger


def test_a_file_becomes_entries(ledger: Ledger, tmp_path: Path) -> None:
    source = tmp_path / "events.jsonl"
    source.write_text("".join(f'{{"n": {n}}}\n' for n in range(20_000)) + '\n  \n{"n": 20000}')
    with source.open("rb") as file:
        durable = list(append_stream(ledger, line_batches(file.fileno())))
    assert durable[-1] == 20_000
    assert durable == sorted(durable)
    assert [entry.event for entry in read_entries(tmp_path)] == [{"n": n} for n in range(20_001)]


def test_a_lone_event_in_a_quiet_pipe_is_durable_at_once(ledger: Ledger) -> None:
    reading, writing = os.pipe()
    durable = append_stream(ledger, line_batches(reading))
    os.write(writing, b'{"n": 0}\n{"half": ')
    assert next(durable) == 0
    os.write(writing, b'"line"}\n')
    assert next(durable) == 1
    os.close(writing)
    assert list(durable) == []
    os.close(reading)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"{", "<stdin>:5: not JSON: Expecting property name enclosed in double quotes at column 2"),
        (
            b'{"order": {"price": 1.5}}',
            "<stdin>:5: order.price: float 1.5 is not taken; write it as a string",
        ),
        (b"[]", "<stdin>:5: an event is a JSON object"),
    ],
)
def test_a_bad_line_is_named_and_what_was_before_it_is_kept(
    ledger: Ledger, tmp_path: Path, bad: bytes, message: str
) -> None:
    batches = [[b'{"n":0}', b'{"n":1}'], [b'{"n":2}', b"", bad, b'{"n":3}'], [b'{"n":4}']]
    durable = append_stream(ledger, batches)
    assert [next(durable), next(durable)] == [1, 2]
    with pytest.raises(BadInput) as caught:
        next(durable)
    assert str(caught.value) == message
    assert [entry.event["n"] for entry in read_entries(tmp_path)] == [0, 1, 2]


@given(st.lists(st.binary(max_size=50)), st.binary(max_size=50))
def test_batches_are_the_lines_of_the_file(lines: list[bytes], last: bytes) -> None:
    data = b"".join(line.replace(b"\n", b" ") + b"\n" for line in lines) + last
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    got = [line for batch in line_batches(reading) for line in batch]
    os.close(reading)
    assert b"\n".join(got) == data.removesuffix(b"\n")


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "endless"
    source.write_bytes(b"{}\n" + b"x" * (9 << 20))
    with source.open("rb") as file, pytest.raises(BadInput, match="<stdin>:2: longer than 8,388,608 bytes"):
        list(line_batches(file.fileno()))


def test_events_larger_than_a_read_are_whole(ledger: Ledger, tmp_path: Path) -> None:
    source = tmp_path / "events.jsonl"
    source.write_text("".join(json.dumps({"text": letter * 700_000}) + "\n" for letter in "abc"))
    with source.open("rb") as file:
        assert list(append_stream(ledger, line_batches(file.fileno())))[-1] == 2
