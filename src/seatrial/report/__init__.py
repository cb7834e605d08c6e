"""What people see of a run: in the terminal, in a browser, on paper and in CI.

Every function here is pure: it turns records that were measured and judged elsewhere into text. Nothing is
judged again, so that no two views of a run can disagree.
"""

from seatrial.report.comparison import compare, compared
from seatrial.report.dossier import Dossier
from seatrial.report.html import render_html
from seatrial.report.junit import junit
from seatrial.report.terminal import summary, to_do

__all__ = ["Dossier", "compare", "compared", "junit", "render_html", "summary", "to_do"]
