"""Receivers of incidents, one file each. To add one, see `incidents.sink`."""
