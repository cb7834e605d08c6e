"""What ends a load process is told from the error itself, not from the log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seatrial.load.failure import COUNTED
from seatrial.load.refusal import OURS, REFUSAL, telling, told
from seatrial.model import secrets

SCENARIOS = ["loadtests/shop.py"]
logger = logging.getLogger("somebody")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where it is told; records of logging are made as before afterwards."""
    make, stream = logging.getLogRecordFactory(), sys.stderr
    monkeypatch.setenv(REFUSAL, str(tmp_path / "refused.txt"))
    yield tmp_path / "refused.txt"
    logging.setLogRecordFactory(make)
    sys.stderr = stream


def exits(code: int, before: Callable[[], object] = lambda: None) -> None:
    """A process that ends so, after something was done."""

    def process() -> None:
        with telling(SCENARIOS):
            before()
            raise SystemExit(code)

    with pytest.raises(SystemExit):
        process()


def test_a_good_end_has_no_reason(place: Path) -> None:
    with telling(SCENARIOS):
        logger.error("a request failed")
    exits(0)
    assert told(place) == ""


def test_the_last_errors_are_the_reason_but_none_that_is_counted(place: Path) -> None:
    def log() -> None:
        logger.error("out of %s", "rum")
        logger.error("KeyError, 7 times", extra={COUNTED: True})

    exits(1, log)
    assert told(place) == "out of rum"


def test_what_we_refuse_comes_before_what_others_complain_of(place: Path) -> None:
    def log() -> None:
        logger.error("--rate is no rate", extra={OURS: True})
        logger.error("users are not spawned")

    exits(64, log)
    assert told(place) == "--rate is no rate"


def test_what_we_refuse_is_told_however_the_process_ends(place: Path) -> None:
    """Locust's master ends well even so."""
    exits(0, lambda: logger.error("a run has no master", extra={OURS: True}))
    assert told(place) == "a run has no master"


def test_without_an_error_the_last_line_to_stderr_is_the_reason(place: Path) -> None:
    exits(2, lambda: sys.stderr.write("usage: locust …\nlocust: error: unrecognized arguments: --foo\n"))
    assert told(place) == "locust: error: unrecognized arguments: --foo"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import json\njson.loads('{')", r"loadtests/shop.py:2: json.decoder.JSONDecodeError: Expecting"),
        ("\n{}['x']", "loadtests/shop.py:2: KeyError: 'x'"),
        (
            "import os\nos.environ['NOT_SET']",
            "loadtests/shop.py:2: KeyError: 'NOT_SET'; set it in the environment, or under variables: in the",
        ),
        ("def (", "loadtests/shop.py:1: SyntaxError: invalid syntax"),
    ],
)
def test_an_exception_is_told_with_its_place_in_the_scenario(place: Path, source: str, reason: str) -> None:
    with pytest.raises((ValueError, KeyError, SyntaxError)), telling(SCENARIOS):
        exec(compile(source, "/somewhere/loadtests/shop.py", "exec"))  # noqa: S102
    assert told(place).startswith(reason)


def test_elsewhere_it_is_told_with_the_place_that_raised(place: Path) -> None:
    with pytest.raises(OSError, match="no way"), telling(SCENARIOS):
        raise OSError("no way")
    assert told(place).startswith(f"{__file__}:")


def test_it_holds_no_secret(place: Path) -> None:
    secrets.remember("s3cret-T0ken", "${TOKEN}")
    exits(1, lambda: logger.error("HTTP 401 for s3cret-T0ken"))
    assert told(place) == "HTTP 401 for ${TOKEN}"


def test_nobody_is_told_who_did_not_ask(tmp_path: Path) -> None:
    exits(1)
    assert told(tmp_path / "refused.txt") == ""
