"""Any activity of the Chaos Toolkit as a fault, with another one that undoes it: its drivers, our guarantee.

    {at: 5s, fault: chaostoolkit, on: cluster, for: 30s, with: {
        inject: {type: python, module: chaosk8s.node.actions, func: cordon_node, arguments: {name: n1}},
        undo: {type: python, module: chaosk8s.node.actions, func: uncordon_node, arguments: {name: n1}}}}

`inject`, `undo` and `probe` are providers as its experiments have them, of type python, http or process
(https://chaostoolkit.org/reference/api/experiment/#action). The undo must be harmless when there is nothing
to undo. Needs the library: pip install 'seatrial[chaostoolkit]'.

The url of an activity of type http must be in the allow list before it is called. Where the library and its
drivers go from there (redirects, clusters, programs) is theirs: no allow list is held on that.
"""

from __future__ import annotations

import importlib
import json
import shlex
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field

from seatrial.drivers import reach
from seatrial.extras import CHAOSTOOLKIT
from seatrial.model.problems import BadInput, Unavailable
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.undo.protocol import ANY, Declared, Undo

_REQUIRED = {"python": {"module", "func"}, "http": {"url"}, "process": {"path"}}


def _a_provider(value: dict[str, Any]) -> dict[str, Any]:
    required = _REQUIRED.get(str(value.get("type")))
    if required is None:
        raise ValueError(f"type: must be one of {', '.join(_REQUIRED)}")
    missing = sorted(required - value.keys())
    if missing:
        raise ValueError(f"a provider of type {value['type']} needs {' and '.join(missing)}")
    return value


Provider = Annotated[dict[str, Any], AfterValidator(_a_provider)]


class Activity(BaseModel):
    """Needs no note: the activities stand in the parameters."""


class ChaosToolkit(Declared):
    """Runs one activity, and another one that undoes it."""

    name: ClassVar[str] = "chaostoolkit"
    drivers: ClassVar[frozenset[str]] = ANY

    inject_: Provider = Field(
        alias="inject",
        examples=[{"type": "python", "module": "chaosk8s.node.actions", "func": "cordon_node"}],
    )
    """The activity's provider."""
    undo_: Provider = Field(
        alias="undo",
        examples=[{"type": "python", "module": "chaosk8s.node.actions", "func": "uncordon_node"}],
    )
    """The provider of the activity that undoes it."""
    probe: Provider | None = Field(
        default=None, examples=[{"type": "http", "url": "http://127.0.0.1:9000/healthz"}]
    )
    """The provider of an activity that returns something true when all is well again."""
    lag: Duration = Duration(0.0)
    """How long after whoever asked for it has died its effect may still come about."""

    @property
    def lag_s(self) -> float:
        return self.lag.seconds

    def lacking(self) -> str:
        return CHAOSTOOLKIT.lacking()

    def fit(self, role: Role) -> None:
        role.require_variables(self)

    def prepare(self, role: Role) -> Undo:
        CHAOSTOOLKIT.require(role.name)
        return self.noting(role, Activity(), touches=_shown(self.inject_), by_hand=_by_hand(self.undo_))

    def inject(self, undo: Undo) -> None:
        _run(undo.role, "action", self.inject_)

    def undo(self, undo: Undo) -> None:
        _run(undo.role, "action", self.undo_)

    def gone(self, undo: Undo) -> bool | None:
        return self.healthy(undo.role)

    def healthy(self, role: Role) -> bool | None:
        return None if self.probe is None else bool(_run(role, "probe", self.probe))


def _run(role: Role, kind: str, provider: dict[str, Any]) -> Any:
    """Run one activity; what it returned. Raises Unavailable when it failed, BadInput when it is wrong."""
    CHAOSTOOLKIT.require(role.name)
    activity = importlib.import_module("chaoslib.activity")
    exceptions = importlib.import_module("chaoslib.exceptions")
    resolved = role.resolved(provider)
    if provider["type"] == "http":
        reach.require_allowed(role.allow_list, urlsplit(resolved["url"]).hostname or "", role.name)
    described = {"type": kind, "name": _shown(provider), "provider": resolved}
    try:
        activity.ensure_activity_is_valid(described)
        returned = activity.run_activity(described, {}, {})
    except exceptions.InvalidActivity as error:
        raise BadInput(f"{_shown(provider)}: {error}") from error
    except exceptions.ChaosException as error:
        raise Unavailable(f"{_shown(provider)}: {error}") from error
    if _failed(provider["type"], returned):
        raise Unavailable(f"{_shown(provider)}: failed with status {returned['status']}")
    return returned


def _failed(kind: str, returned: Any) -> bool:
    """The library only warns of an exit code or a status that means failure, and leaves it to a tolerance."""
    match kind:
        case "process":
            return bool(returned["status"] != 0)
        case "http":
            return bool(returned["status"] >= 400)
        case _:
            return False


def _shown(provider: dict[str, Any]) -> str:
    match provider["type"]:
        case "python":
            return f"{provider['module']}.{provider['func']}"
        case "http":
            return f"{provider.get('method', 'GET')} {provider['url']}"
        case _:
            return str(provider["path"])


def _by_hand(provider: dict[str, Any]) -> str:
    described = json.dumps({"type": "action", "name": _shown(provider), "provider": provider})
    program = "import json, sys; from chaoslib.activity import run_activity as run"
    return f"python -c '{program}; run(json.loads(sys.argv[1]), {{}}, {{}})' {shlex.quote(described)}"
