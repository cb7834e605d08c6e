from __future__ import annotations

import gzip
import zlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load import wire
from seatrial.load.failure import MALFORMED, TOO_LARGE, Unanswered
from seatrial.load.wire import AnswerParser, Headers, plain_head, plain_heads, request_bytes

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


def answered(*pieces: bytes, bodiless: bool = False) -> tuple[bool, bool, int, bytes]:
    """Whether it is complete, and its connection may go on; the status and the content."""
    parser = AnswerParser()
    parser.expect(bodiless)
    for piece in pieces:
        parser.feed(piece)
    return parser.complete, parser.reusable, parser.status, parser.body()


def test_a_head_that_is_known_says_how_long_its_content_is() -> None:
    """An answer may be shorter so far, or more than one, or one to HEAD, or cut elsewhere."""
    for content in (b"aye", b"nay"):
        assert answered(PLAIN[:-3] + content) == (True, True, 200, content)
    assert answered(PLAIN[:-1]) == (False, False, 200, b"ay")
    assert answered(PLAIN[:-1], b"!") == (True, True, 200, b"ay!")
    assert answered(PLAIN[:20], PLAIN[20:]) == (True, True, 200, b"aye")
    assert answered(PLAIN + b"HTTP") == (True, False, 200, b"aye")
    assert answered(PLAIN[:-3], bodiless=True) == (True, True, 200, b"")
    assert answered(INTERIM) == (True, True, 200, b"aye")
    assert answered(INTERIM[:-1]) == (False, False, 200, b"ay")


def test_what_is_done_to_one_answers_headers_happens_to_no_other() -> None:
    for _ in range(3):
        parser = AnswerParser()
        parser.feed(PLAIN)
        assert len(parser.headers) == 2
        parser.headers.clear()


def test_no_more_heads_are_known_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service may put a number of its own into each."""
    known: dict[bytes, Any] = {}
    monkeypatch.setattr(wire, "_KNOWN", known)
    for number in range(2 * wire._MOST_KNOWN):
        answer = PLAIN.replace(b"X-Id: 1", b"X-Id: %d" % number)
        assert answered(answer) == answered(answer) == (True, True, 200, b"aye")
    assert 0 < len(known) <= wire._MOST_KNOWN
    assert answered(PLAIN.replace(b"1\r\n\r\n", b"y" * 3000 + b"\r\n\r\n")) == (True, True, 200, b"aye")
    assert max(map(len, known)) <= wire._LONGEST_KNOWN


OK = "HTTP/1.1 200 OK\r\n"
LENGTH = "Content-Length: 3\r\n"
CHUNKS = "Transfer-Encoding: chunked\r\n\r\n3\r\naye\r\n0\r\n\r\n"

# What servers send that RFC 9110 and 9112 allow, or ask a client to take: it is "aye", and the connection
# may go on (True), or may not.
TAKEN = {
    "two lengths that agree (9110, 8.6)": (f"{OK}{LENGTH}X: y\r\n{LENGTH.lower()}\r\naye", True),
    "lengths that agree in one line": (f"{OK}Content-Length: 3, 3,3\r\n\r\naye", True),
    "a length with leading zeros": (f"{OK}Content-Length: 003\r\n\r\naye", True),
    "a length beside chunks (9112, 6.3)": (OK + LENGTH + CHUNKS, False),
    "chunks beside a length": (OK + CHUNKS.replace("\r\n\r\n", f"\r\n{LENGTH}\r\n", 1), False),
    "a folded line (9112, 5.2)": (f"{OK}X: a\r\n\t  b\r\n{LENGTH}\r\naye", True),
    "a folded line at the end": (f"{OK}{LENGTH}X: a\r\n b\r\n\r\naye", True),
    "LF alone (9112, 2.2)": (f"{OK}{LENGTH}\r\n".replace("\r", "") + "aye", True),
    "LF here and there": (f"HTTP/1.1 200 OK\n{LENGTH}X: y\n\r\naye", True),
    "an empty line before": (f"\r\n{OK}{LENGTH}\r\naye", True),
    "an empty value": (f"{OK}X:\r\nY: \r\n{LENGTH}\r\naye", True),
    "bytes beyond ASCII in a value": (f"{OK}X: \xe9\xff\r\n{LENGTH}\r\naye", True),
    "no reason phrase": (f"HTTP/1.1 200 \r\n{LENGTH}\r\naye", True),
    "no reason phrase, and no space": (f"HTTP/1.1 200\r\n{LENGTH}\r\naye", True),
    "a reason beyond ASCII": (f"HTTP/1.1 200 \xe9t\xe9\r\n{LENGTH}\r\naye", True),
    "trailers and extensions of chunks": (
        f'{OK}Transfer-Encoding: Chunked\r\n\r\n3;x=1;q="y z"\r\naye\r\n000\r\nX: y\r\n\r\n', True,
    ),
    "interim answers in a row": (
        f"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n{OK}{LENGTH}\r\naye", True,
    ),
    "the same after an interim answer": (
        f"HTTP/1.1 100 Continue\r\n\r\n{OK}{LENGTH}X: y\r\n z\r\n{LENGTH}\r\naye", True,
    ),
    "a close in an interim answer, which is of the real one (9112, 9.6)": (
        f"HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n{OK}{LENGTH}\r\naye", True,
    ),
    "chunks before there were any (9112, 6.1)": (
        f"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n{CHUNKS}", False,
    ),
    "a close in any case": (f"{OK}connection: Close\r\n{LENGTH}\r\naye", False),
    "a close among others": (f"{OK}Connection: foo, close\r\n{LENGTH}\r\naye", False),
    "an offer to upgrade": (f"{OK}Upgrade: h2,h2c\r\nConnection: Upgrade\r\n{LENGTH}\r\naye", True),
    "HTTP/1.0": (f"HTTP/1.0 200 OK\r\n{LENGTH}\r\naye", False),
    "HTTP/1.0 that stays": (f"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n{LENGTH}\r\naye", True),
}  # fmt: skip
REFUSED = {
    "lengths that differ": f"{OK}{LENGTH}Content-Length: 4\r\n\r\nayes",
    "lengths that differ in one line": f"{OK}Content-Length: 3, 4\r\n\r\nayes",
    "a length and nothing": f"{OK}Content-Length: 3,\r\n\r\naye",
    "no number": f"{OK}Content-Length: +3\r\n\r\naye",
    "no length": f"{OK}Content-Length:\r\n\r\naye",
    "an abolished coding": f"{OK}Transfer-Encoding: identity\r\n{LENGTH}\r\naye",
    "a space before the colon (9112, 5.1)": f"{OK}Content-Length : 3\r\n\r\naye",
    "a name that is none": f"{OK}X Y: z\r\n{LENGTH}\r\naye",
    "chunks of unknown size": OK + CHUNKS.replace("3\r\n", "three\r\n"),
    "a status that is none": f"HTTP/1.1 099 OK\r\n{LENGTH}\r\naye",
    "another protocol": "SSH-2.0-OpenSSH_9.2\r\n",
    "another protocol that looks alike": f"RTSP/1.0 200 OK\r\n{LENGTH}\r\naye",
    "another version": f"HTTP/2.0 200 OK\r\n{LENGTH}\r\naye",
    "a coding of the transfer that is not undone": OK + CHUNKS.replace(": ", ": gzip, ", 1),
    "another in a line of its own": f"{OK}Transfer-Encoding: gzip\r\n{CHUNKS}",
    "chunks that are not the last coding (9112, 6.3)": OK + CHUNKS.replace("chunked", "chunked, gzip", 1),
    "chunks of chunks (9112, 6.1)": OK + CHUNKS.replace("chunked", "chunked, chunked", 1),
    "what only looks like chunks": OK + CHUNKS.replace("chunked", "xchunked", 1),
}


def feed(parser: AnswerParser, text: str, at_once: bool) -> None:
    data = text.encode("latin-1")
    for piece in [data] if at_once else [bytes([byte]) for byte in data]:
        parser.feed(piece)


@pytest.mark.parametrize(("text", "reusable"), TAKEN.values(), ids=TAKEN)
@pytest.mark.parametrize("at_once", [True, False])
def test_what_a_client_has_to_take(text: str, reusable: bool, at_once: bool) -> None:
    parser = AnswerParser()
    for _ in range(2):
        parser.expect(bodiless=False)
        feed(parser, text, at_once)
        assert (parser.complete, parser.status, parser.body()) == (True, 200, b"aye")
        assert parser.reusable is reusable
        if not reusable:
            return


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("at_once", [True, False])
def test_what_nobody_can_make_sense_of(text: str, at_once: bool) -> None:
    with pytest.raises(Unanswered, match=MALFORMED):
        feed(AnswerParser(), text, at_once)


@pytest.mark.parametrize(
    ("text", "bodiless"),
    [
        ("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", False),
        (f"HTTP/1.1 304 Not Modified\r\n{LENGTH}{LENGTH}\r\n", False),
        ("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", False),
        (f"{OK}Transfer-Encoding: chunked\r\n\r\n", True),
        (f"{OK}Transfer-Encoding: gzip, chunked\r\n\r\n", True),
        (f"{OK}{LENGTH}{LENGTH}\r\n", True),
    ],
)
def test_an_answer_without_content(text: str, bodiless: bool) -> None:
    parser = AnswerParser()
    parser.expect(bodiless)
    parser.feed(text.encode())
    assert (parser.complete, parser.reusable, parser.body()) == (True, True, b"")


@pytest.mark.parametrize("announced", [LENGTH + "\r\n", "Transfer-Encoding: chunked\r\n\r\n"])
def test_content_that_must_not_be_is_not_taken_for_the_next_answer(announced: str) -> None:
    """Who announces content of 204 may still send it (RFC 9112, 6.3): nothing more is asked on this connection."""
    parser = AnswerParser()
    feed(parser, f"HTTP/1.1 204 No Content\r\n{announced}", at_once=True)
    assert (parser.complete, parser.reusable, parser.status, parser.body()) == (True, False, 204, b"")


@pytest.mark.parametrize("at_once", [True, False])
def test_interim_answers_without_an_end_are_given_up_soon(at_once: bool) -> None:
    """Each is parsed and told of: the few bytes of one are worth some microseconds."""
    flood = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 101
    parser = AnswerParser()
    parser.feed(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
    parser.feed(PLAIN)
    assert parser.complete
    parser.expect(bodiless=False)
    with pytest.raises(Unanswered, match="interim answers without an end"):
        feed(parser, flood, at_once)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, gzip"])
def test_what_is_small_and_becomes_too_large_is_given_up(
    coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LARGEST_CONTENT", 1 << 16)
    for size, is_fine in ((1 << 15, True), ((1 << 16) + 1, False), (1 << 22, False)):
        content = bytes(size)
        for name in coding.split(", "):
            content = gzip.compress(content) if name == "gzip" else zlib.compress(content)
        headers = [(b"Content-Encoding", coding.encode())]
        if is_fine:
            assert wire.content_of([content], headers) == bytes(size)
        else:
            with pytest.raises(Unanswered, match=TOO_LARGE):
                wire.content_of([content], headers)


def test_a_coding_that_ends_early_is_broken_whatever_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    for most in (wire.LARGEST_CONTENT, 1 << 10):
        monkeypatch.setattr(wire, "LARGEST_CONTENT", most)
        with pytest.raises(Unanswered, match="broken content coding"):
            wire.content_of([ZIPPED[:-5]], [(b"Content-Encoding", b"gzip")])


def test_a_refused_head_that_goes_on_for_ever_ends_somewhere() -> None:
    endless = f"X: {'y' * 100}\r\n" * 5000
    with pytest.raises(Unanswered, match=MALFORMED):
        feed(AnswerParser(), OK + LENGTH + LENGTH + endless, at_once=True)


_LINES = (b"X: y", b" z", b"\tz", b":", b"Content-Length: 3", b"content-length: 3,3", b"Content-Length: 4",
          b"Transfer-Encoding: chunked")  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(_LINES), st.sampled_from([b"\r\n", b"\n"]))))
def test_plain_form_is_final(lines: list[tuple[bytes, bytes]]) -> None:
    head, _ = plain_head(b"HTTP/1.1 200 OK\n" + b"".join(line + end for line, end in lines) + b"\n")
    assert plain_head(head)[0] == head
    assert plain_heads(head)[0] == head


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
        (b"HTTP/1.1 099 OK\r\n\r\naye", False),
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
