"""Exit codes and messages: what a newcomer types wrong is told in a line, and nothing is started."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from tests.support.command import seatrial
from tests.support.dead_run import dead_run
from tests.support.signals import heeded

LOG_CSV = """\
intended,sent,ended,ok,status,name,served_by,error,worker
0.00,0.00,0.01,true,200,GET /,blue,,0
0.10,0.10,0.11,true,200,GET /,blue,,0
0.20,0.20,0.21,false,503,GET /,,HTTP 503,0
0.30,0.30,0.31,true,200,GET /,blue,,0
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATRIAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["rnu"], "rnu"),
        (["run"], "EXPERIMENT"),
        (["run", "nowhere.yaml"], "experiment nowhere.yaml: no such file"),
        (["run", "bad.yaml"], "bad.yaml:2:1: duratoin: unknown key 'duratoin'; did you mean 'duration'?"),
        (["run", "chaos/blue-green-rollback.yaml", "--rate", "fast"], "--rate: 'fast' is not a rate"),
        (
            ["run", "chaos/blue-green-rollback.yaml", "--target", "nowhere.yaml"],
            "target nowhere.yaml: no such file",
        ),
        (["run", "chaos/blue-green-rollback.yaml", "--no-testbed"], "the testbed is not up"),
        (["run", "--frobnicate"], "--frobnicate"),
        (["capacity", "chaos/blue-green-rollback.yaml"], "--from"),
        (["capacity", "nowhere.yaml", "--from", "1/s"], "experiment nowhere.yaml: no such file"),
        (
            ["capacity", "x.yaml", "--from", "5/s", "--to", "1/s"],
            "--to: 1/s is below 5/s, where --from begins",
        ),
        (
            ["capacity", "x.yaml", "--from", "5/s", "--objective", "fast"],
            "'fast' is no objective; write it like",
        ),
        (
            ["capacity", "x.yaml", "--from", "5/s", "--within", "0.1%"],
            "--within: 0.1% is narrower than trials",
        ),
        (["suite", "nowhere.yaml"], "suite nowhere.yaml: no such file"),
        (["measure", "nowhere.csv"], "nowhere.csv"),
        (["measure", "log.csv", "--deadline", "2"], "--deadline: '2' is not a duration"),
        (["measure", "log.csv", "--format", "excel"], "excel"),
        (["measure", "bad.yaml"], "bad.yaml"),
        (["report", "nowhere"], "nowhere"),
        (["verify", "nowhere"], "nowhere"),
        (["ledger", "verify", "nowhere"], "nowhere"),
        (["ledger", "prove", "nowhere", "x"], "'N'"),
        (["testbed", "logs", "nothing"], "no log of 'nothing'"),
    ],
)
def test_bad_input_is_one_line_and_64(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    Path("bad.yaml").write_text("experiment: x\nduratoin: 10s\n")
    Path("log.csv").write_text(LOG_CSV)
    assert seatrial(monkeypatch, *arguments) == 64
    captured = capsys.readouterr()
    assert expected in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert not Path("runs").exists()


@pytest.mark.parametrize("group", [[], ["testbed"]])
def test_without_a_command_there_is_help_and_no_complaint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], group: list[str]
) -> None:
    assert seatrial(monkeypatch, *group) == 64
    captured = capsys.readouterr()
    assert "--help" in captured.out
    assert captured.err == ""


def test_measuring_a_log(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("log.csv").write_text(LOG_CSV)
    assert seatrial(monkeypatch, "measure", "log.csv", "--json") == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["format"] == "seatrial"
    (outage,) = measured["outages"]
    assert outage["bad"] == 1
    assert outage["perceived"]["lower_s"] == 0
    assert outage["perceived"]["upper_s"] == pytest.approx(0.2)
    assert measured["generator"]["scheduled"] == 4
    assert seatrial(monkeypatch, "measure", "log.csv") == 0
    assert "[0, 200] ms" in capsys.readouterr().out


def test_a_log_with_dropped_arrivals_is_not_vouched_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("log.csv").write_text(LOG_CSV + "0.40,,,false,0,GET /,,dropped: too many in flight,0\n")
    assert seatrial(monkeypatch, "measure", "log.csv") == 0
    assert "cannot be trusted" in capsys.readouterr().out


JTL = """\
timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success
1767225600000,12,Home,200,OK,Users 1-1,text,true
1767225600100,12,Order,200,OK,Users 1-1,text,true
1767225600000,112,Buy,200,"Number of samples in transaction : 2, number of failing samples : 0",Users 1-1,,true
"""


def test_a_log_of_another_tool_vouches_for_nothing_that_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("log.jtl").write_text(JTL)
    assert seatrial(monkeypatch, "measure", "log.jtl") == 0
    captured = capsys.readouterr()
    told = " ".join(captured.out.split())  # whatever the width of the terminal
    assert "Nobody can vouch for the load generator: its log does not tell when requests were due" in told
    assert "can be trusted" not in told
    assert "p95 too few (2) to tell" in told
    assert "1 samples of transaction controllers were left out" in captured.err
    assert seatrial(monkeypatch, "measure", "log.jtl", "--json") == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["generator"] == {
        "scheduled": None, "sent": 2, "answered": 2, "dropped": None, "unanswered": None,
        "late_p50_ms": None, "late_p99_ms": None, "late_max_ms": None, "scenario_errors": None,
        "arrivals": None, "arrivals_per_s": None, "requests_per_arrival": None, "requests_per_s": None, "workers": None,
    }  # fmt: skip
    assert measured["latency"]["p95_ms"] is None


def test_iterations_that_k6_dropped_are_held_against_its_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ("http_req_duration,1767225601500000,5,200", "dropped_iterations,1767225601600000,12,")
    Path("k6.csv").write_text("\n".join(("metric_name,timestamp,metric_value,status", *rows, "")))
    assert seatrial(monkeypatch, "measure", "k6.csv") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "load generator: k6 dropped 12 iterations that were due, and its log does not" in told


def test_a_dry_run_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seatrial(monkeypatch, "run", "chaos/blue-green-rollback.yaml", "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "deploy.rollback" in shown
    assert "10000/min" in shown
    assert not Path("runs").exists()


def test_nothing_to_recover(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert seatrial(monkeypatch, "recover", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"recovered": [], "finished": []}


def test_without_room_nothing_is_started_and_a_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same command works when there is room: no bad input, and nobody can say how it would have ended."""
    Path("scenario.py").write_text("")
    Path("x.yaml").write_text("experiment: x\nload: {scenario: scenario.py, rate: 100/s}\nduration: 10s\n")
    Path("t.yaml").write_text("target: shop\nbase_url: http://127.0.0.1:1\n")
    monkeypatch.setattr("seatrial.disk.free_bytes", lambda _: 1 << 20)
    assert seatrial(monkeypatch, "run", "x.yaml", "--target", "t.yaml") == 2
    said = capsys.readouterr().err
    assert "about 1,500 arrivals writes at least 8.1 MiB there, and 1.0 MiB are free" in said
    assert not Path("runs").exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device", "/state/x"), MemoryError()])
def test_what_the_machine_lacks_is_no_defect_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr("seatrial.trials.recovery.recovered", fail)
    assert seatrial(monkeypatch, "recover") == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1


def test_a_run_that_was_killed_is_finished_when_its_report_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    dead = dead_run(tmp_path)
    assert seatrial(monkeypatch, "report", str(dead.evidence.directory)) == 2
    assert "its conductor died" in capsys.readouterr().out
    assert seatrial(monkeypatch, "verify", str(dead.evidence.directory), "--key", "home/keys/ledger.pub") == 0
    assert seatrial(monkeypatch, "recover", "--json") == 0


def test_a_run_that_was_killed_is_finished_by_recover(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    dead = dead_run(tmp_path)
    assert seatrial(monkeypatch, "recover", "--json") == 0
    captured = capsys.readouterr()
    (finished,) = json.loads(captured.out)["finished"]
    assert (finished["run"], finished["verdict"]) == (dead.evidence.run, "unknown")
    assert f"finished: {dead.evidence.run}: unknown (interrupted: its conductor died" in captured.err


def test_there_is_no_testbed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert seatrial(monkeypatch, "testbed", "status", "--json") == 2
    assert json.loads(capsys.readouterr().out) == {"phase": "down"}
    assert seatrial(monkeypatch, "testbed", "down") == 0


def test_help_and_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert seatrial(monkeypatch, "--help") == 0
    for command in (
        "run",
        "suite",
        "measure",
        "recover",
        "testbed",
        "ledger",
        "verify",
        "report",
        "doctor",
        "demo",
    ):
        assert command in capsys.readouterr().out or seatrial(monkeypatch, command, "--help") == 0
    assert seatrial(monkeypatch, "--version") == 0


def test_the_doctor_looks_at_this_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seatrial(monkeypatch, "doctor", "--json") == 0
    findings = {each["name"]: each for each in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["seatrial[testbed]"]["able"]
    assert all(each["able"] or each["detail"] for each in findings.values())


def test_a_pipe_that_breaks_inside_a_command_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def examine(home: Path) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("seatrial.doctor.examine", examine)
    assert seatrial(monkeypatch, "doctor") == 70
    assert "this is a defect of seatrial" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_command_that_is_asked_to_end_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    monkeypatch.setattr("seatrial.doctor.examine", lambda _: signal.raise_signal(number))
    with heeded(number):
        assert seatrial(monkeypatch, "doctor") == 130
    assert capsys.readouterr().err == "interrupted\n"
