"""What everything is that a file may name and a command may say, for people and for editors.

    records, docstrings, registries ──► entries ──► lexicon ──► seatrial explain
              │                                        └──────► `seatrial explain …` at the end of a problem
              └───────────────────────► schemas ──► seatrial schema, and the editor of whoever writes a file

Nothing is described here. The text of an entry is the docstring of what it is about, that of a parameter
stands below it in its record, types and limits are those that files are read by: so nothing is out of date.
"""

from seatrial.explain.entry import Entry, Parameter, Part
from seatrial.explain.lexicon import Lexicon, lexicon

__all__ = ["Entry", "Lexicon", "Parameter", "Part", "lexicon"]
