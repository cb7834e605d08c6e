"""A page of ours as PDF: printed by Chromium, which draws the charts, or else by WeasyPrint, without them.

    HTML ─► Chromium, if there is one ─► PDF, charts drawn
         └► WeasyPrint (extra `pdf`)  ─► PDF, tables alone, and that is said

Chromium gets a profile of its own, which is deleted afterwards, and no name to look up: our pages carry all
that they show, and name no address.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from seatrial import disk
from seatrial.extras import PDF
from seatrial.model.problems import Unavailable

CHROMIUMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
)
_WITHIN_S = 60.0
_WIDTH, _HEIGHT = 1200, 1600  # pixels of the window: charts are drawn for it, and printed at 65 %
_DRAWN_MS = 10_000  # of the page's own time: its scripts have drawn everything long before
# What WeasyPrint lays out in another way than browsers do.
_FOR_WEASYPRINT = """
.key { display: block } .key .scale { height: 14pt; margin: 6pt 0 } .scale-ends { display: none }
.stamp { display: block; white-space: nowrap } .icon, .symbols, figure, .chart, .legend { display: none }
"""


def write_pdf(page: str, path: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Write a page as PDF; what is missing from it, or nothing. Raises Unavailable, CannotStore."""
    if chromium := find_chromium(environment):
        data = _printed(chromium, page)
        lacking = ""
    else:
        PDF.require("a PDF without Chromium")
        data = _set(page)
        lacking = "there is no Chromium here, so the charts are not in it"
    with disk.storing("the PDF", path):
        disk.write_whole(path, data)
    return lacking


def find_chromium(environment: Mapping[str, str] = os.environ) -> str | None:
    """A browser that prints, on the PATH of an environment."""
    places = environment.get("PATH")
    return next((found for name in CHROMIUMS if (found := shutil.which(name, path=places))), None)


def _printed(chromium: str, page: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="seatrial-pdf-", ignore_cleanup_errors=True) as directory:
        place = Path(directory)
        html, pdf = place / "page.html", place / "page.pdf"
        html.write_text(page, encoding="utf-8")
        command = [
            chromium,
            "--headless",
            "--disable-gpu",
            "--no-first-run",
            "--no-pdf-header-footer",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={place / 'profile'}",
            f"--window-size={_WIDTH},{_HEIGHT}",
            f"--virtual-time-budget={_DRAWN_MS}",
            f"--print-to-pdf={pdf}",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # which it has for nobody but others
            html.as_uri(),
        ]
        said = _run(command)
        if not pdf.is_file():
            raise Unavailable(f"{chromium} printed nothing: {said.strip()[-300:] or 'it said nothing'}")
        return pdf.read_bytes()


def _run(command: list[str]) -> str:
    """Run a browser to its end; what it said. Raises Unavailable, with all its processes ended."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as browser:
        try:
            return browser.communicate(timeout=_WITHIN_S)[0].decode(errors="replace")
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"{command[0]} did not print within {_WITHIN_S:g} s") from error
        finally:
            if browser.poll() is None:
                os.killpg(browser.pid, signal.SIGKILL)  # its session is its own, so the group is as well


def _set(page: str) -> bytes:
    weasyprint: Any = import_module("weasyprint")  # large, and only where it is asked for
    fetcher = import_module("weasyprint.urls").URLFetcher(allowed_protocols=["data"])
    sheet = weasyprint.CSS(string=_FOR_WEASYPRINT)
    data = weasyprint.HTML(string=page, url_fetcher=fetcher).write_pdf(stylesheets=[sheet])
    assert isinstance(data, bytes)
    return data
