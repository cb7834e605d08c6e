"""The policies that ship: each rule is tested, names its control, and says how to comply."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.support.opa_program import program

from seatrial.policy import Request, check
from seatrial.policy.engines import Document
from seatrial.policy.engines.opa import Opa
from seatrial.policy.engines.regorus import Regorus
from seatrial.policy.outcome import Level
from seatrial.policy.ruleset import Ruleset, load
from seatrial.policy.testing import Outcome, run_tests

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "chaos" / "policies"
FILES = sorted(path for path in POLICIES.glob("*.rego") if not path.stem.endswith("_test"))
RULE = re.compile(r"^((?:deny|warn)_\w+) contains \{\n(.*?)^\} if \{", re.MULTILINE | re.DOTALL)
CONTROL = {
    "gdpr": r"GDPR Art\. \d+(\(\d\))*(\([a-z]\))?, ",
    "soc2": r"SOC 2 (CC|A)\d\.\d, ",
    "hipaa": r"HIPAA 45 CFR 164\.\d+(\([a-z0-9]\)|\([ivx]+\)|\([A-Z]\))+, ",
}
BAD = {
    "k8s.yaml": """
kind: Deployment
metadata: {name: shop, labels: {data-class: personal}}
spec: {template: {spec: {containers: [{name: app, image: shop, env: [{name: TOKEN, value: "x"}]}]}}}
---
kind: PersistentVolumeClaim
metadata: {name: records, labels: {data-class: health}}
spec: {storageClassName: standard}
---
kind: Ingress
metadata: {name: front, labels: {data-class: health}}
spec: {rules: [{host: a.example}]}
""",
    "Dockerfile": "FROM debian:latest\nRUN true\n",
    "main.tf": 'provider "aws" { region = "us-east-1" }\nresource "aws_db_instance" "d" {}\n'
    'resource "aws_security_group" "s" {\n  ingress {\n    from_port = 22\n    cidr_blocks = ["0.0.0.0/0"]\n  }\n}\n',
    "package.json": '{"dependencies": {"left-pad": "*"}}',
    "requirements.txt": "flask\n",
}


def shipped() -> Ruleset:
    return load([POLICIES], [POLICIES / "data"], ["main"])


def test_every_test_of_theirs_passes() -> None:
    tested = run_tests([POLICIES], [POLICIES / "data"])
    assert len(tested) >= 20
    assert [each for each in tested if each.outcome is not Outcome.PASS] == []


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_every_rule_names_its_control_and_the_way_out_and_is_tested(file: Path) -> None:
    rules = RULE.findall(file.read_text())
    assert {name for name, _ in rules} <= {name.partition(".")[2] for name in shipped().names}
    tests = file.with_name(f"{file.stem}_test.rego").read_text()
    for name, message in rules:
        assert re.search(rf'"control": "{CONTROL[file.stem]}', message), name
        assert re.search(r'"comply": "[a-z].{10,}"', message), name
        assert re.search(rf"count\({name}\) == 0", tests), f"{name} is never shown to pass"
        assert re.search(rf"count\({name}\) == [1-9]|in {name} with|:= {name} with", tests), (
            f"{name} never denies"
        )


def test_no_rule_is_without_that() -> None:
    heads = {name for file in FILES for name, _ in RULE.findall(file.read_text())}
    assert heads == {name.partition(".")[2] for name in shipped().names}


def test_what_is_plainly_wrong_is_denied_in_every_kind_of_file(tmp_path: Path) -> None:
    for name, text in BAD.items():
        (tmp_path / name).write_text(text)
    found = check(Request((str(tmp_path),), (POLICIES,), (POLICIES / "data",)))
    assert not found.broken
    denied = {(Path(path).name, each.rule) for path, each in found.findings(Level.DENY)}
    assert {name for name, _ in denied} == set(BAD)
    assert {("k8s.yaml", "deny_gdpr_retention"), ("k8s.yaml", "deny_hipaa_secret"), ("main.tf", "deny_gdpr_transfer"),
            ("main.tf", "deny_soc2_ingress"), ("Dockerfile", "deny_soc2_image")} <= denied  # fmt: skip


def test_this_project_complies() -> None:
    found = check(Request((str(ROOT),), (POLICIES,), (POLICIES / "data",)))
    assert found.findings(Level.DENY) == []
    assert found.broken == []


def test_opa_says_the_same_of_them(tmp_path: Path) -> None:
    opa = program(tmp_path)
    if not opa:
        pytest.skip("neither opa nor its library is here")
    for name, text in BAD.items():
        (tmp_path / name).write_text(text)
    request = Request(tuple(str(tmp_path / name) for name in BAD), (POLICIES,), (POLICIES / "data",))
    from seatrial.policy.judging import Judge

    engines = (Opa.found(opa), Regorus())
    by_opa, by_regorus = (Judge(each.load(shipped())).judged(request.paths) for each in engines)
    assert [each.told for each in by_opa] == [each.told for each in by_regorus]
    assert all(each.told.findings for each in by_opa)


def test_documents_that_are_nothing_in_particular_are_no_error() -> None:
    odd = ["null", "[]", "{}", "3", '"x"', '{"kind": "Deployment"}', '{"kind": 3, "spec": []}', '[{"Cmd": "from"}]',
           '{"resource": []}', '{"kind": "Pod", "spec": {"containers": []}}', '{"requirements": [{}]}']  # fmt: skip
    answers = Regorus().load(shipped()).answers([Document(text) for text in odd])
    assert [text for text, answer in zip(odd, answers, strict=True) if not isinstance(answer, list)] == []
