"""The plan of the house: which room may import which. An arrow the other way is a defect."""

import ast
import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

import seatrial

SOURCE = Path(seatrial.__file__).parent

# room → rooms that it may import (itself and `model` always)
ALLOWED = {
    "model": set[str](),
    "measure": set[str](),
    "files": set[str](),
    "provenance": {"files"},
    "checks": {"ledger", "cost"},
    "drivers": {"ledger"},
    "undo": set[str](),
    "faults": {"drivers", "undo"},
    "ledger": set[str](),
    "actions": {"drivers", "files", "undo"},
    "load": set[str](),
    "report": {"measure"},
    "store": set[str](),
    "metrics": {"store"},
    "cost": {"measure"},
    "incidents": {"store"},
    "schedule": {"files", "store", "incidents", "metrics"},
    "calibrate": {"measure", "load"},
    "lookups": {"drivers", "ledger", "checks", "cost"},
    "probes": {"drivers", "lookups"},
    "run": {"drivers", "undo", "files", "load", "checks", "lookups", "probes", "measure", "incidents", "report", "ledger",
            "provenance", "store"},
    "matrix": {"files", "ledger", "provenance", "report"},
    "capacity": set[str](),
    "trials": {"drivers", "capacity", "measure", "ledger", "matrix", "run", "undo", "schedule", "report", "store",
               "incidents", "metrics", "files", "testbed", "policy", "cost", "explore", "provenance"},
    "policy": set[str](),
    "explore": set[str](),
    "testbed": {"ledger"},
    "doctor": {"catalogue", "testbed", "policy", "cost"},
    "catalogue": {"drivers", "undo", "checks", "lookups", "measure", "incidents", "probes"},
    "web": {"report", "store", "incidents", "schedule", "files", "trials", "matrix", "ledger", "run", "load", "undo"},
    "explain": {"catalogue", "checks", "drivers", "explore", "incidents", "schedule", "undo"},
    "scaffold": {"drivers", "explain"},
    "cli": {"trials", "capacity", "matrix", "run", "schedule", "report", "web", "testbed", "measure", "calibrate", "ledger", "incidents",
            "store", "doctor", "explain", "catalogue", "scaffold", "policy", "files", "cost", "explore"},
}  # fmt: skip

GROUND = (
    "columnar",
    "home",
    "disk",
    "processes",
    "extras",
    "imports",
    "discovery",
    "waiting",
)  # modules that every room stands on
ONLY_THE_PROTOCOL = (
    "faults",
    "actions",
)  # they know what a fault is, not how it is guaranteed to come undone

PACED = {  # loops that sleep and wait for nothing
    "calibrate/calibration.py": "tells the progress while the load goes on",
    "drivers/host.py": "two looks with an instant between them: between a signal and the kernel's work nothing shows",
    "faults/companions/holding.py": "takes what connections others give back, for as long as it lasts",
    "faults/companions/squeezing.py": "lowers a limit at a pace: that is the effect",
    "faults/companions/throttle.py": "stops and continues in turn: that is the effect",
    "load/watchdog.py": "samples where the loop stands",
    "undo/guardian.py": "passes over what is left, at a rate that others can bear",
}

HTTP_LIBRARIES = {
    "httpx",
    "httpcore",
    "requests",
    "urllib3",
    "aiohttp",
    "urllib.request",
    "http.client",
    "pagerduty",
}
NO_TARGET = {  # who sends by HTTP without drivers.httpclient, and to whom
    "incidents/pagerduty.py": "PagerDuty, by its own library, and through whatever proxy leads out of a company",
    "incidents/posting.py": "a sink that the environment names",
    "incidents/sinks/alertmanager.py": "a sink that the environment names",
    "incidents/sinks/grafana.py": "a sink that the environment names",
    "incidents/sinks/webhook.py": "a sink that the environment names",
    "ledger/copies.py": "a witness that the command line names, outside the reach of whoever runs the target",
    "testbed/replica/replication.py": "another replica: it is the target, and asks as such",
}

MODULES = sorted(path for path in SOURCE.rglob("*.py") if "shipped" not in path.parts)


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).with_suffix("").parts[0]


ROOMS = {room: list(paths) for room, paths in itertools.groupby(sorted(MODULES, key=room_of), key=room_of)}
in_every_room = pytest.mark.parametrize("room", ROOMS)


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@functools.cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree_of(path)))


def imported_rooms(path: Path) -> Iterator[tuple[str, int]]:
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            from_package = node.module == "seatrial"
            names = [f"seatrial.{alias.name}" for alias in node.names] if from_package else [node.module]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            if top == "seatrial" and rest:
                yield rest.split(".")[0], node.lineno


def imported_libraries(path: Path) -> Iterator[str]:
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@in_every_room
def test_arrows_run_one_way(room: str) -> None:
    if room in ("__init__", "__main__", *GROUND):
        return
    assert room in ALLOWED, f"{room} is a new room: say in ALLOWED what it may import"
    may = ALLOWED[room] | {room, "model", "__version__", *GROUND}
    wrong = [
        f"{path}:{line}: imports {other}"
        for path in ROOMS[room]
        for other, line in imported_rooms(path)
        if other not in may
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ONLY_THE_PROTOCOL)
def test_what_is_done_to_a_target_knows_nothing_of_the_guarantee(room: str) -> None:
    modules = {
        node.module for path in ROOMS[room] for node in nodes_of(path) if isinstance(node, ast.ImportFrom)
    }
    assert {module for module in modules if module and module.startswith("seatrial.undo")} == {
        "seatrial.undo.protocol"
    }


def test_a_target_is_asked_by_the_one_client_that_holds_its_allow_list() -> None:
    """It ignores proxies and follows no redirect. Whoever sends by HTTP himself reaches no target."""
    senders = {
        str(path.relative_to(SOURCE))
        for path in MODULES
        if room_of(path) != "load"  # whose connections its wall judges
        and HTTP_LIBRARIES & set(imported_libraries(path))
    }
    assert senders == {"drivers/httpclient.py", *NO_TARGET}, "use drivers.httpclient, or say whom it reaches"


def test_whoever_waits_for_a_condition_waits_in_one_place() -> None:
    loops = {
        str(path.relative_to(SOURCE))
        for path in MODULES
        for loop in nodes_of(path)
        if isinstance(loop, (ast.While, ast.For))
        for call in ast.walk(loop)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("time.sleep", "sleep", "gevent.sleep")
    }
    assert loops == {"waiting.py", *PACED}, "use waiting.wait_until, or say in PACED what its pace is"


@in_every_room
def test_every_program_has_a_session_of_its_own(room: str) -> None:
    """A Ctrl-C in the terminal, or its end, goes to all in its foreground: not to an undo that is under way."""
    in_the_foreground = [
        f"{path}:{node.lineno}"
        for path in ROOMS[room]
        for node in nodes_of(path)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("subprocess.run", "subprocess.Popen")
        and "start_new_session=True" not in map(ast.unparse, node.keywords)
    ]
    assert not in_the_foreground


@in_every_room
def test_every_module_says_why_it_exists(room: str) -> None:
    assert not [path for path in ROOMS[room] if not ast.get_docstring(tree_of(path))], "no docstring"


def test_there_is_no_room_for_odds_and_ends() -> None:
    assert not [path for path in MODULES if path.stem in ("utils", "helpers", "manager", "common", "misc")]
