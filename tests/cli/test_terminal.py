"""What goes through the terminal's door holds no secret, whoever says it."""

from __future__ import annotations

import json
import logging
import sys
import traceback

import pytest

from seatrial.cli.terminal import complain, print_json, say, screened_streams
from seatrial.model import secrets
from seatrial.model.problems import BadInput, Problem

TOKEN = "s3cret-T0ken"


@pytest.fixture(autouse=True)
def _secrets() -> None:
    secrets.remember(TOKEN, "${TOKEN}")
    secrets.remember("zebra", "${WORD}")


def test_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"HTTP 401: {TOKEN}, zebra, redis://:pw@host")
    complain(BadInput([Problem(f"'{TOKEN}' is no rate"), Problem("zebra")]))
    assert capsys.readouterr().err.splitlines() == [
        "HTTP 401: ${TOKEN}, ${WORD}, redis://:***@host",
        "error '${TOKEN}' is no rate",
        "error ${WORD}",
    ]


def test_json_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    secrets.remember("1234", "${PIN}")
    print_json({"error": f"{TOKEN} 1234", "requests": 1234, "zebra": ["zebra"]})
    said = json.loads(capsys.readouterr().out)
    assert said == {"error": "${TOKEN} ${PIN}", "requests": 1234, "zebra": ["${WORD}"]}


def test_whatever_else_is_printed_is_screened(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout, sys.stderr
    with screened_streams():
        sys.stdout.write(f"printed {TOKEN}\n")
        logging.getLogger("elsewhere").addHandler(handler := logging.StreamHandler())
        logging.getLogger("elsewhere").error("logged %s", TOKEN)
        logging.getLogger("elsewhere").removeHandler(handler)
        try:
            raise ZeroDivisionError(TOKEN)
        except ZeroDivisionError:
            traceback.print_exc()
    assert (sys.stdout, sys.stderr) == before
    said = capsys.readouterr()
    assert said.out == "printed ${TOKEN}\n"
    assert said.err.startswith("logged ${TOKEN}\nTraceback")
    assert said.err.endswith("ZeroDivisionError: ${TOKEN}\n")


def test_streams_come_back_whatever_happens() -> None:
    before = sys.stdout, sys.stderr
    with pytest.raises(SystemExit), screened_streams():
        sys.exit(1)
    assert (sys.stdout, sys.stderr) == before
