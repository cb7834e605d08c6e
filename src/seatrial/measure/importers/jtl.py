"""JMeter: its JTL files, as CSV in any of its everyday forms, or as XML.

`timeStamp` is the start of a sample in milliseconds, as jmeter.properties ships it
(`sampleresult.timestamp.start=true`), `elapsed` its length.

A transaction controller writes a sample of its own for the requests inside it. It is a sum, not a request:
counted beside them it would double the rate and halve the share of errors. Those samples are left out, and
said to be.
"""

from __future__ import annotations

from seatrial.measure.importers.importer import Imported, Importer, Source
from seatrial.measure.importers.jtl_table import is_headerless, read_table
from seatrial.measure.importers.jtl_xml import read_xml

_XML = b"<testResults"


class JtlImporter(Importer):
    """One row, or one element, a sample."""

    name = "jtl"

    def recognises(self, source: Source) -> bool:
        """The header of its CSV, a first row in the order of its columns, or the root of its XML."""
        return (
            _XML in source.head or {"timeStamp", "elapsed"} <= set(source.header()) or is_headerless(source)
        )

    def read(self, source: Source) -> Imported:
        """Good is what JMeter calls a success, its assertions included."""
        return read_xml(source, self.name) if _XML in source.head else read_table(source, self.name)
