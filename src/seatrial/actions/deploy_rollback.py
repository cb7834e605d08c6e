"""Blue-green: send the traffic back to where it came from.

The same write as `deploy.switch`, under a name of its own: this is the moment that people want measured.
"""

from __future__ import annotations

from typing import ClassVar

from seatrial.actions.deploy_switch import DeploySwitch


class DeployRollback(DeploySwitch):
    """Make the other release live again; `to` says which when there are more than two."""

    name: ClassVar[str] = "deploy.rollback"
