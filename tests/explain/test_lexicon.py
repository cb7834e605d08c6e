"""A word leads to what it names, wherever it was read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from seatrial.explain import lexicon
from seatrial.explain.formats import FILES
from seatrial.explain.parameters import records_in
from seatrial.model.document import keys_leading_to
from seatrial.model.mistakes import Mistake
from seatrial.model.problems import BadInput
from seatrial.model.reasons import Reason


def found(word: str) -> list[str]:
    return [f"{entry.kind} {entry.name}" for entry in lexicon().find(word)]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("process.kill", ["fault process.kill"]),
        ("command.run", ["fault command.run", "action command.run"]),
        ("action command.run", ["action command.run"]),
        ("toxiproxy", ["fault toxiproxy", "driver toxiproxy"]),
        ("downtime", ["objective objectives.downtime"]),
        ("objectives.latency.p95", ["key of objectives.latency p95"]),
        ("experiment", ["experiment experiment"]),
        ("load.rate", ["key of load rate", "experiment load.rate"]),
        ("guard", ["experiment guards"]),
        ("monthly", ["schedule cadence.monthly"]),
        ("incident", ["experiment incident", "schedule incident"]),
        ("load.deadline", ["key of load deadline"]),
        ("max_drift", ["key of convergence max_drift"]),
        ("64", ["exit code 64"]),
        ("pagerduty", ["driver pagerduty", "sink pagerduty"]),
        ("SEATRIAL_PAGERDUTY_KEY", ["key of pagerduty SEATRIAL_PAGERDUTY_KEY"]),
        ("k6", ["importer k6"]),
        ("hsm", ["extra hsm"]),
    ],
)
def test_a_word_means_all_that_is_called_so(word: str, expected: list[str]) -> None:
    assert found(word) == expected


def keys_to(record: type[BaseModel], under: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every way that keys lead into a file."""
    for name, field in record.model_fields.items():
        way = (*under, field.alias or name)
        yield way
        for inner in records_in(field.annotation):
            yield from keys_to(inner, way)


@pytest.mark.parametrize("kind", FILES)
def test_wherever_a_file_may_be_wrong_there_is_a_word_for_it(kind: str) -> None:
    known = lexicon()
    for way in [(), *keys_to(FILES[kind])]:
        word = keys_leading_to(FILES[kind], way)
        assert known.find(word), word


def test_a_kind_means_all_of_its_kind() -> None:
    assert lexicon().find("fault") == lexicon().of_kind("fault")
    assert len(lexicon().find("exit code")) == 6


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (Reason.GENERATOR_DOUBTED(why="it dropped 3 of 10 arrivals"), "reason generator-doubted"),
        (f"downtime: {Reason.CUT_SHORT(why='guard: 95% bad')}", "reason cut-short"),
        (str(Reason.CONDUCTOR_DIED()), "reason conductor-died"),
        (f"x.yaml:3:1: base_url: {Mistake.UNSET_VARIABLE(name='TOKEN')}", "problem unset-variable"),
    ],
)
def test_a_line_that_was_told_leads_to_its_meaning(line: str, expected: str) -> None:
    assert found(str(line)) == [expected]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("proces.kill", r"^nothing is called 'proces\.kill'; did you mean 'process\.kill'\?$"),
        ("dedline", r"did you mean 'deadline'\?$"),
        ("xyzzy", r"^nothing is called 'xyzzy'; to list everything that is: seatrial explain$"),
    ],
)
def test_an_unknown_word_gets_the_nearest(word: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        lexicon().find(word)


@pytest.mark.parametrize(
    ("driver", "others"),
    [
        ("haproxy", ["edge.drain", "deploy.rollback", "deploy.switch"]),
        ("kubernetes", ["deploy.rollback", "deploy.switch"]),
        ("command", ["release.start", "release.stop"]),
        ("container", ["process.kill", "process.pause", "process.slow", "release.start", "release.stop"]),
        ("process", ["process.kill", "process.pause", "process.slow"]),
        ("pkcs11", ["hsm.hang", "hsm.slow", "hsm.unavailable"]),
        ("sql", None),
    ],
)
def test_a_driver_is_acted_on_by_whoever_needs_what_it_can_do(driver: str, others: list[str] | None) -> None:
    (entry,) = lexicon().find(f"driver {driver}")
    assert dict(entry.facts).get("acted on by") == (others and ", ".join(others))
    for name in others or ():
        (acting,) = (each for each in lexicon().find(name) if each.kind in ("fault", "action"))
        assert driver in dict(acting.facts)["acts on"].split(", ")
