import json
import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from seatrial.model.requestlog import Coded
from seatrial.model.result import Bounds
from seatrial.report import Dossier
from seatrial.report.chartdata import chart_data


def data_of(dossier: Dossier) -> str:
    assert dossier.log is not None
    assert dossier.result.measurement is not None
    return chart_data(dossier.log, dossier.result.measurement, dossier.result.steps)


@pytest.mark.parametrize("kind", ["pass", "none", "many", "blackhole", "long"])
def test_it_is_small_strict_json(kind: str, make: Callable[[str], Dossier]) -> None:
    text = data_of(make(kind))
    found = json.loads(text)
    assert len(text) < 200_000
    buckets = len(found["overview"]["good"])
    assert all(
        len(found["overview"][name]) == buckets for name in ("bad", "sent", "answered", "p50", "p95", "max")
    )
    for one in found["closeups"]:
        columns = [one[name] for name in ("ordinal", "state", "due", "late", "took", "status")]
        columns += [one[name]["codes"] for name in ("name", "served", "error")]
        assert len({len(column) for column in columns}) == 1


def test_it_cannot_end_the_script_element_that_holds_it(make: Callable[[str], Dossier]) -> None:
    dossier = make("pass")
    assert dossier.log is not None
    hostile = replace(dossier.log, name=Coded(dossier.log.name.codes, ("</script><!--", "\u2028", "b", "c")))
    text = data_of(replace(dossier, log=hostile))
    assert "<" not in text
    assert "\u2028" not in text
    assert "</script><!--" in json.loads(text)["closeups"][0]["name"]["texts"]


def test_an_end_that_was_never_seen_lies_beyond_every_chart(make: Callable[[str], Dossier]) -> None:
    dossier = make("pass")
    measured = dossier.result.measurement
    assert measured is not None
    endless = replace(measured.outages[0], server=Bounds(1.0, math.inf), perceived=Bounds(1.0, math.inf))
    measured = replace(measured, outages=(endless,))
    found = json.loads(data_of(replace(dossier, result=replace(dossier.result, measurement=measured))))
    assert found["closeups"][0]["brackets"][1]["outer"][1] == 1e9
    assert found["closeups"][0]["brackets"][1]["length"] == "1.00 s or more"
