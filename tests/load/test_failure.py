from __future__ import annotations

import errno
import socket
import ssl

import pytest

from seatrial.load import failure
from seatrial.model.ownfailure import is_ours, of_the_machine


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "connection refused"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "connection reset"),
        (BrokenPipeError(errno.EPIPE, "x"), "connection reset"),
        (OSError(errno.EHOSTUNREACH, "x"), "host unreachable"),
        (OSError(errno.EMFILE, "x"), "dropped: too many open files"),
        (OSError(errno.EADDRNOTAVAIL, "x"), "dropped: no local port left"),
        (OSError(errno.EBADF, "x"), "network: EBADF"),
        (OSError("no number"), "network: unknown"),
        (socket.gaierror(-2, "x"), "dropped: no address for the name"),
        (OSError(errno.ENETUNREACH, "x"), "dropped: no route to the network"),
        (PermissionError(errno.EPERM, "x"), "dropped: not permitted by this machine"),
        (ssl.SSLZeroReturnError(6, "x"), "closed without answer"),
        (ssl.SSLError(1, "x"), "tls: handshake failed"),
        (failure.Unanswered("malformed answer"), "malformed answer"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_every_failure_has_a_stable_text(error: Exception, text: str) -> None:
    assert failure.describe(error) == text
    assert bool(of_the_machine(error)) == is_ours(text)
    assert is_ours(failure.describe(error, handed_over=True)) == is_ours(text)


def test_what_is_wrong_with_a_certificate_is_told_without_the_name_that_was_asked_for() -> None:
    error = ssl.SSLCertVerificationError(1, "x")
    error.reason = "CERTIFICATE_VERIFY_FAILED"
    error.verify_message = "Hostname mismatch, certificate is not valid for 'shop.test'."
    assert failure.describe(error) == "tls: certificate verify failed: Hostname mismatch"
