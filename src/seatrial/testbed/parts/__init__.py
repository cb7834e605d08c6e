"""The parts of the testbed, one file each: pure functions from the topology to a command and its files."""
