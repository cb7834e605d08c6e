"""A script with a secret in it runs as it was written, and stands in no process list."""

import subprocess
from collections.abc import Sequence

import pytest

from seatrial.drivers.script import out_of_sight
from seatrial.model import secrets

TOKEN = "s3cret-T0ken"


@pytest.fixture(autouse=True)
def _secret() -> None:
    secrets.remember(TOKEN, "${TOKEN}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["sh", "-c", f"printf %s '{TOKEN}'"],
        ["/bin/sh", "-ec", f'echo "$0 $1 $# {TOKEN}"; false; echo no', "zero", "one two"],
        ["sh", "-c", f"read line; echo \"$line {TOKEN} 'x'\"; exit 3"],
        ["sh", "-u", "-c", f"for each in a b; do echo $each {TOKEN}; done"],
        ["sh", "-c", f"if {TOKEN}"],
    ],
)
def test_the_same_is_done_out_of_sight(arguments: Sequence[str]) -> None:
    hidden, environment = out_of_sight(arguments)
    assert TOKEN not in " ".join(hidden)
    before, after = (
        subprocess.run(command, env=extra, input=b"typed\n", capture_output=True, check=False)
        for command, extra in ((arguments, {}), (hidden, environment))
    )
    assert (before.returncode, before.stdout) == (after.returncode, after.stdout)
    assert TOKEN in " ".join(environment.values())


@pytest.mark.parametrize(
    "arguments", [["sh", "-c", "true"], ["tool", "-c", TOKEN], ["sh", "script", TOKEN], ["sh"], ["sh", "-c"]]
)
def test_whatever_is_no_script_with_a_secret_is_left_alone(arguments: Sequence[str]) -> None:
    assert out_of_sight(arguments) == (list(arguments), {})
