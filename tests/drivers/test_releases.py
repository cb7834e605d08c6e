"""Every driver that can switch releases, through the one action: there, back, and what goes wrong."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.support.edges import Edge, haproxy, needs_haproxy, needs_nginx, nginx, release
from tests.support.kubernetes_api import DEPLOYMENT, SERVICE, TOKEN, Cluster, handler_of
from tests.support.waiting import wait_until

from seatrial.drivers.releases import filled_in, releases_of
from seatrial.model.problems import BadInput, TooLate, Unavailable, Unreachable
from seatrial.model.role import Role
from seatrial.undo import Undo, registry

LOOPBACK = ("127.0.0.1",)


def switch(**parameters: Any) -> Any:
    return registry.build("deploy.switch", parameters, "action")


def there_and_back(role: Role) -> Iterator[str]:
    """Yields after each of the three: looked, switched, undone by another process."""
    action = switch()
    action.fit(role)
    undo = action.prepare(role)
    assert undo.touches == f"{role.name}: live release blue → green"
    yield "looked"
    action.inject(undo)
    assert action.healthy(role)
    assert not action.gone(undo)
    yield "switched"
    recorded = Undo.from_json(undo.to_json())
    again: Any = registry.rebuild(recorded)
    for _ in range(2):
        again.undo(recorded)
    assert again.gone(recorded)
    yield "undone"


@contextmanager
def serving(content: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), content) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_a_driver_without_releases_says_who_has_some(role: Role) -> None:
    with pytest.raises(
        BadInput,
        match="bound to process, which knows no releases; these drivers do: deploy-command, deploy-http, haproxy",
    ):
        switch(to="green").fit(role)


def test_the_placeholder_is_filled_in_everywhere() -> None:
    written = {"a": ["x-{release}", 3], "b": {"c": "{release}"}, "d": None}
    assert filled_in(written, "green") == {"a": ["x-green", 3], "b": {"c": "green"}, "d": None}


# nginx


@pytest.fixture
def at_nginx(tmp_path: Path) -> Iterator[tuple[Edge, Role]]:
    with release("blue") as blue, release("green") as green, nginx(tmp_path, blue, green) as edge:
        command = [*edge.command]
        parameters = {
            "active": "active.conf",
            "releases": {"blue": "blue.conf", "green": "green.conf"},
            "test": [*command, "-t", "-q"],
            "reload": [*command, "-s", "reload"],
        }
        yield edge, Role("edge", "nginx", parameters, LOOPBACK, str(tmp_path))


@needs_nginx
@pytest.mark.e2e
@pytest.mark.parametrize("linked", [False, True])
def test_nginx_is_reloaded_with_another_file_or_link(at_nginx: tuple[Edge, Role], linked: bool) -> None:
    edge, role = at_nginx
    active = edge.root / "active.conf"
    if linked:
        active.unlink()
        active.symlink_to("blue.conf")
    steps = there_and_back(role)
    for step, expected in (("looked", "blue"), ("switched", "green"), ("undone", "blue")):
        assert next(steps) == step
        wait_until(lambda: edge.says() == expected, what=f"{expected} answers")  # noqa: B023
        assert active.is_symlink() == linked
    assert not list(edge.root.glob(".active*"))


@needs_nginx
@pytest.mark.e2e
def test_nginx_never_reads_what_does_not_pass_its_test(at_nginx: tuple[Edge, Role]) -> None:
    edge, role = at_nginx
    (edge.root / "green.conf").write_text("location / { proxy_pas http://nowhere; }\n")
    before = (edge.root / "active.conf").read_bytes()
    action = switch(to="green")
    undo = action.prepare(role)
    with pytest.raises(Unavailable, match=r"nginx failed with 1: .*proxy_pas"):
        action.inject(undo)
    assert ((edge.root / "active.conf").read_bytes(), edge.says()) == (before, "blue")
    assert action.gone(undo)


@needs_nginx
@pytest.mark.e2e
def test_an_nginx_that_cannot_be_reloaded_keeps_its_file(at_nginx: tuple[Edge, Role]) -> None:
    edge, role = at_nginx
    stubborn = Role("edge", "nginx", {**role.parameters, "reload": ["false"]}, LOOPBACK, role.directory)
    with pytest.raises(Unavailable, match="false failed with 1"):
        releases_of(stubborn).make_live("green")
    assert (releases_of(role).live(), edge.says()) == ("blue", "blue")


@needs_nginx
@pytest.mark.e2e
def test_what_somebody_else_has_written_is_not_ours_to_overwrite_unseen(at_nginx: tuple[Edge, Role]) -> None:
    edge, role = at_nginx
    (edge.root / "active.conf").write_text("location / { return 503; }\n")
    with pytest.raises(Unavailable, match="is none of the releases"):
        switch(to="green").prepare(role)


def test_an_nginx_binding_that_lacks_something_is_told_where(role: Role) -> None:
    for parameters, told in (
        ({}, r"roles\.anything\.active: is missing"),
        ({"active": "a.conf"}, r"roles\.anything\.releases: say what each release is"),
        (
            {"active": "a.conf", "releases": {"blue": "b", "green": "g"}},
            r"roles\.anything\.releases\.blue: there is no file",
        ),
    ):
        bound = Role(role.name, "nginx", parameters, LOOPBACK, role.directory)
        with pytest.raises(BadInput, match=told):
            releases_of(bound)


# HAProxy, by the states of its servers (by its map: tests/actions/test_deploy_switch.py)


@needs_haproxy
@pytest.mark.e2e
def test_haproxy_drains_one_release_when_the_other_is_up() -> None:
    with (
        tempfile.TemporaryDirectory() as short,
        release("blue") as blue,
        release("green") as green,
        haproxy(Path(short), blue, green) as edge,
    ):
        parameters = {"socket": "h.sock", "servers": {"blue": "app/blue", "green": ["app/green"]}}
        role = Role("edge", "haproxy", parameters, LOOPBACK, short)
        releases = releases_of(role)
        with pytest.raises(Unavailable, match="blue and green are ready"):
            releases.live()
        releases.make_live("blue")
        steps = there_and_back(role)
        for step, expected in (("looked", "blue"), ("switched", "green"), ("undone", "blue")):
            assert next(steps) == step
            assert {edge.says() for _ in range(6)} == {expected}
        unknown = Role(
            "edge",
            "haproxy",
            {**parameters, "servers": {"blue": "app/blu", "green": "app/green"}},
            LOOPBACK,
            short,
        )
        with pytest.raises(Unavailable, match="has no server app/blu"):
            releases_of(unknown).live()


@needs_haproxy
@pytest.mark.e2e
def test_a_switch_that_died_half_way_is_put_back() -> None:
    with (
        tempfile.TemporaryDirectory() as short,
        release("blue") as blue,
        release("green") as green,
        haproxy(Path(short), blue, green),
    ):
        role = Role(
            "edge",
            "haproxy",
            {"socket": "h.sock", "servers": {"blue": "app/blue", "green": "app/green"}},
            LOOPBACK,
            short,
        )
        releases = releases_of(role)
        releases.make_live("blue")
        action = switch()
        undo = action.prepare(role)
        from seatrial.drivers.haproxy import tell

        tell(Path(short, "h.sock"), "app/green", "ready")  # and here it died
        action.undo(undo)
        assert action.gone(undo)


# a command


@pytest.fixture
def by_command(tmp_path: Path) -> Role:
    (tmp_path / "live").write_text("blue\n")
    parameters = {
        "live": ["cat", "live"],
        "switch": ["sh", "-c", 'echo "$0" > live', "{release}"],
        "releases": ["blue", "green"],
    }
    return Role("app", "deploy-command", parameters, LOOPBACK, str(tmp_path))


def test_two_commands_are_a_driver(by_command: Role) -> None:
    live = Path(by_command.directory, "live")
    steps = there_and_back(by_command)
    for step, expected in (("looked", "blue"), ("switched", "green"), ("undone", "blue")):
        assert next(steps) == step
        assert live.read_text() == f"{expected}\n"


@pytest.mark.parametrize("other", ["hotfix", "red"])
def test_a_third_release_that_somebody_has_deployed_is_not_taken_back(by_command: Role, other: str) -> None:
    by_command = Role(
        "app",
        "deploy-command",
        {**by_command.parameters, "releases": ["blue", "green", "red"]},
        LOOPBACK,
        by_command.directory,
    )
    action = switch(to="green")
    undo = action.prepare(by_command)
    action.inject(undo)
    live = Path(by_command.directory, "live")
    live.write_text(f"{other}\n")
    with pytest.raises(Unreachable, match=f"{other} is live now, which this run has not deployed"):
        action.undo(undo)
    assert live.read_text() == f"{other}\n"


def test_a_later_switch_of_the_same_run_is_taken_back_also_when_it_was_never_made(by_command: Role) -> None:
    role = Role(
        "app",
        "deploy-command",
        {**by_command.parameters, "releases": ["blue", "green", "red"]},
        LOOPBACK,
        by_command.directory,
    )
    first = switch(to="green")
    there = first.prepare(role)
    first.inject(there)
    later = switch(to="red").following(there)
    prepared = later.prepare(role)
    live = Path(role.directory, "live")
    assert live.read_text() == "green\n"
    later.undo(prepared)
    assert live.read_text() == "blue\n"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"switch": ["true", "{release}"]}, "after true has ended, blue is live, not green"),
        ({"switch": ["sh", "-c", "echo no quota; exit 3", "{release}"]}, "sh failed with 3: no quota"),
        ({"live": ["printf", "blue\\nand more"]}, "printf is to print one name, and says 'blue"),
        ({"live": ["sh", "-c", "echo lost >&2; exit 1"]}, "sh failed with 1: lost"),
        ({"live": ["no-such-program"]}, "there is no program no-such-program"),
    ],
)  # fmt: skip
def test_a_command_that_misbehaves_is_told(by_command: Role, changed: dict[str, Any], told: str) -> None:
    role = Role("app", "deploy-command", {**by_command.parameters, **changed}, LOOPBACK, by_command.directory)
    action = switch()
    with pytest.raises(Unavailable, match=told):
        action.inject(action.prepare(role))


def test_a_command_binding_that_lacks_something_is_told_where(by_command: Role) -> None:
    for changed, told in (
        ({"live": []}, r"roles\.app\.live: is missing"),
        ({"switch": ["./deploy.sh"]}, r"roles\.app\.switch: nowhere says which release: write \{release\}"),
        ({"releases": ["blue"]}, r"roles\.app\.releases: name the releases"),
    ):
        role = Role("app", "deploy-command", {**by_command.parameters, **changed}, LOOPBACK, ".")
        with pytest.raises(BadInput, match=told):
            releases_of(role)


# an HTTP API


class DeployTool:
    """A deploy tool: a call is accepted at once, and has its effect some questions later."""

    def __init__(self) -> None:
        self.live, self.wanted, self.questions, self.stuck, self.tokens = "blue", "blue", 0, False, set[str]()


def tool_handler(tool: DeployTool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

        def _answer(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            tool.questions += 1
            if tool.questions >= 3 and not tool.stuck:
                tool.live = tool.wanted
            self._answer(200, {"app": {"live": tool.live}})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            tool.tokens.add(str(self.headers["Authorization"]))
            if body["release"] == "broken":
                self._answer(409, {"why": "it failed its smoke test"})
                return
            tool.wanted, tool.questions = body["release"], 0
            self._answer(202, {})

    return Handler


@pytest.fixture
def tool() -> DeployTool:
    return DeployTool()


@pytest.fixture
def by_http(tool: DeployTool, monkeypatch: pytest.MonkeyPatch) -> Iterator[Role]:
    monkeypatch.setenv("DEPLOY_TOKEN", "hush-hush-0815")
    with serving(tool_handler(tool)) as url:
        parameters = {
            "live": {"url": f"{url}/apps/shop", "field": "app.live"},
            "switch": {"url": f"{url}/apps/shop/deploys", "json": {"release": "{release}"}},
            "headers": {"Authorization": "Bearer ${DEPLOY_TOKEN}"},
            "releases": ["blue", "green"],
            "within": "20s",
        }
        yield Role("app", "deploy-http", parameters, LOOPBACK, ".")


def test_a_call_has_deployed_nothing_until_it_is_seen(by_http: Role, tool: DeployTool) -> None:
    steps = there_and_back(by_http)
    for step, expected in (("looked", "blue"), ("switched", "green"), ("undone", "blue")):
        assert next(steps) == step
        assert tool.live == expected
    assert tool.tokens == {"Bearer hush-hush-0815"}
    by_hand = releases_of(by_http).by_hand("blue")
    assert "hush" not in by_hand
    assert """-H 'Authorization: Bearer ${DEPLOY_TOKEN}' --json '{"release": "blue"}'""" in by_hand


def test_a_deploy_tool_that_refuses_or_dawdles_is_told(by_http: Role, tool: DeployTool) -> None:
    with pytest.raises(Unavailable, match=r'409 \{"why": "it failed its smoke test"\}'):
        releases_of(by_http).make_live("broken")
    tool.stuck = True
    hasty = Role("app", "deploy-http", {**by_http.parameters, "within": "50ms"}, LOOPBACK, ".")
    with pytest.raises(TooLate, match="blue is still live 50ms after the call for green"):
        releases_of(hasty).make_live("green")
    elsewhere = {**by_http.parameters, "live": {**by_http.parameters["live"], "field": "app.nowhere"}}
    with pytest.raises(Unavailable, match=r"no text under app\.nowhere"):
        releases_of(Role("app", "deploy-http", elsewhere, LOOPBACK, ".")).live()
    forbidden = Role("app", "deploy-http", by_http.parameters, ("10.0.0.1",), ".")
    with pytest.raises(BadInput, match="not in the target's allow list"):
        releases_of(forbidden).live()


# Kubernetes, on a double of its API


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def api(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.setenv("KUBE_TOKEN", TOKEN)
    with serving(handler_of(cluster)) as url:
        yield {"url": url, "token": "${KUBE_TOKEN}", "namespace": "shop"}


def service_role(api: dict[str, Any], **more: Any) -> Role:
    return Role(
        "app", "kubernetes", {**api, "service": "web", "releases": ["blue", "green"], **more}, LOOPBACK, "."
    )


def deployment_role(api: dict[str, Any], **more: Any) -> Role:
    images = {"blue": "registry/shop:1.4", "green": "registry/shop:1.5"}
    bound = {**api, "deployment": "web", "container": "web", "releases": images, **more}
    return Role("app", "kubernetes", bound, LOOPBACK, ".")


def test_a_service_selects_the_other_release(api: dict[str, Any], cluster: Cluster) -> None:
    steps = there_and_back(service_role(api))
    for step, expected in (("looked", "blue"), ("switched", "green"), ("undone", "blue")):
        assert next(steps) == step
        assert cluster.objects[SERVICE]["spec"]["selector"] == {"app": "web", "release": expected}
    assert [patch["metadata"]["resourceVersion"] for patch in cluster.patches] == ["7", "8"]


def test_a_deployment_is_rolled_out_before_it_is_called_live(api: dict[str, Any], cluster: Cluster) -> None:
    steps = there_and_back(deployment_role(api))
    for step, image in (("looked", "1.4"), ("switched", "1.5"), ("undone", "1.4")):
        assert next(steps) == step
        deployment = cluster.objects[DEPLOYMENT]
        images = [each["image"] for each in deployment["spec"]["template"]["spec"]["containers"]]
        assert images == ["registry/proxy:1", f"registry/shop:{image}"]
        assert deployment["status"]["availableReplicas"] == 3


def test_a_rollout_that_does_not_get_through_is_told(api: dict[str, Any], cluster: Cluster) -> None:
    cluster.stuck = True
    with pytest.raises(
        TooLate, match="the rollout of green is not through within 1s: 2 of 3 pods are available"
    ):
        releases_of(deployment_role(api, within="1s")).make_live("green")


def test_what_somebody_else_has_changed_in_between_is_not_overwritten(
    api: dict[str, Any], cluster: Cluster
) -> None:
    cluster.meddle = True
    with pytest.raises(Unavailable, match="409 the object has been modified"):
        releases_of(service_role(api)).make_live("green")
    assert cluster.objects[SERVICE]["spec"]["selector"]["release"] == "blue"


def test_what_the_api_server_refuses_is_told(api: dict[str, Any]) -> None:
    for more, told in (
        ({"service": "wbe"}, "404 wbe not found"),
        ({"token": "wrong"}, "401 Unauthorized"),
        ({"label": "colour"}, "the service web selects no colour"),
    ):
        with pytest.raises(Unavailable, match=told):
            releases_of(service_role(api, **more)).live()
    with pytest.raises(Unavailable, match="web has no container 'shop'"):
        releases_of(deployment_role(api, container="shop")).live()
    with pytest.raises(BadInput, match="name either a service or a deployment"):
        releases_of(service_role(api, deployment="web"))
