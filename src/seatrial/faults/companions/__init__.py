"""Programs that some faults start: each holds an effect that only a running process can hold."""
