"""What can be done from a page, and that the ledger has it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.command import seatrial
from tests.support.dashboards import message
from tests.support.small_run import all_well, small_run
from tests.support.victims import Tree
from tests.support.waiting import wait_until
from tests.web.conftest import HERE, NOW, Site, told

from seatrial.ledger import read_entries
from seatrial.model.problems import BadInput
from seatrial.model.verdict import Verdict
from seatrial.run import openruns
from seatrial.run.openruns import OpenRun, unfinished
from seatrial.store import Claim, MessageState, Occurrence, RunQuery
from seatrial.trials.readiness import standing
from seatrial.web import underway
from seatrial.web.renewing import Renewals

OPEN = OpenRun(
    "r1", "crash", "shop", "/nowhere", "2026-11-29T11:59:00+00:00", "seatrial run x.yaml", os.getpid()
)


def acts(site: Site) -> list[tuple[str, str]]:
    entries = list(read_entries(site.place / "home/web"))
    assert all(
        entry.event["by"] and datetime.fromisoformat(str(entry.event["at"])).tzinfo for entry in entries
    )
    return [(str(entry.event["act"]), str(entry.event["state"])) for entry in entries]


CONDUCTOR = """
import os, signal, sys
from pathlib import Path
from seatrial.run import openruns
from seatrial.run.openruns import OpenRun
with openruns.begin(Path(sys.argv[1]), OpenRun("r1", "crash", "shop", "/nowhere", sys.argv[2], "", os.getpid())) as held:
    signal.signal(signal.SIGTERM, lambda *_: (held.forget(), os._exit(7)))
    print("begun", flush=True)
    signal.pause()
"""


def test_a_run_is_stopped_by_a_signal_to_its_conductor_alone(site: Site) -> None:
    command = [sys.executable, "-c", CONDUCTOR, str(site.place / "home"), OPEN.started_at]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as conductor:
        try:
            assert conductor.stdout is not None
            assert conductor.stdout.readline() == "begun\n"
            browser = site.browser()
            assert "Stop it and undo everything" in browser.get("/underway/r1").text
            assert "under way" in browser.get("/").text
            assert site.client(origin=HERE).post("/api/underway/r1/stop").status_code == 401
            assert browser.post("/underway/r1/stop").status_code == 200
            assert conductor.wait(30) == 7
        finally:
            conductor.kill()
    assert browser.get("/underway/r1").status_code == 404
    (first, second) = acts(site)
    assert first == ("stop", "asked")
    assert second[1].startswith("done: ")


def test_nobody_is_signalled_for_a_run_whose_conductor_is_gone(site: Site, tree: Tree) -> None:
    """Its number belongs to somebody else by now: here to the root of `tree`, who lives on."""
    held = openruns.begin(site.place / "home", replace(OPEN, pid=tree.root.pid))
    held.close()
    answer = site.browser().post("/api/underway/r1/stop")
    assert answer.status_code == 400
    assert "its conductor is gone" in answer.json()["error"]
    assert tree.root.poll() is None
    assert acts(site)[-1][1].startswith("not done: ")


def test_a_daemon_is_not_stopped_for_one_of_its_runs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(underway, "_pid", lambda: 0)  # as if the dashboard were another process
    daemon = f"{socket.gethostname()}:{os.getpid()}"
    occurrence = Occurrence("monthly", NOW, NOW, "shop")
    assert site.store.occurrences.claim(occurrence, "claim", daemon, NOW) is Claim.WON
    with openruns.begin(site.place / "home", OPEN):
        browser = site.browser()
        assert "would end with it" in browser.get("/underway/r1").text
        assert browser.post("/underway/r1/stop").status_code == 400


def test_a_run_that_nobody_knows_is_not_stopped(site: Site) -> None:
    assert site.browser().post("/api/underway/nobody/stop").status_code == 404


def test_a_message_is_tried_again(site: Site) -> None:
    site.store.outbox.enqueue([message(told(9, Verdict.FAIL), "9")], NOW)
    (waiting,) = site.store.outbox.messages()
    site.store.outbox.park(waiting.number, "no such address")
    browser = site.browser()
    assert f"Try message {waiting.number} again" in browser.get("/incidents").text
    assert browser.post("/api/incidents/retry", data={"number": "x"}).status_code == 400
    assert browser.post("/api/incidents/retry", data={"number": "999"}).status_code == 404
    answer = browser.post("/incidents/retry", data={"back": "/incidents"})
    assert "0 tried" in answer.text  # its receiver is off, and it waits again
    assert 'href="/incidents"' in answer.text
    (again,) = site.store.outbox.messages()
    assert again.state is MessageState.PENDING


def test_what_is_signed_is_what_was_shown(site: Site) -> None:
    browser = site.browser()
    statement = browser.get("/api/matrix").json()["sha256"]
    assert statement in browser.get("/matrix").text
    form = {"role": "security", "name": "Amira <b>Haddad</b>", "statement": statement}
    assert browser.post("/matrix/sign", data=form).status_code == 200
    page = browser.get("/matrix").text
    assert "Amira &lt;b&gt;Haddad&lt;/b&gt;" in page
    assert "stands" in page
    Path("chaos/policy.json").write_text('{"passed": false}')
    assert browser.post("/api/matrix/sign", data=form).status_code == 409
    assert browser.post("/api/matrix/sign", data={**form, "role": "nobody"}).status_code == 409
    assert [state.partition(":")[0] for _, state in acts(site)] == ["asked", "done"] + [
        "asked",
        "not done",
    ] * 2


def signed_elsewhere(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **asked: str
) -> str:
    """What `seatrial keys sign` prints on a machine that has the key, and nothing else of ours."""
    monkeypatch.setenv("SEATRIAL_HOME", str(site.place / "laptop"))
    if not (site.place / "laptop").exists():
        assert seatrial(monkeypatch, "keys", "make", "amira") == 0
    capsys.readouterr()
    options = [argument for name, value in asked.items() for argument in (f"--{name}", value)]
    assert seatrial(monkeypatch, "keys", "sign", "amira", *options) == 0
    monkeypatch.setenv("SEATRIAL_HOME", str(site.place / "home"))
    return capsys.readouterr().out.strip()


def test_a_key_signs_elsewhere_and_never_comes_here(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site.dashboard.sources.now = lambda: datetime.now(UTC)
    browser = site.browser()
    matrix = browser.get("/api/matrix").json()
    asked = {"readiness": "production", "statement": matrix["sha256"], "role": "security", "name": "Amira"}
    assert f"--statement {matrix['sha256']}" in browser.get("/matrix").text
    line = signed_elsewhere(site, monkeypatch, capsys, **asked)
    refused = {
        line.replace("Amira", "Ann"): "it is not signed: the signature of amira is wrong",
        "a line": "is not a line of `seatrial keys sign`",
        "{}": "not a sign-off",
        signed_elsewhere(
            site, monkeypatch, capsys, **{**asked, "statement": "0" * 64}
        ): "not the matrix as it is",
        signed_elsewhere(site, monkeypatch, capsys, **{**asked, "role": "cook"}): "no sign-off of production",
    }
    for wrong, why in refused.items():
        answer = browser.post("/api/matrix/sign", data={"signed": wrong})
        assert answer.status_code == 400, wrong
        assert why in answer.json()["error"]
    assert not browser.get("/api/matrix").json()["signed"][0]["stands"]
    told = browser.post("/api/matrix/sign", data={"signed": line}).json()["told"]
    assert told == "Amira has signed for security with amira"
    (held,) = browser.get("/api/matrix").json()["signed"]
    assert held["stands"]
    assert held["key"].startswith("amira+")
    assert [state.partition(":")[0] for _, state in acts(site)].count("done") == 1
    site.dashboard.sources.now = lambda: datetime.now(UTC) + timedelta(days=2)
    late = browser.post("/api/matrix/sign", data={"signed": line})
    assert late.status_code == 400


RENEWABLE = """\
readiness: production
target: ../target.yaml
rows:
  - {id: works, requirement: It answers, evidence: [{experiment: ../x.yaml, objective: errors}]}
  - {id: drill, requirement: People know, evidence: [{attestation: It was walked through.}]}
"""


def test_a_row_is_renewed_by_a_process_of_its_own(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    (site.place / "chaos/readiness.yaml").write_text(RENEWABLE)
    with small_run(site.place, "2s") as run:
        for name, value in run.environment.items():
            monkeypatch.setenv(name, value)
        browser = site.browser()
        assert site.client(origin=HERE).post("/api/matrix/renew", data={"row": "works"}).status_code == 401
        page = browser.get("/matrix").text
        assert '<option value="works">works: unknown</option>' in page
        assert '<option value="drill">' not in page
        told = browser.post("/api/matrix/renew", data={"row": "works"})
        assert told.status_code == 200, told.text
        assert told.json()["told"].startswith("works is renewed by x.yaml")
        second = browser.post("/api/matrix/renew", data={"row": "works"})
        assert second.status_code == 400
        assert "one after the other" in second.json()["error"]
        wait_until(lambda: site.store.history.runs(RunQuery(experiment="x")), 120, "the run is on record")
        wait_until(lambda: not unfinished(site.place / "home"), 30, "its conductor has ended")
    (done,) = site.store.history.runs(RunQuery(experiment="x"))
    found = json.loads((site.place / "runs" / done.run / "verdict.json").read_text())
    assert all_well(found), found["reasons"]
    row = standing("chaos/readiness.yaml", site.store, datetime.now(UTC)).matrix.rows[0]
    assert str(row.verdict) == found["verdict"], row.reason
    assert (done.run, done.verdict) == (found["run"], found["verdict"])
    assert [state.partition(":")[0] for _, state in acts(site)] == ["asked", "done", "asked", "not done"]
    (log,) = (site.place / "home/renewals").iterdir()
    assert log.stat().st_mode & 0o777 == 0o600


def test_only_what_the_readiness_file_names_is_run(site: Site) -> None:
    browser = site.browser()
    for row, why in (("--help", "there is no row"), ("policy", "no experiment needs to run")):
        answer = browser.post("/api/matrix/renew", data={"row": row})
        assert answer.status_code == 400
        assert why in answer.json()["error"]
    assert not (site.place / "home/renewals").exists()


def test_what_the_command_refuses_is_told_in_its_words(site: Site) -> None:
    """The scenario that the experiment names is not there."""
    (site.place / "chaos/readiness.yaml").write_text(RENEWABLE)
    with small_run(site.place, "2s"):
        (site.place / "home.py").unlink()
        begun = Renewals(site.dashboard.sources).start("works", "")
        with pytest.raises(BadInput, match=r"^works is not renewed: .*load.scenario: no such file"):
            begun.outcome(within_s=120)


def test_what_the_ledger_does_not_take_is_not_done(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    monkeypatch.setattr("seatrial.web.acts.retry", lambda *_: tried.append(_))
    (site.place / "home/web").write_text("not a directory")
    assert site.browser().post("/api/incidents/retry").status_code >= 500
    assert not tried
