from __future__ import annotations

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load.failure import Unanswered
from seatrial.load.wire import AnswerParser, Headers, request_bytes

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Id: 1\r\n\r\naye"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nye\r\n0\r\nX-Id: 1\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN
ZIPPED = gzip.compress(b"aye")
CODED = (
    b"HTTP/1.1 200 OK\r\nX-Id: 1\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(ZIPPED)
    + ZIPPED
)


@given(st.sampled_from([PLAIN, CHUNKED, INTERIM, CODED]), st.lists(st.integers(0, 120), max_size=8))
def test_an_answer_may_come_in_any_pieces(data: bytes, cuts: list[int]) -> None:
    parser = AnswerParser()
    for _ in range(2):  # a parser lives as long as its connection
        parser.expect(bodiless=False)
        edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        for start, end in pairwise(edges):
            assert not parser.complete or start == end
            if start < end:
                parser.feed(data[start:end])
        assert parser.complete
        assert parser.reusable
        assert (parser.status, parser.body()) == (200, b"aye")
        assert Headers(parser.headers)["x-id"] == "1"


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_unanswered(data: bytes) -> None:
    parser = AnswerParser()
    try:
        parser.feed(data)
        parser.end()
        parser.body()
    except Unanswered:
        pass


@pytest.mark.parametrize(
    ("data", "complete"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\naye", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\naye", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\naye", False),
        (b"HTTP/1.1 200 OK\r\nX-Id", False),
        (b"", False),
    ],
)
def test_where_the_peer_closes(data: bytes, complete: bool) -> None:
    parser = AnswerParser()
    if data:
        parser.feed(data)
    parser.end()
    assert parser.complete is complete
    assert not parser.reusable


def test_bytes_after_the_answer_spoil_the_connection_not_the_answer() -> None:
    parser = AnswerParser()
    parser.feed(PLAIN + PLAIN)
    assert (parser.complete, parser.body(), parser.reusable) == (True, b"aye", False)


def test_the_answer_to_head_ends_with_its_headers() -> None:
    parser = AnswerParser()
    parser.expect(bodiless=True)
    parser.feed(PLAIN[: -len(b"aye")])
    assert (parser.complete, parser.reusable, parser.body()) == (True, True, b"")
    parser.expect(bodiless=False)
    parser.feed(PLAIN)
    assert parser.body() == b"aye"


def test_several_content_codings_are_undone_in_reverse() -> None:
    body = gzip.compress(zlib.compress(b"aye"))
    parser = AnswerParser()
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: deflate, gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    parser.feed(head.encode() + body)
    assert parser.body() == b"aye"


def test_an_unknown_content_coding_is_no_answer() -> None:
    parser = AnswerParser()
    parser.feed(b"HTTP/1.1 200 OK\r\nContent-Encoding: morse\r\nContent-Length: 3\r\n\r\n.-.")
    with pytest.raises(Unanswered, match="unknown content coding"):
        parser.body()


def test_a_request() -> None:
    assert request_bytes("POST", "/x", {"Host": "h"}, b"aye") == (
        b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\naye"
    )
    assert request_bytes("GET", "/", {"Host": "h"}, None) == b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


@given(st.sampled_from(["\r\n", "\n", "\r"]), st.integers(0, 3))
def test_no_part_of_a_request_breaks_out_of_its_line(line_break: str, part: int) -> None:
    parts = ["GET", "/", "X-Id", "1"]
    parts[part] += line_break + "X-Evil: 1"
    with pytest.raises(ValueError, match="line break"):
        request_bytes(parts[0], parts[1], {parts[2]: parts[3]}, None)


def test_headers_are_met_in_any_case_and_joined() -> None:
    headers = Headers([(b"Via", b"a"), (b"VIA", b"b"), (b"X-Id", b"1")])
    assert (headers["via"], headers["x-ID"], len(headers), "nope" in headers) == ("a, b", "1", 2, False)
    assert dict(headers) == {"via": "a, b", "x-id": "1"}
