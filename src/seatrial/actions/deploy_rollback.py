"""Blue-green: send the traffic back to where it came from.

    {at: 23s, action: deploy.rollback, on: edge, name: rollback}

The same write as `deploy.switch`, under a name of its own: this is the moment that people want measured.
"""

from __future__ import annotations

from typing import ClassVar

from seatrial.actions.deploy_switch import DeploySwitch


class DeployRollback(DeploySwitch):
    """Makes the other release live again."""

    name: ClassVar[str] = "deploy.rollback"
