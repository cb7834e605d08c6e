"""What is our own failure is told apart by its words, and found behind what libraries make of it."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from seatrial.model import ownfailure
from seatrial.model.ownfailure import NO_ADDRESS, behind, in_other_words, is_ours, of_the_machine


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.EMFILE, "x"), "too many open files"),
        (PermissionError(errno.EACCES, "x"), "not permitted by this machine"),
        (socket.gaierror(-2, "x"), NO_ADDRESS),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), ""),
        (ssl.SSLError(errno.EPERM, "a number of OpenSSL's"), ""),
        (ValueError("x"), ""),
        (OSError("without a number"), ""),
    ],
)
def test_what_the_machine_failed_at(error: Exception, expected: str) -> None:
    assert of_the_machine(error) == expected


def wrapped(error: Exception, *, raised_from: bool) -> Exception:
    try:
        try:
            raise error
        except Exception as cause:
            if raised_from:
                raise RuntimeError("a library's word") from cause
            raise RuntimeError("a library's word")  # noqa: B904  # as some libraries do
    except RuntimeError as outer:
        return outer


@pytest.mark.parametrize("raised_from", [True, False])
def test_it_is_found_behind_a_librarys_own_error(raised_from: bool) -> None:
    assert behind(wrapped(OSError(errno.ENOMEM, "x"), raised_from=raised_from)) == "no memory for sockets"
    assert behind(wrapped(ConnectionResetError(errno.ECONNRESET, "x"), raised_from=raised_from)) == ""


def test_causes_that_go_in_a_circle_end() -> None:
    one, other = RuntimeError("one"), RuntimeError("other")
    one.__cause__, other.__cause__ = other, one
    assert behind(one) == ""


def test_nobody_else_can_use_our_words() -> None:
    words = [value for name, value in vars(ownfailure).items() if name.isupper() and name != "NO_ADDRESS"]
    ours = [word for word in words if isinstance(word, str)]
    assert len(ours) == 7
    for word in ours:
        assert is_ours(word)
        assert not is_ours(in_other_words(word))
    assert in_other_words("out of stock") == "out of stock"
