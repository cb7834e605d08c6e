"""Which row of a data set an arrival gets: a pure function of the arrival's number.

    sequential    0 1 2 … n−1 0 1 …      the file's order, from the start again after its end
    random        any of them, drawn for each arrival by the seed; a row may come twice
    unique        0 1 2 … n−1            the file's order, and then no more

Arrivals are numbered from the first of the warm-up on, over all classes of users. As nothing else counts,
load workers that share a schedule share the rows as well: each knows the numbers of its arrivals, and nobody
has to ask who has taken what. `unique` keeps the file's order, so that whoever has run it knows which rows
are spent: as many from the top as there were arrivals.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from seatrial.model.strict import Strict, as_tuple

Order = Literal["sequential", "random", "unique"]

_ALL_64 = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio, made odd


def row_of(arrival: int, rows: int, order: Order, seed: int = 0) -> int | None:
    """The number of the row for an arrival, both counted from 0; None when there is none left for it.

    A random row is a hash of seed and arrival as a fraction of 2^64, times the number of rows: the finaliser
    is that of SplitMix64 (Steele, Lea, Flood: *Fast Splittable Pseudorandom Number Generators*, OOPSLA 2014),
    the product Lemire's (*Fast Random Integer Generation in an Interval*, 2019); no row is favoured by more
    than rows / 2^64.
    """
    if order == "random":
        return (_mixed(_mixed(seed) + arrival * _GOLDEN) * rows) >> 64
    if order == "unique" and arrival >= rows:
        return None
    return arrival % rows


def _mixed(number: int) -> int:
    number = (number + _GOLDEN) & _ALL_64
    number = ((number ^ number >> 30) * 0xBF58476D1CE4E5B9) & _ALL_64
    number = ((number ^ number >> 27) * 0x94D049BB133111EB) & _ALL_64
    return number ^ number >> 31


class Data(Strict):
    """The rows of a CSV file, one for each arrival, which its scenario finds in `self.row`.

        data: users.csv
        data: {file: users.csv, order: unique, secret: [password]}

    The first line names the columns, commas stand between them, and the text is UTF-8. `self.row["email"]` is
    the value as text; in a task set it is `self.user.row`. Each arrival has its row to its end, whatever
    class of users it is served by, and arrivals of the warm-up have theirs too.
    """

    file: str = Field(examples=["users.csv"])
    """The file; a path from the working directory, or from the experiment's own."""
    order: Order = "sequential"
    """Who gets which row.

    `sequential`: in the file's order, from the start again after its end. `random`: any of them, by the
    load's `seed`. `unique`: in the file's order and each once; arrivals beyond the last are not sent, so that
    nothing can pass, and where that is known beforehand the run is not started.
    """
    secret: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(default=(), examples=[["password"]])
    """The columns whose values nobody may read: in logs, evidence and reports `${row.password}` stands in
    their places. A value of fewer than 4 characters is not looked for, nor one that stands in the experiment
    or the target itself."""


def _by_its_file(value: object) -> object:
    """`users.csv` is short for a file in its order."""
    return {"file": value} if isinstance(value, str) else value


FileOfData = Annotated[Data, BeforeValidator(_by_its_file, json_schema_input_type=str | Data)]
