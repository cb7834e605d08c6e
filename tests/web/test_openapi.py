"""The OpenAPI document says what the API does."""

from __future__ import annotations

import jsonschema
import pytest
from tests.web.conftest import Site

from seatrial.web.views import VIEWS

RUN = "database-crash-0002"


@pytest.mark.parametrize(
    "view", [view for view in VIEWS if "underway/" not in view.path], ids=lambda view: view.path
)
def test_what_is_given_is_what_is_described(site: Site, view: object) -> None:
    described = site.client().get("/api/openapi.json").json()
    path = f"/api{view.path}".rstrip("/")  # type: ignore[attr-defined]
    schema = described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    given = site.client().get(path.format(run=RUN, experiment="database-crash")).json()
    jsonschema.validate(given, {**schema, "components": described["components"]})


def test_every_act_is_described_and_needs_the_token(site: Site) -> None:
    paths = site.client().get("/api/openapi.json").json()["paths"]
    acts = {path: about["post"] for path, about in paths.items() if "post" in about}
    assert set(acts) == {
        "/api/underway/{run}/stop",
        "/api/incidents/retry",
        "/api/matrix/sign",
        "/api/matrix/renew",
    }
    assert all(act["security"] == [{"token": []}] for act in acts.values())
    names = [about[method]["operationId"] for about in paths.values() for method in about]
    assert len(set(names)) == len(names)
