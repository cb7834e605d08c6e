"""JMeter: a JTL file in CSV form, with its header line.

`timeStamp` is the start of a sample in milliseconds, as jmeter.properties ships it
(`sampleresult.timestamp.start=true`), `elapsed` its length.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from seatrial.measure.importers.delimited import TEXT, floats, read_csv, status_codes, texts
from seatrial.measure.importers.importer import CLOSED_LOOP, Imported, Source, without_schedule
from seatrial.model.requestlog import Bools, Coded

_MILLISECONDS = "JMeter writes whole milliseconds; every bound is 1 ms wider than it looks"


class JtlImporter:
    """One row a sample."""

    name = "jtl"

    def recognises(self, source: Source) -> bool:
        """The header of its CSV, or its XML form (which `read` refuses with advice)."""
        return {"timeStamp", "elapsed"} <= set(source.header()) or b"<testResults" in source.head

    def read(self, source: Source) -> Imported:
        """Good is what JMeter calls a success, its assertions included."""
        if b"<testResults" in source.head:
            raise source.problem(
                "is a JTL in XML form; run JMeter with -Jjmeter.save.saveservice.output_format=csv", 1
            )
        kinds = {"timeStamp": pa.float64(), "elapsed": pa.float64(), "success": pa.bool_()}
        kinds |= dict.fromkeys(
            ("label", "responseCode", "responseMessage", "failureMessage", "threadName"), TEXT
        )
        table = read_csv(
            source, kinds, required=("timeStamp", "elapsed", "success"), filled=("timeStamp", "elapsed")
        )
        sent = floats(table, "timeStamp") / 1000
        ok = np.asarray(table.column("success").fill_null(False).to_numpy(), dtype=np.bool_)
        log = without_schedule(
            source,
            sent=sent,
            ended=sent + floats(table, "elapsed") / 1000,
            ok=ok,
            status=status_codes(texts(table, "responseCode")),
            name=texts(table, "label"),
            error=_error(table, ok),
            worker=texts(table, "threadName"),
        )
        return Imported(log, self.name, (CLOSED_LOOP, _MILLISECONDS))


def _error(table: pa.Table, ok: Bools) -> Coded:
    """The assertion's message where there is one, else the response message; empty for a success."""
    failure, message = texts(table, "failureMessage"), texts(table, "responseMessage")
    codes = np.where(failure.equals(""), message.codes, failure.codes + len(message.values))
    values = (*message.values, *failure.values, "")
    return Coded(np.where(ok, len(values) - 1, codes).astype(np.int32), values)


IMPORTER = JtlImporter()
