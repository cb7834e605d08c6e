"""Guards the start form of Locust's web page: a wrong option is a message there, and nothing starts."""

from __future__ import annotations

from typing import Any

from flask import Flask, jsonify, request
from locust.env import Environment

from seatrial.load.options import OPTIONS, LoadOptions


def guard(app: Flask, environment: Environment) -> None:
    """Check what is posted to start a test before Locust acts on it."""

    def refuse_bad_options() -> Any:
        if request.method != "POST" or not request.path.endswith("/swarm"):
            return None
        form = {option.name: request.form[option.name] for option in OPTIONS if option.name in request.form}
        try:
            LoadOptions.parse(vars(environment.parsed_options) | form)
        except ValueError as error:
            return jsonify({"success": False, "message": str(error), "host": environment.host})
        return None

    app.before_request(refuse_bad_options)
