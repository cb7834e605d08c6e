"""The replicas of the active-active service, one in each region; both are written to.

Each asks the other across the router, so cutting the regions off from each other cuts replication alone:
clients come from outside and still reach both. The log of operations lies in the part's own directory and
outlives the process: a replica that is killed and started again goes on from its disk.
"""

from __future__ import annotations

from seatrial.testbed.part import Part, Probe
from seatrial.testbed.programs import Programs
from seatrial.testbed.topology import Region, Topology


def of_region(region: Region, topology: Topology, programs: Programs) -> Part:
    """The replica of one region."""
    peers = [f"--peer={other.name}=http://{other.replica}" for other in topology.regions if other != region]
    outside = [f"--operator={topology.network.outside}"] if topology.network else []
    return Part(
        f"{region.name}.replica",
        (
            *(str(programs.python), "-P", "-m", "seatrial.testbed.replica"),
            f"--region={region.name}",
            f"--host={region.replica.host}",
            f"--port={region.replica.port}",
            *peers,
            *outside,
            "--data=data",
        ),
        Probe.http(region.replica, "/healthz"),
    )
