"""Something to take to sea: the small system, made of real servers, that ships with the product.

up(progress)    bring it up                 status()     what runs where
down()          leave nothing but logs      logs()       where each part writes
passwords()     for target.yaml             usual_s()    how long up and down take here
python -m seatrial.testbed stop blue
"""

from seatrial.testbed.lifecycle import down, logs, passwords, require_tenants, status, up, usual_s
from seatrial.testbed.state import PartState, TestbedState

__all__ = [
    "PartState",
    "TestbedState",
    "down",
    "logs",
    "passwords",
    "require_tenants",
    "status",
    "up",
    "usual_s",
]
