"""What HTTP/2 makes of requests, and of everything that a server may answer, leave out or break."""

from __future__ import annotations

import gzip
from itertools import pairwise
from typing import Any

import hpack
import pytest
from h2.errors import ErrorCodes
from hyperframe.frame import DataFrame, Frame, HeadersFrame
from hypothesis import given
from hypothesis import strategies as st
from tests.support.http2_peer import Http2Peer

from seatrial.load import http2_wire
from seatrial.load.failure import CLOSED, CUT_SHORT, MALFORMED, TOO_LARGE, Unanswered
from seatrial.load.http2_wire import GIVEN_UP, GOING_AWAY, NO_STREAMS, NOT_SPOKEN, Answer, Http2Wire, words
from seatrial.model.ownfailure import is_ours

GET = words("GET", "/", {"Host": "h"}, None)


class Meeting:
    """A client and a server in memory, each of which has heard what the other has said."""

    def __init__(self, peer: Http2Peer | None = None) -> None:
        self.now_s = 0.0
        self.wire = Http2Wire(lambda: self.now_s)
        self.peer = peer or Http2Peer()
        self.talk()

    def talk(self) -> None:
        """Until neither has anything more to say."""
        while (out := self.wire.output()) or (back := self.peer.output()):
            if out:
                self.peer.take(out)
            else:
                self.wire.feed(back)

    def ask(self, request: http2_wire.Words = GET) -> Answer:
        answer = self.wire.ask(request, b"http")
        self.talk()
        return answer


@pytest.fixture
def meeting() -> Meeting:
    return Meeting()


def failure(answer: Answer) -> str:
    assert not answer.complete
    return str(answer.failed)


# words


def test_a_request_is_put_into_fields(meeting: Meeting) -> None:
    headers = {
        "Host": "shop.test", "X-Tenant": " acme", "Connection": "close", "TE": "gzip", "Content-Length": "9",
    }  # fmt: skip
    meeting.ask(words("POST", "/a?b=1", headers, b"aye"))
    assert meeting.peer.heads[1] == {
        ":scheme": "http", ":method": "POST", ":authority": "shop.test", ":path": "/a?b=1", "x-tenant": "acme",
        "content-length": "3",
    }  # fmt: skip
    assert meeting.peer.bodies[1] == b"aye"


@given(st.sampled_from(["\r", "\n", "\0"]), st.integers(0, 3))
def test_no_part_of_a_request_breaks_out_of_its_place(evil: str, part: int) -> None:
    parts = ["GET", "/", "X-Id", "1"]
    parts[part] += evil
    with pytest.raises(ValueError, match="line break"):
        words(parts[0], parts[1], {parts[2]: parts[3]}, None)


# answers


@given(st.lists(st.integers(0, 200), max_size=8))
def test_an_answer_may_come_in_any_pieces(cuts: list[int]) -> None:
    meeting = Meeting()
    answer = meeting.ask()
    meeting.peer.answer(1, x_id="1")
    data = meeting.peer.output()
    for start, end in pairwise([0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]):
        assert not answer.complete or start == end
        meeting.wire.feed(data[start:end])
    assert (answer.complete, answer.status, answer.body()) == (True, 200, b"aye")
    assert answer.headers == [(b"x-id", b"1")]


def test_many_at_once_are_answered_in_any_order(meeting: Meeting) -> None:
    answers = [meeting.ask() for _ in range(5)]
    for stream in reversed(meeting.peer.asked):
        meeting.peer.answer(stream, b"%d" % stream)
    meeting.talk()
    assert [answer.body() for answer in answers] == [b"1", b"3", b"5", b"7", b"9"]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_an_answer_without_content(meeting: Meeting, method: str, status: int) -> None:
    answer = meeting.ask(words(method, "/", {}, None))
    meeting.peer.answer(1, b"", status, content_length="3" if status != 204 else "0")
    meeting.talk()
    assert (answer.complete, answer.status, answer.body()) == (True, status, b"")


def test_interim_answers_and_trailers(meeting: Meeting) -> None:
    answer = meeting.ask()
    h2 = meeting.peer.h2
    h2.send_headers(1, [(":status", "103"), ("link", "x")])
    h2.send_headers(1, [(":status", "200"), ("content-encoding", "gzip")])
    h2.send_data(1, gzip.compress(b"aye"))
    h2.send_headers(1, [("x-sum", "7")], end_stream=True)
    meeting.talk()
    assert (answer.status, answer.body(), answer.headers[-1]) == (200, b"aye", (b"x-sum", b"7"))
    assert (b"link", b"x") not in answer.headers


def test_content_of_any_length_passes_the_windows_both_ways() -> None:
    meeting = Meeting(Http2Peer(window=1000))
    sent, received = b"s" * 20_000, b"r" * 3_000_000
    answer = meeting.ask(words("PUT", "/", {}, sent))
    while answer in meeting.wire.changed:  # as whoever waits for it does
        meeting.wire.changed.clear()
        meeting.wire.go_on(answer)
        meeting.talk()
    assert meeting.peer.bodies[1] == sent
    h2 = meeting.peer.h2
    h2.send_headers(1, [(":status", "200")])
    while received:
        size = min(len(received), h2.local_flow_control_window(1), h2.max_outbound_frame_size)
        assert size, "the client opens its window again"
        h2.send_data(1, received[:size], end_stream=size == len(received))
        received = received[size:]
        meeting.talk()
    assert len(answer.body()) == 3_000_000


def test_what_is_answered_before_it_was_asked_in_full_is_answered() -> None:
    meeting = Meeting(Http2Peer(window=10))
    answer = meeting.ask(words("PUT", "/", {}, b"s" * 100))
    meeting.peer.answer(1, b"", 413)
    meeting.talk()
    assert (answer.complete, answer.status) == (True, 413)
    assert meeting.peer.resets == {1: ErrorCodes.CANCEL}
    assert meeting.wire.has_room


# what fails, and what does not


@pytest.mark.parametrize(
    ("code", "said"),
    [(7, "refused stream"), (2, "internal error"), (8, "cancel"), (0, "no error"), (999, "code 999")],
)
def test_a_stream_that_the_server_breaks_off_fails_alone(meeting: Meeting, code: int, said: str) -> None:
    broken, other = meeting.ask(), meeting.ask()
    meeting.peer.h2.reset_stream(1, code)
    meeting.peer.answer(3)
    meeting.talk()
    assert failure(broken) == f"stream reset: {said}"
    assert other.complete
    assert meeting.wire.has_room


def test_a_server_that_goes_away_answers_what_it_has_taken_on(meeting: Meeting) -> None:
    first, second, third = meeting.ask(), meeting.ask(), meeting.ask()
    meeting.peer.go_away(3)
    meeting.talk()
    assert not meeting.wire.has_room
    assert failure(third) == GOING_AWAY
    assert not is_ours(GOING_AWAY)  # it was sent, and the service did not answer it
    meeting.peer.answer(1)
    meeting.peer.answer(3)
    meeting.talk()
    assert (first.body(), second.body()) == (b"aye", b"aye")
    assert meeting.wire.is_idle


def test_a_server_may_first_say_that_it_will_go_away_and_then_go(meeting: Meeting) -> None:
    answer = meeting.ask()
    meeting.peer.go_away((1 << 31) - 1)
    meeting.peer.go_away(0, ErrorCodes.ENHANCE_YOUR_CALM)
    meeting.talk()
    assert failure(answer) == f"{GOING_AWAY} (enhance your calm)"


@pytest.mark.parametrize(("begun", "why"), [(False, CLOSED), (True, CUT_SHORT)])
def test_a_connection_that_ends(meeting: Meeting, begun: bool, why: str) -> None:
    answer = meeting.ask()
    if begun:
        meeting.peer.h2.send_headers(1, [(":status", "200")])
    meeting.talk()
    meeting.wire.end()
    assert failure(answer) == why


def test_a_connection_that_is_reset_fails_all_that_is_under_way(meeting: Meeting) -> None:
    reset = ConnectionResetError()
    answers = [meeting.ask(), meeting.ask()]
    meeting.wire.fail(reset)
    assert [answer.failed for answer in answers] == [reset, reset]
    assert meeting.wire.changed == answers


def answer_by_hand(wire: Http2Wire, stream: int, *parts: Any) -> None:
    """What no library would send: lists are headers, bytes are content, and the last part ends it."""
    encoder = hpack.Encoder()
    frame: Frame
    for number, part in enumerate(parts, 1):
        if isinstance(part, bytes):
            frame = DataFrame(stream, part)
        else:
            frame = HeadersFrame(stream, encoder.encode(part))
            frame.flags.add("END_HEADERS")
        if number == len(parts):
            frame.flags.add("END_STREAM")
        wire.feed(frame.serialize())


OK, THREE = [(":status", "200")], ("content-length", "3")
NOT_TO_BE = {
    "status +200": [[(":status", "+200")], b"aye"],
    "status 2_00": [[(":status", "2_00")], b"aye"],
    "status 0200": [[(":status", "0200")], b"aye"],
    "status 99": [[(":status", "99")], b"aye"],
    "status 099": [[(":status", "099")], b"aye"],
    "status -1": [[(":status", "-1")]],
    "content of 204": [[(":status", "204")], b"aye"],
    "content of 304": [[(":status", "304"), THREE], b"aye"],
    "none, though announced": [[*OK, THREE]],
    "none but trailers": [[*OK, THREE], [("x", "y")]],
    "another protocol": [[(":status", "101")], OK, b"aye"],
}


@pytest.mark.parametrize("parts", NOT_TO_BE.values(), ids=NOT_TO_BE)
def test_an_answer_that_must_not_be_fails_alone(meeting: Meeting, parts: list[Any]) -> None:
    wrong, other = meeting.ask(), meeting.ask()
    answer_by_hand(meeting.wire, wrong.stream, *parts)
    assert failure(wrong) == MALFORMED
    assert wrong in meeting.wire.changed
    answer_by_hand(meeting.wire, other.stream, OK, b"aye")
    assert other.complete
    assert meeting.wire.has_room


def test_content_without_an_end_is_given_up_before_it_fills_the_memory(
    meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of HTTP/1.1, and without the others on the connection."""
    monkeypatch.setattr(http2_wire, "LARGEST_CONTENT", 100_000)
    large, just_so, other = meeting.ask(), meeting.ask(), meeting.ask()
    h2, sent = meeting.peer.h2, 0
    for stream in (1, 3):
        h2.send_headers(stream, [(":status", "200")])
    for _ in range(10):
        h2.send_data(3, b"y" * 10_000)
    h2.end_stream(3)
    while meeting.peer.resets == {}:
        h2.send_data(1, b"y" * 10_000)
        sent += 10_000
        assert sent <= 110_000
        meeting.talk()
    meeting.peer.answer(5)
    meeting.talk()
    assert failure(large) == TOO_LARGE
    assert meeting.peer.resets == {1: ErrorCodes.CANCEL}
    assert (len(just_so.body()), other.body()) == (100_000, b"aye")


def test_what_is_wrong_with_one_answer_is_no_failure_of_the_others(meeting: Meeting) -> None:
    wrong, done, other = meeting.ask(), meeting.ask(), meeting.ask()
    meeting.peer.answer(3)
    meeting.peer.answer(1, content_length="4")
    with pytest.raises(Unanswered, match=GIVEN_UP) as given_up:
        meeting.talk()
    meeting.wire.fail(given_up.value)
    assert done.complete
    assert failure(wrong) == MALFORMED
    assert is_ours(failure(other))


@pytest.mark.parametrize(
    "frame",
    [
        b"\0\0\x08\6\0\0\0\0\1" + bytes(8),  # PING of a stream
        b"\0\0\4\x08\0\0\0\0\0" + bytes(4),  # a window that opens by nothing
        b"\xff\xff\xff\0\0\0\0\0\1",  # longer than any may be
        b"\0\0\4\7\0\0\0\0\0" + bytes(4),  # GOAWAY without its half
    ],
)
def test_a_server_that_breaks_the_rules_of_the_connection_has_failed_everybody(
    meeting: Meeting, frame: bytes
) -> None:
    answer = meeting.ask()
    with pytest.raises(Unanswered, match=MALFORMED) as broken:
        meeting.wire.feed(frame)
    meeting.wire.fail(broken.value)
    assert failure(answer) == MALFORMED


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"S", b"\0\0\0\1\0\0\0\0\1", b"\x15\3"]
)
def test_a_server_that_speaks_something_else(said: bytes) -> None:
    with pytest.raises(Unanswered, match=NOT_SPOKEN):
        Http2Wire().feed(said)


@given(st.binary(max_size=60), st.booleans())
def test_no_bytes_are_more_than_unanswered(data: bytes, settled: bool) -> None:
    meeting = Meeting()
    wire = meeting.wire if settled else Http2Wire()
    wire.ask(GET, b"http")
    try:
        wire.feed(data)
    except Unanswered as error:
        wire.fail(error)
        assert wire.is_idle


def test_headers_that_fill_the_memory_are_not_taken(meeting: Meeting) -> None:
    answer = meeting.ask()
    named = {f"x-{number}": "y" * 1000 for number in range(300)}
    meeting.peer.h2.send_headers(1, [(":status", "200"), *named.items()])
    with pytest.raises(Unanswered):
        meeting.talk()
    assert failure(answer) == MALFORMED


# room


def test_nothing_more_is_begun_before_the_server_has_said_how_many_it_allows() -> None:
    wire, peer = Http2Wire(), Http2Peer(most_streams=2)
    assert not wire.has_room
    wire.ask(GET, b"http")  # but the one for which the connection was made
    assert not wire.has_room
    wire.feed(peer.output())
    assert wire.has_room
    wire.ask(GET, b"http")
    assert not wire.has_room


def test_a_server_that_allows_none_at_all() -> None:
    meeting = Meeting(Http2Peer(most_streams=0))
    assert not meeting.wire.has_room
    with pytest.raises(Unanswered, match=NO_STREAMS):
        meeting.wire.ask(GET, b"http")


def test_what_nobody_waits_for_any_more_is_broken_off_and_the_rest_goes_on(meeting: Meeting) -> None:
    slow, other = meeting.ask(), meeting.ask()
    meeting.wire.cancel(slow)
    meeting.talk()
    meeting.peer.answer(3)
    meeting.talk()
    assert meeting.peer.resets == {1: ErrorCodes.CANCEL}
    assert other.complete
    assert meeting.wire.has_room
    meeting.wire.cancel(slow)  # of what is over nothing more is said
    assert not meeting.wire.output()


def test_a_server_that_has_gone_silent_is_asked_whether_it_is_there_and_else_gets_nothing_new(
    meeting: Meeting,
) -> None:
    answer = meeting.ask()
    meeting.now_s += 2.0
    meeting.wire.cancel(answer)
    unheard = meeting.wire.output()
    assert meeting.wire.has_room
    meeting.now_s += 1.5
    assert not meeting.wire.has_room
    meeting.peer.take(unheard)
    meeting.talk()
    assert meeting.peer.pings == 1
    assert meeting.wire.has_room


def test_it_is_asked_nothing_if_it_has_said_anything_meanwhile(meeting: Meeting) -> None:
    slow, meeting.now_s = meeting.ask(), 1.0
    meeting.ask()
    meeting.peer.answer(3)
    meeting.talk()
    meeting.wire.cancel(slow)
    meeting.talk()
    assert meeting.peer.pings == 0
