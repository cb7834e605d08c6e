"""Every page and its JSON: what they show, to whom, and how errors look."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from math import inf

import pytest
from tests.support.results import COST, NOTICED
from tests.web.conftest import HERE, TOKEN, Site, told

from seatrial.model.verdict import Verdict
from seatrial.web.guard import POLICY
from seatrial.web.views import VIEWS

RUN = "database-crash-0002"
INSIDE = {"run": RUN, "experiment": "database-crash"}
PATHS = [view.path.format(**INSIDE) for view in VIEWS if not view.path.startswith("/underway/")]


@pytest.mark.parametrize("path", [*PATHS, f"/compare?a={RUN}&b=latest", "/session"])
def test_every_page_reads_without_a_script_and_allows_none_but_ours(site: Site, path: str) -> None:
    answer = site.client().get(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = answer.text
    assert page.count("<h1") == 1
    assert '<html lang="en">' in page
    assert 'name="viewport"' in page
    assert not re.search(r"<script(?![^>]*\bsrc=\"/assets/)|<style|\sstyle=|\son\w+=", page)
    assert set(re.findall(r'(?:src|href)="/assets/([^"]+)"', page)) <= {
        "style.css", "page.js", "live.js", "months.js", "uplot.js", "uplot.css",
    }  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_the_same_is_there_as_json(site: Site, path: str) -> None:
    answer = site.client().get(f"/api{path}".rstrip("/"))
    assert answer.status_code == 200
    assert isinstance(answer.json(), dict)


def test_runs_are_found_by_what_is_asked(site: Site) -> None:
    def found(query: str) -> list[str]:
        return [run["run"][-4:] for run in site.client().get(f"/api/runs?{query}").json()["runs"]]

    assert found("") == ["0003", "0002", "0001"]
    assert found("verdict=fail") == ["0002"]
    assert found("since=2026-08-24") == ["0003"]
    assert found("covers=ADR-003&page=2") == []
    assert found("experiment=another") == []
    page = site.client().get("/runs?verdict=fail").text
    assert "<option selected>fail</option>" in page
    assert page.count('<th scope="row">') == 1


@pytest.mark.parametrize(
    ("query", "wrong"),
    [("verdict=maybe", "verdict"), ("page=0", "page"), ("since=2026-13-41", "since"), ("colour=red", "colour")],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(site: Site, query: str, wrong: str) -> None:
    answer = site.client().get(f"/api/runs?{query}")
    assert answer.status_code == 400
    assert wrong in answer.json()["error"]
    assert site.client().get(f"/runs?{query}").status_code == 400


def test_a_run_shows_what_came_of_it(site: Site) -> None:
    page = site.client().get(f"/runs/{RUN}").text
    for text in ("The primary is killed", "FAIL", "7.20 … 7.60 s", "process.kill on database.primary",
                 "all 3,221 are there", "verdict.json", "2026-08-23"):  # fmt: skip
        assert text in page
    given = site.client().get(f"/api/runs/{RUN}").json()
    assert given["result"]["objectives"][0]["upper"] == 7.6
    assert given["line"]["verdict"] == "fail"
    assert site.client().get("/api/runs/latest").json()["line"]["run"] == "database-crash-0003"


def test_an_end_that_was_never_seen_is_null(site: Site) -> None:
    endless = replace(told(9).objectives[0], upper=inf, verdict=Verdict.UNKNOWN)
    site.record(9, Verdict.UNKNOWN, objectives=(endless,))
    newest = site.client().get("/api/runs").json()["runs"][0]
    assert newest["objectives"][0]["upper"] is None
    assert "or more" in newest["objectives"][0]["measured"]
    (course, _) = site.client().get("/api/experiments/database-crash").json()["courses"]
    assert course["points"][-1]["upper"] is None
    assert 'data-upper=""' in site.client().get("/experiments/database-crash").text


def test_months_and_lists_have_who_noticed_and_what_a_million_requests_cost(site: Site) -> None:
    site.record(4, detections=(NOTICED,), cost=COST)
    site.record(5, detections=(replace(NOTICED, recover=None),), cost=replace(COST, currency="USD"))
    client = site.client()
    courses = client.get("/api/experiments/database-crash").json()["courses"]
    assert [(each["name"], each["unit"], len(each["points"])) for each in courses[2:]] == [
        ("crash: until noticed (MemberDown)", "s", 2),
        ("crash: until well again", "s", 1),
        ("cost of a million requests", "EUR", 1),
        ("cost of a million requests", "USD", 1),
    ]
    assert not any(each["promised"] for each in courses[2:])
    page = client.get("/experiments/database-crash").text
    assert "Cost of a million requests" in page
    assert "1.90 … 2.00 EUR" in page
    newest, older, *others = client.get("/api/runs").json()["runs"]
    assert older["noticed"] == ["crash: MemberDown fired after 300 … 900 ms; well again after 1.10 … 1.40 s"]
    assert newest["million"] == "1.90 … 2.00 USD"
    assert {(tuple(each["noticed"]), each["million"]) for each in others} == {((), "")}
    assert "a million requests: 1.90 … 2.00 EUR" in client.get("/runs").text
    beside = client.get(f"/compare?a={older['run']}&b={newest['run']}").text
    assert "Beside what was promised" in beside
    assert "crash: until well again" in beside


def test_months_have_p95_though_nothing_was_promised_of_it(site: Site) -> None:
    courses = site.client().get("/api/experiments/database-crash").json()["courses"]
    assert [course["name"] for course in courses] == ["downtime after crash", "latency p95"]
    assert [point["lower"] for point in courses[0]["points"]] == [1.1, 7.2, 1.1]
    assert [point["lower"] for point in courses[1]["points"]] == [42, 42, 42]
    assert not courses[1]["promised"]


def test_two_runs_differ_only_where_their_intervals_do(site: Site) -> None:
    def change(a: int, b: int) -> str:
        runs = f"a=database-crash-{a:04d}&b=database-crash-{b:04d}"
        compared = site.client().get(f"/api/compare?{runs}").json()["objectives"]
        return str(compared[0]["change"])

    assert change(1, 2) == "worse"
    assert change(2, 1) == "better"
    assert change(1, 3) == "can't tell"
    site.record(4, Verdict.FAIL, target="elsewhere")
    assert change(1, 4) == "not comparable"
    assert "different targets" in site.client().get("/compare?a=database-crash-0001&b=latest").text


def test_an_address_that_is_none_is_told_and_signing_in_leads_back_to_where_one_was(site: Site) -> None:
    browser = site.client()
    assert "There is no page /nope&lt;i&gt;." in browser.get("/nope<i>").text
    assert browser.get("/api/nope").json() == {"error": "there is no page /api/nope"}
    assert 'href="/session?back=%2Fruns"' in browser.get("/runs").text
    assert "?back=%2Fsession" not in browser.get("/session").text


@pytest.mark.parametrize(
    "path", ["/runs/nobody", "/experiments/nothing", "/underway/none", "/compare?a=x&b=y", "/x"]
)
def test_what_is_not_there_is_404_in_words(site: Site, path: str) -> None:
    answer = site.client().get(path)
    assert answer.status_code == 404
    assert "<h1" in answer.text
    assert "error" in site.client().get(f"/api{path}").json()


def test_the_matrix_is_that_of_the_command(site: Site) -> None:
    given = site.client().get("/api/matrix").json()
    assert given == json.loads(json.dumps(site.dashboard.sources.matrix.get().document))
    assert [row["id"] for row in site.client().get("/api").json()["matrix"]["rows"]] == [
        row["id"] for row in given["rows"]
    ]


def test_without_a_readiness_file_the_overview_says_so_and_shows_the_rest(site: Site) -> None:
    site.dashboard.sources.readiness = "chaos/none.yaml"
    answer = site.client().get("/")
    assert answer.status_code == 200
    assert "There is no readiness matrix to show" in answer.text
    assert "database-crash-0002" in answer.text
    assert site.client().get("/matrix").status_code == 400


def test_a_report_is_shown_as_it_is_and_can_do_nothing_here(site: Site) -> None:
    assert site.client().get("/runs/database-crash-0001/report").status_code == 404
    (site.directory / "report.html").write_text("<p>the report</p>")
    answer = site.client().get("/runs/database-crash-0001/report")
    assert answer.text == "<p>the report</p>"
    assert answer.headers["content-security-policy"].startswith("sandbox allow-scripts;")


def test_the_database_s_absence_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.store.close()
    for file in (site.place / "home").glob("seatrial.sqlite*"):
        file.unlink()
    (site.place / "home/seatrial.sqlite").mkdir()
    answer = site.client().get("/runs")
    assert answer.status_code == 503
    assert "does not answer" in answer.text


def test_without_the_token_nothing_is_shown_to_others(site: Site) -> None:
    site.dashboard.private = True
    stranger = site.client()
    for path in (*PATHS, f"/runs/{RUN}/report", "/underway/x", "/underway/x/events"):
        answer = stranger.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"][:9]) == (303, "/session?"), path
        assert stranger.get(f"/api{path}".rstrip("/")).status_code in (401, 404)
    assert stranger.get("/api/openapi.json").status_code == 401
    assert site.client(authorization=f"Bearer {TOKEN}").get("/api/runs").status_code == 200
    assert site.browser().get("/runs").status_code == 200


def test_signing_in_leads_back_to_a_page_of_ours_alone(site: Site) -> None:
    client = site.client(origin=HERE)
    for back, leads in {
        "/runs": "/runs",
        "//evil.example": "/",
        "https://evil.example": "/",
        "/\\evil": "/",
    }.items():
        answer = client.post("/session", data={"token": TOKEN, "back": back}, follow_redirects=False)
        assert answer.headers["location"] == leads
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie
    assert client.post("/session", data={"token": "guess"}).status_code == 403
