"""The token, and the sessions that it is changed for."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.web.conftest import HERE, TOKEN, Site

from seatrial.model.problems import BadInput
from seatrial.web.entrance import Entrance, read_token


@pytest.mark.parametrize(
    ("text", "mode", "wrong"),
    [(TOKEN, 0o644, "others can read it"), ("short", 0o600, "at least"), (f"{TOKEN} {TOKEN}", 0o600, "one word"),
     ("", 0o600, "at least")],
)  # fmt: skip
def test_a_token_that_is_none_is_refused(tmp_path: Path, text: str, mode: int, wrong: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(BadInput, match=wrong) as refused:
        read_token(file)
    assert TOKEN not in str(refused.value)


def test_a_token_is_read(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    assert read_token(file) == TOKEN
    with pytest.raises(BadInput, match="No such file"):
        read_token(tmp_path / "none")


def test_without_a_token_nobody_acts(site: Site) -> None:
    site.dashboard.entrance = Entrance()
    client = site.client(origin=HERE)
    assert not site.dashboard.entrance.opens("")
    assert client.get("/session").status_code == 404
    for path in ("/incidents/retry", "/matrix/sign", "/underway/x/stop"):
        assert client.post(path, headers={"authorization": "Bearer "}).status_code == 403
        assert client.post(f"/api{path}").status_code == 403


def test_a_session_ends_when_one_says_so(site: Site) -> None:
    browser = site.browser()
    assert "Sign out" in browser.get("/incidents").text
    cookie = browser.cookies["seatrial_session"]
    browser.post("/session/end")
    again = site.client(cookie=f"seatrial_session={cookie}")
    assert "Sign out" not in again.get("/incidents").text
    assert "Sign out" not in site.client(cookie="seatrial_session=").get("/incidents").text


def test_a_program_shows_the_token_itself(site: Site) -> None:
    wrong = site.client(authorization="Bearer guess").post("/api/incidents/retry")
    assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, "Bearer")
    right = site.client(authorization=f"Bearer {TOKEN}").post("/api/incidents/retry")
    assert right.json() == {"told": "0 tried"}
