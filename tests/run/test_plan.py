"""A plan resolves names, roles and files, or tells everything that is wrong where it stands."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatrial import files
from seatrial.drivers import reach
from seatrial.model import secrets
from seatrial.model.document import parse
from seatrial.model.offeredrate import OfferedRate
from seatrial.model.problems import BadInput
from seatrial.run.plan import Plan, make_plan, problems_of_plan

EXPERIMENT = """\
experiment: rollback
load: {scenario: scenario.py, rate: 100/s}
duration: 10s
timeline:
  - {at: 2s, action: deploy.switch, on: edge, with: {to: green}}
  - {at: 4s, action: deploy.rollback, on: edge, name: back}
objectives:
  downtime: {max: 5s, after: back}
checks:
  - served-by: {release: blue}
"""
TARGET = """\
target: shop
base_url: http://127.0.0.1:9000
roles:
  edge: {driver: haproxy, socket: run/haproxy.sock, map: active.map}
  worker: {driver: process, pidfile: run/worker.pid}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenario.py").write_text("")


def plan(experiment: str = EXPERIMENT, target: str = TARGET, **options: object) -> Plan:
    Path("x.yaml").write_text(experiment)
    Path("t.yaml").write_text(target)
    return make_plan(files.read("x.yaml", "experiment"), files.read("t.yaml", "target"), **options)  # type: ignore[arg-type]


def problems(experiment: str = EXPERIMENT, target: str = TARGET) -> list[str]:
    with pytest.raises(BadInput) as caught:
        plan(experiment, target)
    return [str(problem) for problem in caught.value.problems]


def test_steps_know_their_fault_and_role() -> None:
    made = plan()
    assert [(step.name, step.at_s, step.fault.name, step.role.driver) for step in made.steps] == [
        ("deploy.switch", 2, "deploy.switch", "haproxy"),
        ("back", 4, "deploy.rollback", "haproxy"),
    ]
    assert made.scenarios == (Path("scenario.py").resolve(),)


def test_what_is_driven_may_be_several_files_and_narrowed_down() -> None:
    Path("admin.py").write_text("")
    made = plan(EXPERIMENT.replace("scenario.py", "[scenario.py, admin.py], users: [Clerk], tags: [pay]"))
    assert [path.name for path in made.scenarios] == ["scenario.py", "admin.py"]
    assert (made.experiment.load.users, made.experiment.load.tags) == (("Clerk",), ("pay",))
    (problem,) = problems(EXPERIMENT.replace("scenario.py", "[scenario.py, nowhere.py]"))
    assert problem.startswith("x.yaml:2:32: load.scenario[1]: no such file")


def test_a_role_that_the_target_has_not_got_here_keeps_the_run_from_starting() -> None:
    assert plan().lacking() == []
    absent = TARGET.replace("map: active.map}", "map: active.map, lacking: no edge here}")
    assert plan(target=absent).lacking() == ["edge: no edge here"]


def test_the_rate_can_be_replaced() -> None:
    assert plan(rate=OfferedRate.parse("10000/min")).arrivals.rate_at(0).interval_s == 0.006
    requests = OfferedRate.parse("requests:10000/min")
    assert plan(rate=requests).experiment.load.counts == "requests"
    cold = EXPERIMENT.replace("duration:", "warmup: 0s\nduration:")
    with pytest.raises(BadInput, match="--rate: requests are counted in the warm-up, and the experiment has"):
        plan(cold, rate=requests)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("deploy.switch", "deploy.swich", "x.yaml:5:22: timeline[0].action: unknown action 'deploy.swich'; did you mean 'deploy.switch'?"),
        ("on: edge, with", "on: edgy, with", "x.yaml:5:41: timeline[0].on: the target shop has no role 'edgy'"),
        ("on: edge, name", "on: worker, name", "x.yaml:6:43: timeline[1].on: 'worker' is bound to process, which knows no releases"),
        ("{to: green}", "{too: green}", "x.yaml:5:54: timeline[0].with.too"),
        ("after: back", "after: bakc", "x.yaml:8:30: objectives.downtime.after: no step is called 'bakc'"),
        ("served-by:", "served-yb:", "x.yaml:10:5: checks[0]: unknown check 'served-yb'; did you mean 'served-by'?"),
        ("{release:", "{realease:", "x.yaml:10:17: checks[0].served-by.realease: unknown parameter 'realease'; did you mean 'release'?"),
        ("scenario.py", "nowhere.py", "x.yaml:2:18: load.scenario: no such file"),
        ("at: 4s", "at: 14s", "x.yaml:6:10: timeline[1].at: 14s is not within the run's duration of 10s"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_where_it_stands(old: str, new: str, expected: str) -> None:
    found = problems(EXPERIMENT.replace(old, new))
    assert any(problem.startswith(expected) for problem in found), found


def test_problems_of_both_files_are_told_together() -> None:
    found = problems(EXPERIMENT.replace("duration", "duratoin"), TARGET.replace("127.0.0.1", "10.0.0.1"))
    assert {problem.split(":")[0] for problem in found} == {"x.yaml", "t.yaml"}


def test_secrets_come_from_the_environment_and_stay_references(monkeypatch: pytest.MonkeyPatch) -> None:
    target = TARGET + '  cache: {driver: redis, url: "redis://:${SEATRIAL_TEST_PASSWORD}@127.0.0.1/0"}\n'
    monkeypatch.delenv("SEATRIAL_TEST_PASSWORD", raising=False)
    assert (
        "the environment variable SEATRIAL_TEST_PASSWORD is referenced and not set"
        in problems(target=target)[0]
    )
    monkeypatch.setenv("SEATRIAL_TEST_PASSWORD", "hush")
    assert "hush" not in repr(plan(target=target).target)


def test_a_production_target_must_be_named() -> None:
    target = TARGET + "environment: production\n"
    assert "--confirm shop" in problems(target=target)[0]
    assert plan(target=target, confirm="shop").target.environment == "production"


def test_a_file_is_looked_for_here_then_beside_the_one_that_names_it(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "a.py").write_text("")
    assert files.find("a.py") is None
    assert files.find("a.py", there / "x.yaml") == there / "a.py"
    assert files.find("chaos/blue-green-rollback.yaml") is not None  # shipped


def test_unreadable_files_are_bad_input(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"experiment: \xff")
    for name in ("nowhere.yaml", "latin.yaml"):
        with pytest.raises(BadInput, match=name):
            files.read(name, "experiment")


def test_variables_are_resolved_for_the_scenario_and_stay_references_on_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAGING_TOKEN", "s3cret")
    made = plan(
        target=TARGET
        + 'variables: {TOKEN: "${STAGING_TOKEN}", REGIONS: "http://127.0.0.1:1,http://localhost"}\n'
    )
    assert made.variables == {"TOKEN": "s3cret", "REGIONS": "http://127.0.0.1:1,http://localhost"}
    assert made.target.variables["TOKEN"] == "${STAGING_TOKEN}"
    assert "s3cret" not in repr(made)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("http://127.0.0.1:1,http://192.0.2.7:9101", "the host 192.0.2.7 is not in allow"),
        ("see redis://user:pw@cache.example/0", "the host cache.example is not in allow"),
        ("${ELSEWHERE}", "the host of its URL is not in allow"),
        ("http://[nonsense", "the host of its URL is not in allow"),
    ],
)
def test_variables_lead_the_load_nowhere_that_is_not_allowed(
    value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELSEWHERE", "https://hidden.example/token")
    (problem,) = problems(target=TARGET + f'variables:\n  SHOP: "{value}"\n')
    assert problem.startswith(f"t.yaml:7:9: variables.SHOP: {told}: [127.0.0.0/8")
    assert "hidden" not in problem


def test_a_name_that_is_not_listed_is_judged_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = {"shop.internal": ["10.0.0.7"], "evil.internal": ["192.0.2.7"], "gone.internal": []}
    monkeypatch.setattr(reach, "addresses_of", addresses.__getitem__)
    monkeypatch.setenv("SHOP_HOST", "evil.internal")
    target = TARGET.replace("127.0.0.1:9000", "shop.internal") + "allow: [10.0.0.0/8]\n"
    assert plan(target=target).base_url == "http://shop.internal"
    for host in ("evil.internal", "gone.internal"):
        (problem,) = problems(target=target.replace("shop.internal", host))
        assert problem.startswith(f"t.yaml:2:11: base_url: the host {host} is not in allow: [10.0.0.0/8]")
    (problem,) = problems(target=target.replace("shop.internal", "${SHOP_HOST}"))
    assert problem.startswith("t.yaml:2:11: base_url: the host of its URL is not in allow")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("api_token", "'api_token' is not a name like API_TOKEN"),
        ("PATH", "'PATH' would change the load generator itself"),
        ("PYTHONPATH", "'PYTHONPATH' would change"),
        ("LD_PRELOAD", "'LD_PRELOAD' would change"),
        ("SEATRIAL_HOME", "'SEATRIAL_HOME' would change"),
        ("HTTPS_PROXY", "'HTTPS_PROXY' would change"),
    ],
)
def test_variables_do_not_change_the_generator(name: str, told: str) -> None:
    (problem,) = problems(target=TARGET + f"variables: {{{name}: x}}\n")
    assert told in problem


AUDIT = """\
  audit: {driver: audit-log, url: "postgresql://127.0.0.1/x", entries: "SELECT … :from", checkpoints: "…", key: "…"}
  writes: {driver: sql, url: "postgresql://127.0.0.1/x", query: "SELECT … IN :ids"}
"""


def test_a_check_says_what_it_has_to_be_told_of_whom() -> None:
    made = plan(EXPERIMENT + "  - audit-chain\n  - acknowledged-writes\n", TARGET + AUDIT)
    asked = [(bound.need.recorder, bound.role.name, bound.need.when) for bound in made.needs]
    assert asked == [("audit-log", "audit", "after"), ("writes", "writes", "after")]


def test_a_role_that_cannot_be_asked_is_told_before_anything_starts() -> None:
    (problem,) = problems(EXPERIMENT + "  - acknowledged-writes: {role: audit}\n", TARGET + AUDIT)
    assert "the role 'audit' is bound to driver 'audit-log', not to http or sql" in problem
    (problem,) = problems(EXPERIMENT + "  - audit-chain: {role: writes}\n", TARGET + AUDIT)
    assert "the role 'writes' is bound to driver 'sql', not to audit-log" in problem


def test_a_secret_address_is_resolved_for_whoever_connects_and_shown_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret-T0ken")
    made = plan(target=TARGET.replace("http://", '"http://user:${SHOP_TOKEN}@').replace("9000", '9000/"'))
    assert made.base_url == "http://user:s3cret-T0ken@127.0.0.1:9000"
    assert made.address == "http://127.0.0.1:9000"
    assert "s3cret" not in repr(made)


def test_whatever_a_plan_refers_to_is_remembered_as_secret_but_for_what_its_files_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "A": "s3cret-of-a-role",
        "B": "s3cret-of-a-step",
        "C": "worker",
        "D": "127.0.0.1",
    }.items():
        monkeypatch.setenv(f"SHOP_{name}", value)
    step = '  - {at: 1s, fault: command.run, on: worker, with: {inject: ["${SHOP_B}"], undo: [x]}}\n'
    plan(
        EXPERIMENT.replace("timeline:\n", "timeline:\n" + step),
        TARGET
        + '  cache: {driver: redis, url: "redis://:${SHOP_A}@${SHOP_D}/0"}\n  other: {driver: http, url: "http://127.0.0.1/${SHOP_C}"}\n',
    )
    said = "s3cret-of-a-role s3cret-of-a-step worker 127.0.0.1"
    assert secrets.shown(said) == "${SHOP_A} ${SHOP_B} worker 127.0.0.1"


PROBES = """\
steady_state: [{http: /healthz}, {redis: PING, on: cache}, {sql: SELECT 1, on: database}]
guards: [{probe: {pkcs11: sign, on: hsm}}, {errors: 90%, for: 5s}]
"""
ALL_ROLES = (
    "  cache: {driver: redis, url: 'redis://127.0.0.1/0'}\n",
    "  database: {driver: patroni, url: 'http://127.0.0.1:1', members: {a: {postmaster: p}}}\n",
    "  router: {driver: network, namespace: r, sides: {east: [127.1.0.0/16], west: '127.2.0.0/16'}}\n",
    "  hsm: {driver: pkcs11, module: m, token: t, key: k, pin: 1234, deadline: 2s}\n",
    "  regions: {driver: replicas, replicas: {east: 'http://127.0.0.1:1'}, within: 3s}\n",
)
FRAGMENTS = st.sampled_from(
    ["{", "}", "[", "]", ": ", "- ", "\n", "  ", "null", "true", "1e999", "-1", "5s", "10000/min", "...", "${UNSET_X}",
     "at: 1s", "fault: ", "action: ", "process.kill", "traffic.spike", "on: edge", "with: {}", "for: 1s", "name: a",
     "driver: ", "redis", "network", "sides: {a: [127.0.0.0/8]}", "lacking: x", "url: http://[", "members: {a: {}}"]
)  # fmt: skip
MUTATION = st.tuples(
    st.integers(0, 400), st.integers(0, 40), st.lists(FRAGMENTS | st.text(max_size=4), max_size=4)
)


def mutated(text: str, mutation: tuple[int, int, list[str]]) -> str:
    start, length, parts = mutation
    return text[:start] + "".join(parts) + text[start + length :]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MUTATION, MUTATION, st.sampled_from(ALL_ROLES))
def test_mutated_files_are_planned_or_told_with_their_places(
    of_experiment: tuple[int, int, list[str]], of_target: tuple[int, int, list[str]], role: str
) -> None:
    experiment = mutated(EXPERIMENT + PROBES, of_experiment)
    target = mutated(TARGET + role, of_target)
    try:
        source = files.Source(Path("x.yaml").absolute(), parse(experiment, "x.yaml"))
        system = files.Source(Path("t.yaml").absolute(), parse(target, "t.yaml"))
    except BadInput:
        return  # it is no YAML, which is told with its place too
    found = problems_of_plan(source, system)
    assert all(str(problem).startswith(("x.yaml:", "t.yaml:", "scenario.py")) for problem in found)
    if not found:
        assert make_plan(source, system).experiment.duration.seconds > 0
