"""Files as data: one reader a format, chosen by the file's name as conftest chooses it.

    name ──► reader_of ──► reader(text) ──► Part per document ──► `input` of a policy

What a policy sees has the shape that conftest gives it, so that existing policies run: the documents of a
YAML file one by one, a Dockerfile as a list of commands, HCL as hcl2json writes it. A `requirements.txt` is
ours alone. What cannot be read is told with line and column (`NotReadable`) and judged by no policy.
"""

from seatrial.policy.readers.choice import READERS, parts_of, reader_of, reader_versions
from seatrial.policy.readers.part import NotReadable, Part, as_json

__all__ = ["READERS", "NotReadable", "Part", "as_json", "parts_of", "reader_of", "reader_versions"]
