"""Requests on the control socket that start nothing: what is wrong with them is said."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import Callable
from typing import TypeVar

import pytest

from seatrial.model.problems import Unavailable
from seatrial.testbed import control
from seatrial.testbed.__main__ import main
from seatrial.testbed.places import Places
from seatrial.testbed.programs import Programs
from seatrial.testbed.supervisor import Supervisor
from seatrial.testbed.topology import Topology

Result = TypeVar("Result")


def with_a_supervisor(
    places: Places, topology: Topology, programs: Programs, client: Callable[[], Result]
) -> Result:
    """What `client`, in a thread, gets from a supervisor whose parts have not been started."""

    async def scenario() -> Result:
        places.sockets.mkdir(parents=True)
        supervisor = Supervisor(places, topology, programs)
        try:
            async with await asyncio.start_unix_server(supervisor.serve, places.control):
                return await asyncio.to_thread(client)
        finally:
            shutil.rmtree(places.sockets)  # it may lie outside tmp_path, whose name is long

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("operation", "part", "says"),
    [
        ("stop", "east.bleu", "unknown part 'east.bleu'; did you mean 'east.blue'?"),
        ("stpo", "edge", "unknown operation 'stpo'; did you mean 'stop'?"),
    ],
)
def test_what_is_unknown_is_refused_with_a_hint(
    operation: str, part: str, says: str, places: Places, topology: Topology, programs: Programs
) -> None:
    def ask() -> str:
        with pytest.raises(Unavailable) as refused:
            control.ask(places, operation, part)
        return str(refused.value)

    assert with_a_supervisor(places, topology, programs, ask) == f"testbed: {says}"


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b"[]\n", b"nonsense\n"])
def test_nonsense_is_answered(line: bytes, places: Places, topology: Topology, programs: Programs) -> None:
    def ask() -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(places.control))
            connection.sendall(line)
            with connection.makefile() as answer:
                return answer.read()

    answer = json.loads(with_a_supervisor(places, topology, programs, ask))
    assert answer["error"].startswith("not a request")


def test_without_a_testbed_the_command_says_how_to_get_one(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--home", str(places.root.parent), "stop", "blue"]) == 2
    assert "start it with `seatrial testbed up`" in capsys.readouterr().err
