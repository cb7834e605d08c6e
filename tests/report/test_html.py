import base64
import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatrial.model.loadaccount import LoadAccount
from seatrial.model.requestlog import Coded
from seatrial.model.result import (
    Availability,
    Bounds,
    CheckResult,
    Failover,
    Phase,
    StepRecord,
    TenantMeasured,
)
from seatrial.model.undo import UndoOutcome
from seatrial.model.verdict import Verdict
from seatrial.report import Dossier, render_html

Make = Callable[[str], Dossier]
KINDS = ["pass", "fail", "unknown", "none", "many", "blackhole", "stall", "long", "empty"]
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """A strict reading: every element is closed by its own end tag."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_is_whole_small_and_calls_nowhere(kind: str, make: Make) -> None:
    html = render_html(make(kind))
    page = Page(html)
    assert len(html.encode()) < 2_000_000
    for tag, attributes in page.elements:
        assert not {"src", "srcset", "action", "data", "poster"} & attributes.keys(), tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert attributes.get("href", "#").startswith("#")
    for style in page.texts["style"]:
        assert "url(" not in style
        assert "@import" not in style
    identities = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(identities) == len(set(identities))


@pytest.mark.parametrize("kind", KINDS)
def test_headings_tables_and_landmarks_can_be_navigated(kind: str, make: Make) -> None:
    page = Page(render_html(make(kind)))
    assert (
        len(page.all("h1"))
        == len(page.all("main"))
        == len(page.all("header"))
        == len(page.all("footer"))
        == 1
    )
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(cell.get("scope") in ("col", "row") for cell in page.all("th"))
    identities = {attributes.get("id") for _, attributes in page.elements}
    assert all(section["aria-labelledby"] in identities for section in page.all("section"))
    assert all(label["aria-label"] for _, label in page.elements if label.get("role") == "img")


def test_rendering_is_deterministic(make: Make) -> None:
    assert render_html(make("pass")) == render_html(make("pass"))


def test_only_the_scripts_that_were_put_there_may_run(make: Make) -> None:
    page = Page(render_html(make("pass")))
    policy = next(meta["content"] for meta in page.all("meta") if "Policy" in meta.get("http-equiv", ""))
    assert policy.startswith("default-src 'none'")
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    kinds = [script.get("type", "code") for script in page.all("script")]
    assert kinds == ["application/json", "code", "code"]
    digests = {
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in page.texts["script"][1:]
    }
    assert digests == allowed


@pytest.mark.parametrize(("kind", "word"), [("pass", "PASS"), ("fail", "FAIL"), ("unknown", "UNKNOWN")])
def test_the_verdict_comes_first_as_a_word_and_a_shape(kind: str, word: str, make: Make) -> None:
    html = render_html(make(kind))
    page = Page(html)
    first = page.all("section")[0]
    assert f"is-{kind}" in first["class"]
    assert word in page.texts["section"][0]
    assert any(use["href"] == f"#icon-{kind}" for use in page.all("use"))
    assert page.texts["title"][0].startswith(word)


def test_it_tells_of_which_version_it_is_and_of_which_revision(make: Make) -> None:
    dossier = make("pass")
    page = Page(render_html(dossier))
    shown = " ".join(page.texts["section"][0].split())
    assert "Version2.4.1, then 2.5.0" in shown  # a term and its description: the style puts room between
    assert "Revision of the experiment5e5e5e5e5e5e+changes" in shown
    assert dossier.revision in page.texts["body"][0]  # whole, among the versions
    unknown = replace(dossier, revision="", result=replace(dossier.result, version=None))
    assert "Revision" not in render_html(unknown)


def test_no_outage_says_how_short_an_interruption_could_have_gone_unseen(make: Make) -> None:
    text = Page(render_html(make("none"))).texts["body"][0]
    assert "No request failed" in text
    assert "A request was due every 6.00 ms" in text
    assert "unseen only if it was shorter than 10.0 ms" in text


def test_a_doubtful_generator_is_said_so(make: Make) -> None:
    doubtful = replace(make("pass"), generator_doubt="it dropped 12 of 7,500 arrivals")
    text = Page(render_html(doubtful)).texts["body"][0]
    assert "cannot be trusted: it dropped 12 of 7,500 arrivals" in text
    assert "can be trusted:" not in text


def test_what_of_the_scenario_means_something_else_is_told_beside_the_load(make: Make) -> None:
    dossier = make("pass")
    assert "What of the scenario" not in render_html(dossier)
    told = replace(dossier.result, load=LoadAccount(notices=("wait_time of <Visitor> means nothing",)))
    page = render_html(replace(dossier, result=told))
    assert "<li>wait_time of &lt;Visitor&gt; means nothing</li>" in page


def test_a_failover_is_shown_by_its_phases_and_only_when_there_was_one(make: Make) -> None:
    dossier = make("pass")
    assert 'id="failovers"' not in render_html(dossier)
    phases = (Phase("detect", 20.0, 20.58, "db-1"), Phase("decide", 20.58, None))
    page = render_html(
        replace(dossier, result=replace(dossier.result, failovers=(Failover("<crash>", phases),)))
    )
    assert "Phases of the failover after &lt;crash&gt;" in page
    assert '<td class="figure">580 ms</td><td class="figure">20.580 s</td><td>db-1</td>' in page
    assert '<th scope="row">decide</th><td class="figure">unknown</td>' in page


def test_the_tenants_for_whom_it_was_worst_are_told_each_with_its_downtime(make: Make) -> None:
    given = make("fail")
    assert given.result.measurement is not None
    tenants = tuple(
        TenantMeasured(
            f"<tenant {number}>", 70, 5, Bounds(1.25, math.inf), (Availability("", 0.9, 10.0, 0.5, 12.0),)
        )
        for number in range(30)
    )
    measured = replace(given.result.measurement, tenants=tenants)
    html = render_html(replace(given, result=replace(given.result, measurement=measured)))
    page = Page(html)
    captions = [text for text in page.texts["caption"] if text.startswith("Tenants: the 20 of 30")]
    assert len(captions) == 1
    assert "&lt;tenant 0&gt;" in html
    assert "&lt;tenant 20&gt;" not in html
    assert "1.25 s" in html


def test_an_outage_that_never_ended(make: Make) -> None:
    dossier = make("pass")
    measured = dossier.result.measurement
    assert measured is not None
    endless = replace(measured.outages[0], server=Bounds(24.0, math.inf))
    objective = replace(dossier.result.objectives[0], lower=24.0, upper=math.inf, verdict=Verdict.FAIL)
    changed = replace(measured, outages=(endless,), completion_gap=Bounds(24.0, math.inf))
    result = replace(dossier.result, measurement=changed, objectives=(objective,))
    assert "24.0 s or more" in Page(render_html(replace(dossier, result=result))).texts["body"][0]


HOSTILE = st.one_of(
    st.text(min_size=1, max_size=60),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "</script><script>alert(1)</script>",
            "<!--<script>",
            "]]>",
            '" onmouseover="alert(1)',
            "' style='x:expression(1)",
            "</style><img src=x onerror=alert(1)>",
            "{{ 7 * 7 }}{% raw %}",
            "javascript:alert(1)",
            "\x00\ud7ff\u2028\u202e",
        ]
    ),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(HOSTILE, min_size=8, max_size=8))
def test_nothing_in_the_evidence_becomes_markup(words: list[str], make: Make) -> None:
    dossier = make("pass")
    result, log = dossier.result, dossier.log
    assert log is not None
    assert result.measurement is not None
    few = log.between(19.9, 20.3)
    few = replace(
        few, name=Coded(few.name.codes, tuple(words[:4])), error=Coded(few.error.codes, tuple(words[4:7]))
    )
    measured = replace(
        result.measurement,
        outages=tuple(replace(one, name=words[0]) for one in result.measurement.outages),
        errors=((words[1], 3),),
        availability=tuple(replace(one, name=words[2]) for one in result.measurement.availability),
    )
    hostile = replace(
        dossier,
        log=few,
        result=replace(
            result,
            run=words[0], title=words[1], target=words[2], reasons=tuple(words), covers=(words[3],),
            measurement=measured,
            objectives=tuple(replace(one, name=words[4], reason=words[5]) for one in result.objectives),
            steps=tuple(replace(one, name=words[6], role=words[7], error=words[0]) for one in result.steps),
            checks=(CheckResult(words[1], Verdict.PASS, words[2]),) * len(result.checks),
            evidence={words[3]: words[4]},
        ),
        experiment_yaml=words[5], hypothesis=words[6], versions={words[7]: words[0]},
        calibration={words[1]: words[2], words[3]: [{words[4]: words[5]}]},
        events=({"event": words[6], "wall": words[7], words[0]: words[1]},),
        generator_doubt=words[2],
    )  # fmt: skip
    page, plain = Page(render_html(hostile)), Page(render_html(replace(dossier, log=few)))
    for tag in ("script", "style", "img", "iframe", "svg", "section"):
        assert len(page.all(tag)) == len(plain.all(tag)), tag
    known = {name for _, attributes in plain.elements for name in attributes}
    assert {name for _, attributes in page.elements for name in attributes} <= known


def test_endless_evidence_still_makes_a_small_page(make: Make) -> None:
    dossier = make("many")
    result = dossier.result
    assert result.measurement is not None
    measured = replace(
        result.measurement,
        outages=result.measurement.outages * 500,
        errors=tuple((f"reason {i} " + "x" * 1000, 1) for i in range(10_000)),
        availability=result.measurement.availability * 5_000,
    )
    result = replace(
        result,
        measurement=measured,
        reasons=("because " * 500,) * 1_000,
        steps=result.steps * 1_000,
        checks=result.checks * 1_000,
        objectives=result.objectives * 1_000,
        evidence={f"file {i}": "y" * 1_000 for i in range(5_000)},
    )
    events = ({"event": "e", "wall": "w", "detail": "z" * 10_000},) * 10_000
    html = render_html(replace(dossier, result=result, events=events, experiment_yaml="k: v\n" * 1_000_000))
    assert len(html.encode()) < 2_000_000


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read(theme: int, make: Make) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 or more."""
    tokens = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", render_html(make("pass")))
    colours = {name: (light, dark)[theme] for name, light, dark in tokens}
    pairs = [(text, "page") for text in ("ink", "soft", "pass", "fail", "unknown")]
    pairs += [("ink", f"{verdict}-wash") for verdict in ("pass", "fail", "unknown")]
    pairs += [(verdict, f"{verdict}-wash") for verdict in ("pass", "fail", "unknown")]
    for text, ground in pairs:
        dark, light = sorted((luminance(colours[text]), luminance(colours[ground])))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)


def test_a_step_that_is_left_behind_says_what_to_do(make: Make) -> None:
    dossier = make("fail")
    step = StepRecord(
        *("boom", "action", "release.stop", "blue", 5.0, 5.0, 5.001),
        undo=UndoOutcome.FAILED,
        error="systemctl failed with 3",
        by_hand="systemctl start blue",
    )
    page = Page(render_html(replace(dossier, result=replace(dossier.result, steps=(step,)))))
    assert "systemctl start blue" in page.texts["code"]
    assert any("left behind, NOT put back: systemctl failed with 3" in text for text in page.texts["small"])
