"""A generator's process knows its secrets before the scenario does, and prints none."""

import os
import subprocess
import sys

PROGRAM = """
import logging, os, sys
from seatrial.load.secrecy import HOST, SECRETS, take_secrets
print(take_secrets())
print("TOKEN is", "s3cret-T0ken", HOST in os.environ or SECRETS in os.environ)
logging.error("logged s3cret-T0ken")
raise SystemExit("ends with s3cret-T0ken")
"""


def test_what_was_told_in_secret_is_learnt_and_printed_by_nothing() -> None:
    told = {
        "SEATRIAL_LOAD_HOST": "http://u:s3cret-T0ken@h",
        "SEATRIAL_LOAD_SECRETS": '{"s3cret-T0ken": "${TOKEN}"}',
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["http://u:${TOKEN}@h", "TOKEN is ${TOKEN} False"]
    assert done.stderr.splitlines() == ["ERROR:root:logged ${TOKEN}", "ends with ${TOKEN}"]


STOCK = """
import logging, sys
logging.basicConfig(stream=sys.stdout, format="%(levelname)s: %(message)s")
from seatrial.load.secrecy import screen_output
from seatrial.model.manyvalues import Collected, ManyValues
from seatrial.model.secrets import remember_rows
collected = Collected()
collected.add("s3cret-T0ken", 0)
remember_rows("users.csv", ManyValues(collected, ["${row.token}"]))
screen_output()
screen_output()
print("printed s3cret-T0ken")
logging.error("logged %s", "s3cret-T0ken")
"""


def test_what_locust_has_set_up_is_screened_from_when_data_with_secrets_is_read() -> None:
    done = subprocess.run([sys.executable, "-c", STOCK], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["printed ${row.token}", "ERROR: logged ${row.token}"]


def test_a_generator_that_was_told_nothing_is_as_locust_made_it() -> None:
    program = "import sys; from seatrial.load.secrecy import take_secrets; print([take_secrets(), sys.stdout is sys.__stdout__])"
    done = subprocess.run(
        [sys.executable, "-c", program], env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.stdout == "['', True]\n"
