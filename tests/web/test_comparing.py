"""Slow decay is seen on the pages as on the command line, and noise is not."""

from __future__ import annotations

import pytest
from tests.web.conftest import Site

from seatrial.model.result import ObjectiveResult
from seatrial.model.verdict import Verdict

PAGE = "/experiments/database-crash"


def measured(site: Site, *lowers: float) -> None:
    """So many runs more, of one objective that was measured within 0.2 s each."""
    for number, lower in enumerate(lowers, 10):
        found = ObjectiveResult("recovery", 90.0, lower, lower + 0.2, "s", Verdict.PASS)
        site.record(number, objectives=(found,))


def test_decay_over_months_is_told_with_its_error(site: Site) -> None:
    measured(site, *(10.0 + 0.5 * number for number in range(12)))
    client = site.client()
    (trend,) = client.get("/api/compare?b=latest").json()["beside"]["trends"]
    assert (trend["name"], trend["change"], trend["runs"]) == ("recovery", "worse", 11)
    assert trend["earlier"] == "[10.0, 15.2] s"
    assert trend["latest"] == "[15.5, 15.7] s"
    assert trend["per_month"].startswith("+")
    page = client.get("/compare?b=latest").text
    assert f">{trend['told']}</td>" not in page  # it is marked, not only said
    assert trend["told"] in page
    assert "1% of such comparisons would say so" in page
    assert "Side by side" not in page
    assert "The latest beside the 11 runs before it" in client.get(PAGE).text
    assert trend["told"] in client.get(PAGE).text


def test_both_are_told_where_both_are_asked_for(site: Site) -> None:
    measured(site, 10.0, 10.4, 10.1, 9.9, 10.6, 10.2, 10.3)
    told = site.client().get("/api/compare?a=database-crash-0015&b=latest").json()
    assert told["before"]["run"] == "database-crash-0015"
    assert [each["change"] for each in told["objectives"]] == ["can't tell"]
    assert [each["change"] for each in told["beside"]["trends"]] == ["can't tell"]


def test_one_with_few_before_it_stands_beside_the_last_of_them(site: Site) -> None:
    told = site.client().get("/api/compare?b=latest").json()
    assert told["before"]["run"] == "database-crash-0002"
    assert told["objectives"]
    assert told["beside"] == {"trends": [], "remarks": ["a trend takes 5 earlier runs, and 2 are there"]}
    first = site.client().get("/compare?b=database-crash-0001").text
    assert "No earlier run of database-crash on " in first
    assert (
        "No earlier run of database-crash on "
        in site.client().get("/compare?a=latest&b=database-crash-0001").text
    )


def test_without_the_statistics_it_says_what_to_install(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(site, *[10.0] * 7)
    monkeypatch.setattr("seatrial.extras._is_installed", lambda package: package != "scipy")
    page = site.client().get("/compare?a=database-crash-0015&b=latest").text
    assert "pip install &#39;seatrial[trends]&#39;" in page
    assert "Side by side" in page
    assert site.client().get(PAGE).status_code == 200


def test_nothing_is_compared_while_no_later_run_is_named(site: Site) -> None:
    for path in ("/api/compare", "/api/compare?a=latest"):
        assert site.client().get(path).json()["beside"] is None
