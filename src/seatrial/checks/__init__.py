"""Judges of the recorded history. A check never injects and never asks the target."""
