"""A double of the Kubernetes API for one Service and one Deployment: it validates as the real one is documented to.

Not a real API server: there is none to be had on a test machine. It holds a PATCH against its content type,
the path, the fields of the object and the version that was read, counts generations, and rolls a Deployment
out pod by pod, one step each time it is read, as a controller would.
"""

from __future__ import annotations

import copy
import json
from http.server import BaseHTTPRequestHandler
from typing import Any

SERVICE = "/api/v1/namespaces/shop/services/web"
DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/web"
TOKEN = "a-bearer-token"
_PATCHES = {
    SERVICE: "application/merge-patch+json",
    DEPLOYMENT: "application/strategic-merge-patch+json",
}


class Cluster:
    """What the API server holds."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {
            SERVICE: {
                "kind": "Service",
                "metadata": {"name": "web", "namespace": "shop", "resourceVersion": "7"},
                "spec": {"selector": {"app": "web", "release": "blue"}, "ports": [{"port": 80}]},
            },
            DEPLOYMENT: {
                "kind": "Deployment",
                "metadata": {"name": "web", "namespace": "shop", "resourceVersion": "7", "generation": 1},
                "spec": {"replicas": 3, "template": {"spec": {"containers": [
                    {"name": "proxy", "image": "registry/proxy:1"}, {"name": "web", "image": "registry/shop:1.4"},
                ]}}},
                "status": {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3},
            },
        }  # fmt: skip
        self.patches: list[dict[str, Any]] = []
        self.meddle = False  # somebody else changes the object between a read and the patch
        self.stuck = False  # the new pods never become available

    def read(self, path: str) -> dict[str, Any]:
        found = self.objects[path]
        answer = copy.deepcopy(found)
        if "status" in found:
            self._roll(found)
        if self.meddle:
            self._touched(found)
        return answer

    def _roll(self, deployment: dict[str, Any]) -> None:
        """One step of the controller: it sees the change, replaces a pod, and then the old ones go."""
        status, wanted = deployment["status"], deployment["spec"]["replicas"]
        if status["observedGeneration"] < deployment["metadata"]["generation"]:
            status.update(
                observedGeneration=deployment["metadata"]["generation"],
                updatedReplicas=0,
                replicas=wanted + 1,
            )
        elif status["updatedReplicas"] < wanted:
            status["updatedReplicas"] += 1
        elif status["replicas"] > wanted:
            status.update(replicas=wanted, availableReplicas=wanted - 1)
        elif not self.stuck:
            status["availableReplicas"] = wanted

    def _touched(self, found: dict[str, Any]) -> None:
        found["metadata"]["resourceVersion"] = str(int(found["metadata"]["resourceVersion"]) + 1)

    def patch(self, path: str, content_type: str, body: Any) -> tuple[int, str]:
        found = self.objects[path]
        if content_type != _PATCHES[path]:
            return 415, "the body of the request was in an unknown format"
        if not isinstance(body, dict) or body.keys() - {"spec", "metadata"}:
            return 422, "unknown field"
        if (
            body.get("metadata", {}).get("resourceVersion", found["metadata"]["resourceVersion"])
            != found["metadata"]["resourceVersion"]
        ):
            return (
                409,
                "the object has been modified; please apply your changes to the latest version and try again",
            )
        self.patches.append(body)
        spec = body["spec"]
        if path == SERVICE:
            found["spec"]["selector"].update(spec["selector"])
        else:
            for new in spec["template"]["spec"][
                "containers"
            ]:  # merged by name, as the strategic patch has it
                for old in found["spec"]["template"]["spec"]["containers"]:
                    old.update(new if old["name"] == new["name"] else {})
            found["metadata"]["generation"] += 1
        self._touched(found)
        return 200, ""


def handler_of(cluster: Cluster) -> type[BaseHTTPRequestHandler]:
    """The HTTP side of it."""

    class Api(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            self._answer(*self._found() or (200, cluster.read(self.path)))

        def do_PATCH(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            refused = self._found()
            if not refused:
                status, message = cluster.patch(self.path, self.headers["Content-Type"], body)
                refused = (status, {"kind": "Status", "message": message}) if status != 200 else None
            self._answer(*refused or (200, cluster.objects[self.path]))

        def _found(self) -> tuple[int, dict[str, Any]] | None:
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                return 401, {"kind": "Status", "message": "Unauthorized"}
            if self.path not in cluster.objects:
                return 404, {"kind": "Status", "message": f"{self.path.split('/')[-1]} not found"}
            return None

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Api
