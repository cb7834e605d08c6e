"""wrk and wrk2: they print a summary, and log no request; so do ab and bombardier unless they are told to.

There is nothing to be read from such a summary but that it is one, and what to do instead.
"""

from __future__ import annotations

import re

from seatrial.measure.importers.importer import Imported, Importer, Source

_SUMMARY = re.compile(rb"^(?:Running \S+ test @ |This is ApacheBench|Bombarding )", re.MULTILINE)
_ADVICE = (
    "is a summary, not single requests, so no outage can be read from it. wrk and wrk2 log none: measure "
    "the log of "
    "the server that they asked, or let a tool ask that logs requests (seatrial run, k6, vegeta, oha "
    "--output-format csv)"
)


class WrkImporter(Importer):
    """Refused, with what to do."""

    name = "wrk"

    def recognises(self, source: Source) -> bool:
        """The line that such a summary begins with."""
        return _SUMMARY.search(source.head[:2000]) is not None

    def read(self, source: Source) -> Imported:
        """Raises BadInput."""
        raise source.problem(_ADVICE, 1)
