"""A release on Kubernetes: what a Service selects, or the image that a Deployment runs.

    driver: kubernetes
    url: http://127.0.0.1:8001              # `kubectl proxy`; or the API server's, with token and ca
    namespace: shop
    service: web                            # blue-green: spec.selector[label] names the live release
    label: release
    releases: [blue, green]

    driver: kubernetes
    url: https://10.0.0.1:6443
    token: ${KUBE_TOKEN}
    ca: cluster-ca.crt
    namespace: shop
    deployment: web                         # a rollout: the image of `container` names the live release
    container: web
    releases: {blue: registry/shop:1.4, green: registry/shop:1.5}
    within: 5m                              # until the rollout is through

A change carries the version of the object that was read: where somebody else has changed it in between, the
API server refuses it, and so do we. A rollout is through when all its pods are new and available.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from seatrial.drivers.binding import Binding, WebAddress
from seatrial.drivers.httpclient import HttpClient
from seatrial.model.problems import BadInput, Path, TooLate, Unavailable
from seatrial.model.quantities import Duration
from seatrial.model.role import Role
from seatrial.waiting import wait_while

_ANSWER_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.1
_MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
_STRATEGIC_PATCH = {"Content-Type": "application/strategic-merge-patch+json"}


def _as_mapping(value: object) -> object:
    """A list of releases is one in which each is written in the cluster as it is called here."""
    return {name: name for name in value} if isinstance(value, (list, tuple)) else value


class KubernetesBinding(Binding):
    """Where the API server is, and the object that says which release is live."""

    driver: ClassVar[str] = "kubernetes"

    url: WebAddress = Field(examples=["http://127.0.0.1:8001"])
    """The API server, or `kubectl proxy`."""
    token: str = Field(default="", examples=["${KUBE_TOKEN}"])
    """The bearer token of a service account that may get and patch the object."""
    ca: str = Field(default="", examples=["cluster-ca.crt"])
    """The file of its certificate authority; left out, those that this machine trusts."""
    namespace: str = "default"
    """Where the object is."""
    service: str = Field(default="", examples=["web"])
    """The Service whose selector names the live release."""
    label: str = "release"
    """The label of that selector."""
    deployment: str = Field(default="", examples=["web"])
    """Instead of a service: the Deployment whose image is the live release."""
    container: str = Field(default="", examples=["web"])
    """Whose image it is; left out, that of the first container."""
    releases: Annotated[Mapping[str, str], BeforeValidator(_as_mapping)] = Field(
        default_factory=dict, examples=[{"blue": "registry/shop:1.4"}]
    )
    """The releases, and the label's value or the image of each; a list where they are called the same."""
    within: Duration = Duration(120.0)
    """How long a rollout may take."""

    def addresses(self) -> Iterator[tuple[Path, str]]:
        yield ("url",), self.url

    def as_releases(self, role: Role) -> ServiceReleases | DeploymentReleases:
        """Its releases. Raises BadInput for what is missing."""
        if bool(self.service) == bool(self.deployment):
            raise BadInput(role.problem((), "name either a service or a deployment"))
        if len(self.releases) < 2:
            raise BadInput(role.problem(("releases",), "name the releases: [blue, green]"))
        return ServiceReleases(role, self) if self.service else DeploymentReleases(role, self)


class _Object:
    """One object of the API: read whole, changed by a patch of the version that was read."""

    def __init__(self, client: HttpClient, url: str, headers: Mapping[str, str]) -> None:
        self._client = client
        self._url = url
        self._headers = headers

    def read(self) -> dict[str, Any]:
        return self._ask("GET", {})

    def patch(self, found: Mapping[str, Any], spec: Mapping[str, Any], kind: Mapping[str, str]) -> None:
        """Change what was `found`. Raises Unavailable when it is not so any more."""
        version = str(_at(found, "metadata", "resourceVersion") or "")
        content = json.dumps({"spec": spec, "metadata": {"resourceVersion": version}}).encode()
        self._ask("PATCH", kind, content)

    def _ask(self, method: str, headers: Mapping[str, str], content: bytes | None = None) -> dict[str, Any]:
        answer = self._client.ask(method, self._url, headers={**self._headers, **headers}, content=content)
        if not answer.is_success:
            told = answer.opening
            if answer.headers.get("content-type", "").startswith("application/json"):
                told = str(answer.object().get("message", told))
            raise Unavailable(f"{answer.to}: {answer.status} {told}")
        return answer.object()


def _at(found: Mapping[str, Any], *keys: str) -> Any:
    value: Any = found
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


@dataclass(frozen=True, slots=True)
class _KubernetesReleases:
    """What both kinds of object share: how they are reached, and what the cluster calls a release."""

    role: Role
    binding: KubernetesBinding

    @property
    def names(self) -> Sequence[str]:
        """As the target file lists them."""
        return tuple(self.binding.releases)

    def _name(self, written: str) -> str:
        """What the target file calls what is `written` in the cluster; itself, where it is not listed."""
        return next((name for name, value in self.binding.releases.items() if value == written), written)

    def _written(self, release: str) -> str:
        """The inverse of `_name`."""
        return self.binding.releases.get(release, release)

    @contextmanager
    def _object(self, group: str, path: str) -> Iterator[_Object]:
        """The object at `path` of an API group, from the namespace on; over one connection."""
        bound, role = self.binding, self.role
        url = f"{bound.url.rstrip('/')}/{group}/namespaces/{bound.namespace}/{path}"
        headers = {"Authorization": f"Bearer {bound.token}"} if bound.token else {}
        tls = ssl.create_default_context(cafile=role.path(bound.ca)) if bound.ca else None
        with HttpClient(role.allow_list, role.name, _ANSWER_WITHIN_S, tls=tls) as client:
            yield _Object(client, url, headers)


@dataclass(frozen=True, slots=True)
class ServiceReleases(_KubernetesReleases):
    """The label that a Service selects. See `drivers.releases`.

    The change is there when the API server says so; each node's proxy follows in its own time.
    """

    def live(self) -> str:
        with self._service() as service:
            return self._selected(service.read())

    def _service(self) -> AbstractContextManager[_Object]:
        return self._object("api/v1", f"services/{self.binding.service}")

    def _selected(self, service: Mapping[str, Any]) -> str:
        selected = _at(service, "spec", "selector", self.binding.label)
        if not isinstance(selected, str):
            bound = self.binding
            raise Unavailable(f"{self.role.name}: the service {bound.service} selects no {bound.label}")
        return self._name(selected)

    def make_live(self, release: str) -> None:
        with self._service() as service:
            found = service.read()
            if self._selected(found) != release:
                service.patch(found, self._selecting(release), _MERGE_PATCH)

    def _selecting(self, release: str) -> dict[str, Any]:
        return {"selector": {self.binding.label: self._written(release)}}

    def by_hand(self, release: str) -> str:
        bound, patch = self.binding, json.dumps({"spec": self._selecting(release)})
        return f"kubectl -n {bound.namespace} patch service {bound.service} --type merge -p '{patch}'"


@dataclass(frozen=True, slots=True)
class DeploymentReleases(_KubernetesReleases):
    """The image that a Deployment runs. See `drivers.releases`."""

    def live(self) -> str:
        with self._deployment() as deployment:
            _, image = self._container(deployment.read())
        return self._name(image)

    def _deployment(self) -> AbstractContextManager[_Object]:
        return self._object("apis/apps/v1", f"deployments/{self.binding.deployment}")

    def _container(self, deployment: Mapping[str, Any]) -> tuple[str, str]:
        """The name of the container that counts, and its image."""
        found = _at(deployment, "spec", "template", "spec", "containers")
        for each in found if isinstance(found, list) else []:
            name, image = _at(each, "name"), _at(each, "image")
            if (self.binding.container in (name, "")) and isinstance(name, str) and isinstance(image, str):
                return name, image
        bound = self.binding
        raise Unavailable(f"{self.role.name}: {bound.deployment} has no container '{bound.container}'")

    def make_live(self, release: str) -> None:
        within, wanted = self.binding.within, self._written(release)
        with self._deployment() as deployment:
            found = deployment.read()
            container, image = self._container(found)
            if image != wanted:
                pods = {"spec": {"containers": [{"name": container, "image": wanted}]}}
                deployment.patch(found, {"template": pods}, _STRATEGIC_PATCH)
            if left := wait_while(lambda: _rolling(deployment.read()), within.seconds, _LOOK_EVERY_S):
                told = f"the rollout of {release} is not through within {within}: {left}"
                raise TooLate(f"{self.role.name}: {told}")

    def by_hand(self, release: str) -> str:
        bound = self.binding
        image = f"{bound.container or '*'}={self._written(release)}"
        return f"kubectl -n {bound.namespace} set image deployment/{bound.deployment} '{image}'"


def _rolling(deployment: Mapping[str, Any]) -> str:
    """What a rollout still waits for; empty when it is through. As `kubectl rollout status` has it."""

    def count(*keys: str) -> int:
        value = _at(deployment, *keys)
        return value if isinstance(value, int) else 0

    wanted = count("spec", "replicas") if _at(deployment, "spec", "replicas") is not None else 1
    new, pods, available = (
        count("status", key) for key in ("updatedReplicas", "replicas", "availableReplicas")
    )
    if count("status", "observedGeneration") < count("metadata", "generation"):
        return "the controller has not seen it yet"
    if new < wanted:
        return f"{new} of {wanted} pods are new"
    if pods > new:
        return f"{pods - new} old pods are still there"
    return f"{available} of {wanted} pods are available" if available < new else ""
