"""JMeter's JTL, as CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.measure.importers import read
from seatrial.model.problems import BadInput

JTL = """timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes
1767225600000,12,Home,200,OK,Users 1-1,text,true,,3
1767225600250,1000,Home,Non HTTP response code: java.net.ConnectException,"Connection refused
(Connection refused)",Users 1-2,text,false,,0
1767225600500,20,Order,200,OK,Users 1-1,text,false,"Test failed: text expected, got nothing",3
"""


def test_samples_become_requests(tmp_path: Path) -> None:
    path = tmp_path / "results.jtl"
    path.write_text(JTL)
    imported = read(path)
    log = imported.log
    assert imported.format == "jtl"
    assert log.intended.tolist() == pytest.approx([0.0, 0.25, 0.5])
    assert (log.ended - log.sent).tolist() == pytest.approx([0.012, 1.0, 0.02], abs=1e-6)
    assert log.ok.tolist() == [True, False, False]
    assert log.status.tolist() == [200, 0, 200]
    assert log.name.texts() == ["Home", "Home", "Order"]
    assert log.worker.texts() == ["Users 1-1", "Users 1-2", "Users 1-1"]
    assert log.error.texts()[0] == ""
    assert log.error.texts()[1].startswith("Connection refused")
    assert log.error.texts()[2] == "Test failed: text expected, got nothing"
    assert len(imported.warnings) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<?xml version="1.0"?>\n<testResults version="1.2">\n', ":1: is a JTL in XML form; run JMeter with"),
        ("timeStamp,elapsed,label\n1,2,x\n", ":1: has no column 'success'"),
        (JTL.replace(",1000,Home", ",,Home"), ":3: column 'elapsed' is empty"),
        (JTL.replace("1767225600250", "2026/01/01 00:00"), ":3: column 'timeStamp'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_advice(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "results.jtl"
    path.write_text(text)
    with pytest.raises(BadInput, match=message):
        read(path)
