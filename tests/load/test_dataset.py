"""A CSV file is checked whole, and gives its rows one by one."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load.dataset import DataSet, too_few
from seatrial.load.offer import Offer
from seatrial.model.arrivals import RateStep
from seatrial.model.problems import BadInput
from seatrial.model.quantities import Rate

# Of what CSV writes: a lone carriage return has to be in quotes, and the csv module sees to that.
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


def read(content: bytes, folder: Path) -> DataSet:
    path = folder / "users.csv"
    path.write_bytes(content)
    return DataSet.read(path)


def told(content: bytes, folder: Path) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read(content, folder)
    return [str(problem) for problem in caught.value.problems]


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(VALUES, min_size=width, max_size=width), min_size=1, max_size=8)
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_rows_are_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], end: str, mark: bytes
) -> None:
    columns = [f"c{number}" for number in range(len(rows[0]))]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([columns, *rows])
    content = mark + text.getvalue().encode()
    dataset = read(content, tmp_path_factory.mktemp("data"))
    assert dataset.columns == tuple(columns)
    assert [list(dataset[number].values()) for number in range(len(dataset))] == rows
    assert dataset.sha256 == hashlib.sha256(content).hexdigest()


def test_blank_lines_are_no_rows_and_the_last_line_may_have_no_end(tmp_path: Path) -> None:
    dataset = read(b'a,b\n\n1,2\n\n\n3,"4\n5"\n6,7', tmp_path)
    assert len(dataset) == 3
    assert [dataset[number] for number in range(3)] == [
        {"a": "1", "b": "2"},
        {"a": "3", "b": "4\n5"},
        {"a": "6", "b": "7"},
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "users.csv:1: the file is empty; its first line names the columns"),
        (b"\n\n", "users.csv:1: the file is empty; its first line names the columns"),
        (b"a,b\n", "users.csv:1: has a header and no row"),
        (b"a,,c\n1,2,3\n", "users.csv:1: column 2 has no name"),
        (b"\na, ,c\n1,2,3\n", "users.csv:2: column 2 has no name"),
        (b"a,b,a\n1,2,3\n", "users.csv:1: two columns have the name 'a'"),
        (b"a,b\n1,2\n3\n", "users.csv:3: has 1 value, and the header 2 columns"),
        (b'a,b\n"1\n\n",2\n3,4,5\n', "users.csv:5: has 3 values, and the header 2 columns"),
        (b"a,b\n1,\xff\n", "users.csv:2: is not text in UTF-8: invalid start byte"),
        ("a,b\n1,ä\n".encode("utf-16"), "users.csv:1: holds a NUL, and is no text in UTF-8"),
        (b"a,b\n1,2\n3,\0\n", "users.csv:3: holds a NUL, and is no text in UTF-8"),
        (b'a,b\n1,"2\n3,4\n', "users.csv:3: is no CSV: unexpected end of data"),
        (b'a,b\n1,"2"x\n', "users.csv:2: is no CSV: ',' expected after '\"'"),
        (b"a;b\n1;2\n", "users.csv:1: names one column, with ';' in it; commas stand between columns"),
        (b"a\n" + b"x" * 200_000, "users.csv:2: is no CSV: field larger than field limit (131072)"),
    ],
)
def test_a_mistake_is_told_with_its_line(content: bytes, says: str, tmp_path: Path) -> None:
    assert told(content, tmp_path) == [says]


def test_the_first_rows_with_a_mistake_are_told_at_once_and_no_value_with_them(tmp_path: Path) -> None:
    lines = told(b"user,password\n" + b"ada,s3cret,x\n" * 9, tmp_path)
    assert [line.split(" ")[0] for line in lines] == [f"users.csv:{line}:" for line in range(2, 7)]
    assert "s3cret" not in "".join(lines)


def test_secret_columns_are_known_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text("user,pass word,pin\nada,s3cret-T0ken,4711\n")
    secrets = DataSet.read(path, secret=("pin", "pass word")).secrets
    assert secrets is not None
    assert secrets.in_words("ada s3cret-T0ken 4711", lambda _: False) == "ada ${row.pass_word} ${row.pin}"
    assert DataSet.read(path).secrets is None
    with pytest.raises(
        BadInput, match=r"users\.csv:1: has no column 'pim' to be secret; did you mean 'pin'\?"
    ):
        DataSet.read(path, secret=("pim",))


def test_what_cannot_be_read_or_kept_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere\.csv: cannot be read: No such file"):
        DataSet.read(tmp_path / "nowhere.csv")
    with (tmp_path / "large.csv").open("wb") as large:
        large.truncate(1 << 31)
    with pytest.raises(BadInput, match=r"large\.csv: larger than 1024 MiB"):
        DataSet.read(tmp_path / "large.csv")


def test_a_column_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    row = read(b"user,password\nada,x\n", tmp_path)[0]
    with pytest.raises(KeyError, match=r"the data has no column 'pasword'; did you mean 'password'\?"):
        row["pasword"]
    assert row.get("pasword") is None


def test_reading_it_leaves_the_process_alone() -> None:
    check = "import sys, seatrial.load.dataset; sys.exit('gevent' in sys.modules or 'locust' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_rows_that_cannot_do_are_known_beforehand() -> None:
    offer = Offer((RateStep(0.0, Rate(10, 1.0)),), "even", 0, warmup_s=2.0, duration_s=3.0)
    assert too_few(offer, 50, "unique") == ""
    assert too_few(offer, 49, "unique").startswith(
        "50 arrivals are due, warm-up included, and there are 49 rows, each to be given once; give it more rows"
    )
    assert too_few(offer, 1, "random") == too_few(offer, 1, "sequential") == ""
    for unknowable in (replace(offer, counts="requests"), replace(offer, duration_s=math.inf)):
        assert too_few(unknowable, 1, "unique") == ""
