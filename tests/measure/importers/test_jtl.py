"""JMeter's JTL: which samples are requests, and the forms in which people have it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from seatrial.measure.importers import read
from seatrial.model.problems import BadInput

HEADER = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes"
)
JTL = f"""{HEADER}
1767225600000,12,Home,200,OK,Users 1-1,text,true,,3
1767225600250,1000,Home,Non HTTP response code: java.net.ConnectException,"Connection refused
(Connection refused)",Users 1-2,text,false,,0
1767225600500,20,Order,200,OK,Users 1-1,text,false,"Test failed: text expected, got nothing",3
"""
TRANSACTION = '"Number of samples in transaction : {}, number of failing samples : 0"'
WHOLE = (  # as JMeter 5 writes it by default
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,"
    "grpThreads,allThreads,URL,Latency,IdleTime,Connect"
)
ROW = "{},12,Home,200,OK,Users 1-1,text,true,,3,118,1,1,http://127.0.0.1/,10,0,1"


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_samples_become_requests(tmp_path: Path) -> None:
    imported = read(written(tmp_path / "results.jtl", JTL))
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


def test_transaction_controllers_are_no_requests(tmp_path: Path) -> None:
    """500 requests in 250 transactions were measured as 750."""
    lines = [HEADER]
    for i in range(250):
        at = 1767225600000 + 100 * i
        lines += [
            f"{at},12,Home,200,OK,Users 1-1,text,true,,3",
            f"{at + 20},12,Order,200,OK,Users 1-1,text,true,,3",
            f"{at},32,Buy,200,{TRANSACTION.format(2)},Users 1-1,,true,,6",
        ]
    imported = read(written(tmp_path / "results.jtl", "\n".join(lines) + "\n"))
    assert len(imported.log) == 500
    assert set(imported.log.name.texts()) == {"Home", "Order"}
    assert imported.warnings[-1] == (
        "250 samples of transaction controllers were left out: they are sums of requests"
    )


def test_requests_that_only_a_transaction_speaks_of_are_missed_aloud(tmp_path: Path) -> None:
    text = f"{JTL}1767225600000,32,Buy,200,{TRANSACTION.format(7)},Users 1-1,,true,,6\n"
    warning = read(written(tmp_path / "results.jtl", text)).warnings[-1]
    assert "They speak of 7 requests, the log has 3: with 'Generate parent sample'" in warning


def test_without_messages_a_sum_is_known_by_what_it_lacks(tmp_path: Path) -> None:
    text = (
        "timeStamp,elapsed,label,responseCode,threadName,dataType,success,URL\n"
        "1767225600000,12,Home,200,Users 1-1,text,true,http://127.0.0.1/\n"
        "1767225600000,32,Buy,200,Users 1-1,,true,null\n"
        "1767225600100,12,Script,200,Users 1-1,text,true,null\n"
    )
    imported = read(written(tmp_path / "results.jtl", text))
    assert imported.log.name.texts() == ["Home", "Script"]
    assert imported.warnings[-1].startswith(
        "1 samples have no data type and no URL, as transaction controllers'"
    )


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
@pytest.mark.parametrize("headed", [True, False])
def test_columns_may_be_set_apart_by_any_usual_sign_with_or_without_a_header(
    tmp_path: Path, delimiter: str, headed: bool
) -> None:
    rows = [ROW.format(1767225600000 + 250 * i) for i in range(4)]
    text = "\n".join([WHOLE] * headed + rows).replace(",", delimiter) + "\n"
    imported = read(written(tmp_path / "results.csv", text))
    assert imported.format == "jtl"
    assert imported.log.sent.tolist() == pytest.approx([0.0, 0.25, 0.5, 0.75])
    assert imported.log.name.texts() == ["Home"] * 4
    assert imported.log.status.tolist() == [200] * 4
    assert any("no header line" in warning for warning in imported.warnings) == (not headed)


def test_headerless_files_of_older_versions_have_fewer_columns(tmp_path: Path) -> None:
    older = ROW.replace("http://127.0.0.1/,", "")
    log = read(written(tmp_path / "results.csv", f"{older.format(1767225600000)}\n")).log
    assert (log.name.texts(), log.ok.tolist()) == (["Home"], [True])
    oldest = (
        "1767225600000,12,Home,500,Oops,Users 1-1,text,false,3,10\n"  # no failureMessage: bytes and latency
    )
    assert read(written(tmp_path / "results.csv", oldest)).log.error.texts() == ["Oops"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026/01/01 00:00:00.000", "2026/01/01 00:00:00.250"),
        ("2026-01-01 00:00:00.000", "2026-01-01 00:00:00.250"),
        ("2026-01-01T00:00:00.000", "2026-01-01T00:00:00.250"),
        ("2026-01-01T00:00:00.000+0100", "2026-01-01T00:00:00.250+0100"),
        ("2026-01-01T00:00:00.000Z", "2026-01-01T01:00:00.250+01:00"),
        ("12/31/25 23:59:59.900", "01/01/26 00:00:00.150"),
        ("12/31/2025 23:59:59.900", "01/01/2026 00:00:00.150"),
        ('"31.12.2025 23:59:59,9"', '"01.01.2026 00:00:00,15"'),
    ],
)
def test_timestamps_may_be_dates(tmp_path: Path, first: str, second: str) -> None:
    text = f"{WHOLE}\n{ROW.format(first)}\n{ROW.format(second)}\n"
    imported = read(written(tmp_path / "results.jtl", text))
    assert imported.log.sent.tolist() == pytest.approx([0.0, 0.25])
    assert any("local time of the machine that wrote them" in warning for warning in imported.warnings)


def test_dates_of_a_headerless_file_are_read_as_well(tmp_path: Path) -> None:
    rows = "".join(ROW.format(f"2026/01/01 00:00:0{i}").replace(",", "|") + "\n" for i in range(3))
    assert read(written(tmp_path / "results.jtl", rows)).log.sent.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("timeStamp,elapsed,label\n1,2,x\n", ":1: has no column 'success'"),
        (JTL.replace(",1000,Home", ",,Home"), ":3: column 'elapsed' is empty"),
        (JTL.replace("1767225600250", "2026/01/01 00:00"), ":3: column 'timeStamp'"),
        (JTL.replace("1767225600500,20", "1767225600500,soon"), ":5: column 'elapsed'"),  # after a cell of two lines
        (JTL.replace("1767225600500,20", "1767225600500,"), ":5: column 'elapsed' is empty"),
        (JTL.replace("1767225600500,20", "1767225600500,-20"), ":5: row 3: 'ended' lies before 'sent'"),
        (f"{HEADER}\n1,32,Buy,200,{TRANSACTION.format(2)},Users 1-1,,true,,6\n", "holds 1 samples of transaction"),
        (f"{WHOLE}\n{ROW.format('2026/01/01 00:00:00')}\n\n{ROW.format('noon')}\n", ":4: .* 'noon' is not a date"),
        (f"{WHOLE}\n{ROW.format('2026/01/01 00:00:00')}\n{ROW.format('2026/02/30 00:00:00')}\n", ":3: .*'2026/02/30"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(written(tmp_path / "results.jtl", text))


XML = """<?xml version="1.0" encoding="UTF-8"?>
<testResults version="1.2">
<httpSample t="12" it="0" lt="10" ct="1" ts="1767225600000" s="true" lb="Home" rc="200" rm="OK" tn="Users 1-1" dt="text" by="3">
  <httpSample t="5" ts="1767225600000" s="true" lb="Home-0" rc="302" rm="Found" tn="Users 1-1" dt="text" by="1"/>
  <httpSample t="7" ts="1767225600005" s="true" lb="Home-1" rc="200" rm="OK" tn="Users 1-1" dt="text" by="2"/>
  <responseData class="java.lang.String">&lt;p&gt;hello</responseData>
</httpSample>
<sample t="70" ts="1767225600250" s="false" lb="Buy" rc="" rm="Number of samples in transaction : 2, number of failing samples : 1" tn="Users 1-1" dt="" by="6">
  <httpSample t="20" ts="1767225600250" s="true" lb="Cart" rc="200" rm="OK" tn="Users 1-1" dt="text" by="3"/>
  <httpSample t="50" ts="1767225600270" s="false" lb="Pay" rc="200" rm="OK" tn="Users 1-1" dt="text" by="3">
    <assertionResult><name>total</name><failure>true</failure><error>false</error><failureMessage>Test failed: 9 &lt; 10</failureMessage></assertionResult>
    <assertionResult><name>time</name><failure>true</failure><error>false</error><failureMessage>too long</failureMessage></assertionResult>
  </httpSample>
</sample>
<sample t="30" ts="1767225600500" s="true" lb="Around" rc="200" tn="Users 1-1">
  <httpSample t="30" ts="1767225600500" s="true" lb="Inside" rc="200" rm="OK" tn="Users 1-1"/>
</sample>
<sample t="3" ts="1767225600750" s="true" lb="SELECT" rc="200" rm="OK" tn="Users 1-1" dt="text"/>
</testResults>
"""  # as JMeter writes it


def test_xml_is_read_with_each_request_once(tmp_path: Path) -> None:
    imported = read(written(tmp_path / "results.jtl", XML))
    log = imported.log
    assert imported.format == "jtl"
    assert log.name.texts() == ["Home", "Cart", "Pay", "Inside", "SELECT"]
    assert log.sent.tolist() == pytest.approx([0.0, 0.25, 0.27, 0.5, 0.75])
    assert (log.ended - log.sent).tolist() == pytest.approx([0.012, 0.02, 0.05, 0.03, 0.003], abs=1e-6)
    assert log.ok.tolist() == [True, True, False, True, True]
    assert log.error.texts() == ["", "", "Test failed: 9 < 10", "", ""]
    assert (
        "2 samples of transaction controllers were left out: they are sums of requests" in imported.warnings
    )
    assert any(warning.startswith("2 samples in requests (redirects") for warning in imported.warnings)


def test_xml_may_be_compressed_or_break_off(tmp_path: Path) -> None:
    path = tmp_path / "results.jtl.gz"
    path.write_bytes(gzip.compress(XML.encode()))
    assert len(read(path).log) == 5
    broken = XML[: XML.index('<sample t="3"')]
    imported = read(written(tmp_path / "results.jtl", broken))
    assert len(imported.log) == 4
    assert "breaks off at line 18" in imported.warnings[-1]


BOMB = """<?xml version="1.0"?>
<!DOCTYPE testResults [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<testResults version="1.2"><sample t="1" ts="1" s="true" lb="&b;"/></testResults>
"""
SAMPLE = '<sample t="3" ts="1767225600750" s="true" lb="SELECT"/>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, ":2: declares a document type"),
        (BOMB.replace("[", "SYSTEM 'file:///etc/hostname' ["), ":2: declares a document type"),
        ("<a>\n<testResults/></a>", ":1: begins with <a>"),
        ('<?xml version="1.0"?>\n<testResults version="1.2">\n', ":3: is not well-formed XML"),
        (f"<testResults>\n{SAMPLE}\n</testResult>", ":3: is not well-formed XML"),
        (
            f"<testResults>\n{SAMPLE.replace('ts=', 'x=')}\n</testResults>",
            ":2: <sample>: ts='' is not a number",
        ),
        (
            f"<testResults>\n{SAMPLE.replace('true', 'yes')}\n</testResults>",
            ":2: <sample>: s='yes' is neither",
        ),
        (
            f"<testResults>\n{SAMPLE}\n{SAMPLE.replace('3', '-3', 1)}</testResults>",
            ":3: row 2: 'ended' lies before",
        ),
        ("<testResults>" + SAMPLE.replace("/>", ">") * 101, ":1: has more than 100 samples"),
        ("<testResults></testResults>", "holds no request"),
        ('<?xml version="1.0" encoding="klingon"?><testResults/>', ":1: "),
    ],
)
def test_xml_that_is_wrong_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read(written(tmp_path / "results.jtl", text))
