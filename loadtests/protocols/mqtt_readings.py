"""Devices that report readings to an MQTT broker, and wait until it has acknowledged them (QoS 1).

    locust -f loadtests/protocols/mqtt_readings.py --host http://127.0.0.1:9000 --rate 100/s

The environment, or `variables:` of the target, says where it is: MQTT_URL=mqtt://127.0.0.1:1883.

By its own network thread, paho connects again unasked and sends what is left over; an outage would show as
a slow answer or not at all. Here a device reads its connection itself while it waits, and hears at once that
it is lost. One that was lost since the last reading is made anew, or old losses would be told long after the
outage. Between readings a device is silent, so no keep-alive is agreed upon.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

from gevent.socket import wait_read
from locust import task
from paho.mqtt.client import Client, error_string
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from seatrial.load import ProtocolUser

URL = urlsplit(os.environ["MQTT_URL"])
TOPIC = "seatrial/readings"


class Device(ProtocolUser):
    """Something that reports."""

    def on_start(self) -> None:
        """Connect. A device that met a failure is followed by one with a new connection."""
        self.connect()

    def on_stop(self) -> None:
        """Hang up."""
        self.broker.disconnect()

    @task
    def report(self) -> None:
        """Publish a reading that nobody has published before."""
        if self.broker.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.connect()
        reading = uuid.uuid4().hex
        with self.measure("PUBLISH reading", key=reading):
            published = self.broker.publish(TOPIC, reading, qos=1)
            self.read_until(published.is_published)

    def connect(self) -> None:
        """Call the broker, and wait until it takes the device."""
        self.broker = Client(CallbackAPIVersion.VERSION2)
        self.broker.username_pw_set(URL.username, URL.password)
        with self.measure("CONNECT"):
            self.broker.connect(URL.hostname or "", URL.port or 1883, keepalive=0)
            self.read_until(self.broker.is_connected)

    def read_until(self, done: Callable[[], bool]) -> None:
        """Wait for what the broker says until this is so. Raises ConnectionError when it has hung up."""
        while not done():
            if line := self.broker.socket():
                wait_read(line.fileno())
            outcome = self.broker.loop_read()
            if outcome != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise ConnectionError(error_string(outcome))
