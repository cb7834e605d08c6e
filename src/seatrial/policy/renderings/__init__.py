"""A report in the forms that people and programs read."""

from seatrial.policy.renderings.document import document
from seatrial.policy.renderings.junit import junit
from seatrial.policy.renderings.sarif import sarif
from seatrial.policy.renderings.text import text

__all__ = ["document", "junit", "sarif", "text"]
