"""The report in a real browser: the charts draw, the page's own policy lets them, and the console stays silent."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from seatrial.report import Dossier, render_html

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine: apt-get install chromium"),
]

# Counts, for each chart, how many of its pixels are painted.
PROBE = """
const painted = (canvas) => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let i = 3; i < pixels.length; i += 4) if (pixels[i]) count++;
  return count / (canvas.width * canvas.height);
};
const found = [...document.querySelectorAll(".plot")].map((plot) => [...plot.querySelectorAll("canvas")].map(painted));
document.documentElement.dataset.probe = JSON.stringify({
  found,
  wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
});
"""


def with_probe(html: str) -> str:
    digest = base64.b64encode(hashlib.sha256(PROBE.encode()).digest()).decode()
    html = html.replace("script-src ", f"script-src &#39;sha256-{digest}&#39; ", 1)
    return html.replace("</body>", f"<script>{PROBE}</script></body>")


def browse(page: Path, profile: Path, width: int) -> tuple[str, list[str]]:
    """The document after its scripts ran, and what they wrote to the console."""
    assert BROWSER is not None
    quiet = (
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "disable-quic",
        "no-first-run",
    )
    done = subprocess.run(
        [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-breakpad",
            *(f"--{option}" for option in quiet), f"--user-data-dir={profile}", f"--window-size={width},1200",
            "--enable-logging=stderr", "--virtual-time-budget=4000", "--dump-dom", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize(
    ("kind", "charts", "width"), [("pass", 8, 1440), ("none", 5, 1440), ("many", 19, 520), ("empty", 0, 520)]
)
def test_the_charts_draw(
    kind: str, charts: int, width: int, make: Callable[[str], Dossier], tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    page.write_text(with_probe(render_html(make(kind))), encoding="utf-8")
    document, console = browse(page, tmp_path / "profile", width)
    assert console == []
    probe = re.search(r'data-probe="([^"]*)"', document)
    assert probe is not None
    seen = json.loads(probe[1].replace("&quot;", '"'))
    assert len(seen["found"]) == charts
    assert all(len(canvases) == 1 and canvases[0] > 0.005 for canvases in seen["found"]), seen
    assert not seen["wide"], "the page scrolls sideways"
